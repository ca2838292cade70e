// Nested samples: the NLL that k importance samples give, for a k that the reader moves.

function buildNested({ options, state, onChange }) {
  const { title, models } = options;
  const ks = models[0].k;
  let { at, model } = state;
  const whole = (value) => Math.round(value).toLocaleString("en-GB");
  const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;

  const span = () => {
    const { nll, exact } = models[model];
    const values = exact === null ? nll : [...nll, exact];
    const [lo, hi] = [Math.min(...values), Math.max(...values)];
    return [lo - 0.12 * (hi - lo), hi + 0.06 * (hi - lo)];
  };
  const plot = makePlot({
    x: [ks[0], ks[ks.length - 1]], y: span(), xLog: true, xLabel: "importance samples k",
    yLabel: "NLL estimate, nats per image", label: title, height: 240,
  });
  const curve = plot.curve({ series: 1, name: "estimate with k samples" });
  const knots = plot.dots({ series: 1, size: 6 });
  const exactly = plot.curve({ series: 3, dashed: true, name: "exact, by a grid (two latents only)" });
  const chosen = plot.dot({ series: 2, name: "the k chosen" });
  const slider = makeRange({
    label: "samples k", min: 0, max: ks.length - 1, step: 1, format: (i) => whole(ks[Math.round(i)]),
    onInput: (value) => choose(Math.round(value), model),
  });
  const choice = makeChoice({
    label: "Model", options: models.map((one) => one.label), onInput: (index) => choose(at, index),
  });
  const readout = makeReadout([
    { name: "nll", label: "NLL estimate", series: 2, unit: "nats" },
    { name: "gain", label: "gained over k = 1, the \u2212ELBO", unit: "nats" },
    { name: "excess", label: `above k = ${whole(ks[ks.length - 1])}`, unit: "nats" },
    { name: "far", label: "images more than half a nat above it" },
    { name: "exact", label: "above the exact value" },
  ]);

  function show() {
    const { nll, excess, se, far, exact, label } = models[model];
    plot.setY(...span());
    curve.set(ks, nll);
    knots.set(ks, nll);
    exactly.set([ks[0], ks[ks.length - 1]], exact === null ? [NaN, NaN] : [exact, exact]);
    chosen.set(ks[at], nll[at]);
    slider.show(at);
    choice.show(model);
    readout.set({
      nll: nll[at],
      gain: nll[0] - nll[at],
      excess: `${showNumber(excess[at])} \u00b1 ${showNumber(se[at])}`,
      far: percent(far[at]),
      exact: exact === null ? "not known" : `${showNumber(nll[at] - exact)}\u00a0nats`,
    });
    plot.describe(`${label}: with k = ${whole(ks[at])} samples the NLL estimate is ${showNumber(nll[at])} nats.`);
  }

  function choose(nextAt, nextModel) {
    [at, model] = [nextAt, nextModel];
    show();
    onChange({ at, model });
  }

  const frame = makeFrame({
    title, parts: [make("div", { class: "vae-controls" }, slider.node, choice.node), plot.node, readout.node],
  });
  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      ({ at, model } = next);
      show();
    },
    destroy() {},
  };
}

explorables["nested-samples"] = buildNested;
