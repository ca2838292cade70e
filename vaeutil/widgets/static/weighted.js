// The bound of k draws: posterior, q, and the law of the draw that is chosen by its weight.

function buildWeighted({ options, state, onChange }) {
  const { title, x, v, ranges } = options;
  const model = makeWeightedModel(x, v);
  const zs = Array.from({ length: 241 }, (_, i) => -3.6 + 0.03 * i);
  const ks = Array.from({ length: 31 }, (_, i) => Math.round(10 ** (i / 10)));
  const start = { ...state };
  let at = start;

  const densities = makePlot({
    x: [-3.6, 3.6], y: [0, 1.4], height: 250, xLabel: "latent z", yLabel: "density", label: "",
  });
  const posterior = densities.curve({ series: 1, fill: true, name: "posterior p(z | x)" });
  const guess = densities.curve({ series: 2, name: "q" });
  const implied = densities.curve({ series: 3, name: "one of k draws of q, chosen by weight" });
  const plot = makePlot({
    x: [1, 1000], y: [1e-4, 10], xLog: true, yLog: true, height: 250,
    xLabel: "samples k", yLabel: "log p(x) \u2212 L, nats", label: "",
  });
  const curve = plot.curve({ series: 2, name: "gap of the bound with k samples" });
  const slope = plot.curve({ series: 4, dashed: true, name: "the law 1/k" });
  const dot = plot.dot({ series: 2 });
  const readout = makeReadout([
    { name: "evidence", label: "log p(x)", series: 1, unit: "nats" },
    { name: "first", label: "ELBO of q", unit: "nats" },
    { name: "bound", label: "bound with k samples", series: 2, unit: "nats" },
    { name: "chosen", label: "ELBO of the draw chosen by weight", series: 3, unit: "nats" },
  ]);
  const sliders = {
    k: makeRange({
      label: "samples k", min: 1, max: 1000, log: true, format: (k) => `${Math.round(k)}`,
      onInput(value) {
        const k = Math.round(value);
        choose({ k: k === at.k ? k + Math.sign(value - k) : k }); // a key moves it by one at least
      },
    }),
    mean: makeRange({
      label: "mean of q", min: ranges.mean[0], max: ranges.mean[1], step: 0.01, origin: 0,
      onInput: (mean) => choose({ mean }),
    }),
    sd: makeRange({
      label: "sd of q", min: ranges.sd[0], max: ranges.sd[1], step: 0.01, onInput: (sd) => choose({ sd }),
    }),
  };
  const decoder = makeChoice({
    label: "Decoder's mean", options: ["z", "z\u00b2"], onInput: (square) => choose({ square }),
  });
  const press = (text, next) => makeButton(text, () => {
    choose(next());
    frame.say(`${text}: ${spoken}`);
  });
  let spoken = "";
  const frame = makeFrame({
    title,
    parts: [
      make("div", { class: "vae-columns" }, densities.node, plot.node), readout.node,
      make("div", { class: "vae-controls" }, ...Object.values(sliders).map((one) => one.node)),
      make("div", { class: "vae-row" }, decoder.node,
        press("Best q for this k", () => model.best(at, ranges)), press("Reset", () => start)),
    ],
  });

  function show() {
    const law = model.law(at);
    const log = zs.map((z) => model.joint(z, at.square) - law.evidence);
    const qs = zs.map((z) => Math.exp(model.logQ(z, at)));
    posterior.set(zs, log.map(Math.exp));
    guess.set(zs, qs);
    const chosen = zs.map((z) => law.implied(z, at.k));
    implied.set(zs, chosen);
    const gaps = ks.map((k) => Math.max(1e-6, law.gap(k)));
    const gap = Math.max(0, law.gap(at.k));
    curve.set(ks, gaps);
    slope.set([1, 1000], [gaps[0], gaps[0] / 1000]);
    dot.set(at.k, Math.max(1e-6, gap));
    const values = {
      evidence: law.evidence, first: law.evidence - law.gap(1), bound: law.evidence - gap,
      chosen: law.evidence - law.rest(at.k),
    };
    readout.set(values);
    for (const [name, one] of Object.entries(sliders)) one.show(at[name]);
    decoder.show(at.square);
    spoken = `k = ${at.k}, bound ${showNumber(values.bound)} nats, log p(x) ${showNumber(values.evidence)} nats`;
    densities.describe(`Posterior, q with mean ${showNumber(at.mean)} and sd ${showNumber(at.sd)}, and one of ${at.k} draws of q, chosen by weight`);
    plot.describe(`The gap of the bound against k: ${spoken}`);
  }
  function choose(next) {
    at = { ...at, ...next };
    show();
    onChange(at);
  }
  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      at = { ...at, ...next };
      show();
    },
    destroy() {},
  };
}

explorables["weighted-bound"] = buildWeighted;
