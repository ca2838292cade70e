// A proposal to place over a posterior: the weights of a thousand draws, and what they are worth.

const logBell = (z, mean, std) => -0.5 * ((z - mean) / std) ** 2 - Math.log(std) - 0.5 * Math.log(2 * Math.PI);

/** A number of draws in few characters: 1,234, 5.6e12, ∞. */
function drawsText(value) {
  if (value === Infinity) return "infinitely many";
  if (value < 1e6) return Math.ceil(value).toLocaleString("en-GB");
  return value.toExponential(1).replace("e+", "e");
}

function buildImportance({ options, state, onChange }) {
  const { title, noise, x, draws, most, ranges } = options;
  let { d, mean, width } = state;
  const post = { mean: x / (1 + noise), std: Math.sqrt(noise / (1 + noise)) };
  const normal = makeNormal(0);
  const eps = Float64Array.from({ length: draws * most }, normal); // the same draws for every proposal
  const xs = Array.from({ length: 501 }, (_, i) => -5 + i / 50);

  const bells = makePlot({ x: [-5, 5], y: [0, 1.5], xLabel: "z, one dimension", yLabel: "density", label: "", height: 230 });
  const laws = ["prior", "posterior", "proposal q"].map((name, i) => bells.curve({ series: i + 1, name, fill: i > 0 }));
  bells.onDrag(([z]) => choose({ mean: toStep(Math.min(ranges.mean[1], Math.max(ranges.mean[0], z)), 0.05) }));
  const shares = makePlot({
    x: [1, draws], y: [0, 1], xLog: true, height: 230, label: "",
    xLabel: "so many of the heaviest draws", yLabel: "share of the weight",
  });
  const equal = shares.curve({ series: 5, dashed: true, name: "equal weights" });
  const share = shares.curve({ series: 3, name: "these weights" });
  equal.set(xs.map((_, i) => draws ** (i / 500)), xs.map((_, i) => draws ** (i / 500 - 1)));

  const ranged = (label, name, step) => makeRange({
    label, min: ranges[name][0], max: ranges[name][1], step, origin: name === "mean" ? 0 : ranges[name][0],
    onInput: (v) => choose({ [name]: v }),
  });
  const sliders = {
    d: makeRange({ label: "Dimensions d", min: 1, max: most, step: 1, format: String, onInput: (v) => choose({ d: v }) }),
    mean: ranged("Mean of q", "mean", 0.05),
    width: ranged("Width of q", "width", 0.05),
  };
  const readout = makeReadout([
    { name: "estimate", label: "estimate of log p(x)", series: 3, unit: "nats" },
    { name: "exact", label: "exact", unit: "nats" },
    { name: "ess", label: `effective sample size, of ${draws.toLocaleString("en-GB")}` },
    { name: "needed", label: "draws needed for an error of 10 %" },
  ]);
  const preset = (text, next) => makeButton(text, () => { choose(next); frame.say(told); });
  let told = "";
  const frame = makeFrame({
    title,
    parts: [
      make("div", { class: "vae-controls" }, ...Object.values(sliders).map((s) => s.node)),
      make("div", { class: "vae-row" }, preset("The prior", { mean: 0, width: 1 }),
        preset("The posterior", { mean: post.mean, width: post.std }),
        preset("Posterior, twice as wide", { mean: post.mean, width: 2 * post.std }),
        preset("Posterior, half as wide", { mean: post.mean, width: post.std / 2 })),
      readout.node,
      make("div", { class: "vae-columns" }, bells.node, shares.node),
    ],
  });

  /** log p(x, z) − log q(z) of each draw, all d dimensions added. */
  function logWeights() {
    return Float64Array.from({ length: draws }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < d; j++) {
        const z = mean + width * eps[i * most + j];
        sum += logBell(x, z, Math.sqrt(noise)) + logBell(z, 0, 1) - logBell(z, mean, width);
      }
      return sum;
    });
  }
  function needed() {
    const [v, q] = [post.std ** 2, width ** 2];
    if (2 * q <= v) return Infinity;
    const renyi = (post.mean - mean) ** 2 / (2 * q - v) + Math.log(q / Math.sqrt(v * (2 * q - v)));
    return 100 * Math.expm1(d * renyi);
  }
  function show() {
    [[0, 1], [post.mean, post.std], [mean, width]].forEach((law, i) => {
      laws[i].set(xs, xs.map((z) => Math.exp(logBell(z, ...law))));
    });
    bells.setY(0, 0.45 / Math.min(1, post.std, width));
    for (const [name, slider] of Object.entries(sliders)) slider.show({ d, mean, width }[name]);
    const logs = logWeights().sort().reverse(); // the heaviest first
    const top = logs[0];
    const weights = logs.map((v) => Math.exp(v - top));
    const total = weights.reduce((a, b) => a + b, 0);
    let run = 0;
    share.set(Array.from(weights, (_, i) => i + 1), Array.from(weights, (w) => (run += w) / total));
    const ess = total ** 2 / weights.reduce((a, b) => a + b * b, 0);
    const values = {
      estimate: top + Math.log(total / draws), exact: d * logBell(x, 0, Math.sqrt(1 + noise)),
      ess: ess.toFixed(1), needed: drawsText(needed()),
    };
    readout.set(values);
    told = `Estimate ${showNumber(values.estimate)}, exact ${showNumber(values.exact)} nats; effective sample size ${values.ess}; `
      + `draws needed: ${values.needed}`;
    bells.describe(`Densities of prior, posterior and proposal; the proposal has mean ${showNumber(mean)} and width ${showNumber(width)}`);
    shares.describe(`In ${d} dimensions the heaviest draw has ${(100 / total).toFixed(0)} percent of the weight. ${told}`);
  }
  function choose(next) {
    ({ d, mean, width } = { d, mean, width, ...next });
    show();
    onChange({ d, mean, width });
  }

  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      ({ d, mean, width } = next);
      show();
    },
    destroy() {},
  };
}

explorables["importance-weights"] = buildImportance;
