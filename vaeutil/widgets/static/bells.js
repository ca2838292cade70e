// Two Gaussians: their densities, their two divergences, and each point's share in both.

const BELLS_REACH = 8;

const bellLogDensity = (x, [mean, std]) => -0.5 * ((x - mean) / std) ** 2 - Math.log(std) - 0.5 * Math.log(2 * Math.PI);

/** D(N(p) ‖ N(q)) for pairs [mean, standard deviation], in nats. */
function bellDivergence(p, q) {
  const s = (p[1] / q[1]) ** 2;
  return 0.5 * (((p[0] - q[0]) / q[1]) ** 2 + s - Math.log(s) - 1);
}

/** The first of 1, 2, 5, 10, 20, … times a tenth that is at least the value. */
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((factor) => factor * unit >= value) * unit;
}

function buildBells({ options, state, onChange }) {
  const { title, means, stds } = options;
  let { p, q, balanced } = state;
  const xs = Array.from({ length: 641 }, (_, i) => -BELLS_REACH + i * (2 * BELLS_REACH / 640));

  const densities = makePlot({
    x: [-BELLS_REACH, BELLS_REACH], y: [0, 1], xLabel: "x", yLabel: "density", label: "", height: 200,
  });
  const bells = [1, 2].map((series, i) => densities.curve({ series, fill: true, name: "pq"[i] }));
  densities.onDrag(([x]) => choose({ q: [toStep(clamp(x, means[1]), 0.05), q[1]] }));
  const shares = makePlot({
    x: [-BELLS_REACH, BELLS_REACH], y: [-1, 1], xLabel: "x", yLabel: "nats per unit of x", label: "", height: 220,
  });
  shares.rule({ axis: "y", series: 5, dashed: true }).set(0);
  const curves = [
    shares.curve({ series: 3, name: "share in D(p ‖ q)" }),
    shares.curve({ series: 4, dashed: true, name: "share in D(q ‖ p)" }),
  ];

  const slider = (name, index) => makeRange({
    label: `${["mean", "std"][index]} of ${name}`, min: [means, stds][index][0], max: [means, stds][index][1],
    step: 0.05, origin: index ? stds[0] : 0,
    onInput: (v) => choose({ [name]: ({ p, q })[name].map((old, i) => (i === index ? v : old)) }),
  });
  const sliders = ["p", "q"].map((name) => [slider(name, 0), slider(name, 1)]);
  const choice = makeChoice({
    label: "Shares", options: ["as defined, p log(p/q)", "balanced, p log(p/q) − p + q"],
    onInput: (i) => choose({ balanced: i === 1 }),
  });
  const readout = makeReadout([
    { name: "there", label: "D(p ‖ q)", series: 3, unit: "nats" },
    { name: "back", label: "D(q ‖ p)", series: 4, unit: "nats" },
  ]);
  const frame = makeFrame({
    title,
    parts: [
      make("div", { class: "vae-controls" }, ...sliders.flat().map((s) => s.node)),
      readout.node,
      make("div", { class: "vae-columns" }, densities.node, shares.node),
      make("div", { class: "vae-row" }, choice.node, makeButton("Make q equal to p", () => {
        choose({ q: [...p] });
        frame.say("q equals p: both divergences are 0.");
      })),
    ],
  });

  /** first·log(first/second) along xs, or balanced with − first + second. */
  const share = (first, second) => xs.map((x) => {
    const [a, b] = [bellLogDensity(x, first), bellLogDensity(x, second)];
    return Math.exp(a) * (a - b) + (balanced ? Math.exp(b) - Math.exp(a) : 0);
  });

  function show() {
    [p, q].forEach((law, i) => {
      sliders[i].forEach((s, j) => s.show(law[j]));
      bells[i].set(xs, xs.map((x) => Math.exp(bellLogDensity(x, law))));
    });
    densities.setY(0, roundUp(0.42 / Math.min(p[1], q[1])));
    const [there, back] = [share(p, q), share(q, p)];
    curves[0].set(xs, there);
    curves[1].set(xs, back);
    const [lo, hi] = [Math.min(...there, ...back), Math.max(...there, ...back)];
    shares.setY(balanced ? 0 : -roundUp(Math.max(0.2, -lo)), roundUp(Math.max(0.2, hi)));
    choice.show(balanced ? 1 : 0);
    const both = { there: bellDivergence(p, q), back: bellDivergence(q, p) };
    readout.set(both);
    const told = ([mean, std]) => `mean ${showNumber(mean)}, standard deviation ${showNumber(std)}`;
    densities.describe(`Densities of p, ${told(p)}, and of q, ${told(q)}`);
    shares.describe(`What each point adds to the divergences, ${balanced ? "nowhere negative" : "negative in places"}. `
      + `D(p ‖ q) is ${showNumber(both.there)} and D(q ‖ p) ${showNumber(both.back)} nats`);
  }
  function choose(next) {
    ({ p, q, balanced } = { p, q, balanced, ...next });
    show();
    onChange({ p, q, balanced });
  }

  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      ({ p, q, balanced } = next);
      show();
    },
    destroy() {},
  };
}

explorables["two-gaussians"] = buildBells;
