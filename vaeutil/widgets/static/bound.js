// The bound: a Gaussian q over an exact posterior; evidence, ELBO and gap as bars that add up.

function buildBound({ options, state, onChange }) {
  const { title, x, v, ranges } = options;
  const model = makeBoundModel(x, v);
  const start = { ...state };
  let at = start;
  let mover = "";
  let anchor = null;

  const densities = makePlot({
    x: [-3, 3], y: [0, 1.6], height: 250, xLabel: "latent z", yLabel: "density", label: "",
  });
  const prior = densities.curve({ series: 3, dashed: true, name: "prior p(z)" });
  const posterior = densities.curve({ series: 1, fill: true, name: "posterior p(z | x)" });
  const guess = densities.curve({ series: 2, name: "q" });
  const peak = densities.dot({ series: 2, size: 12 });
  const byW = makePlot({
    x: ranges.w, y: [-7, -1.5], height: 250, xLabel: "slope w of the decoder", yLabel: "nats", label: "",
  });
  const truth = byW.curve({ series: 1, name: "log p(x)" });
  const bound = byW.curve({ series: 2, name: "ELBO of this q" });
  const gapLine = byW.curve({ series: 4, name: "gap" });
  const dots = [byW.dot({ series: 1 }), byW.dot({ series: 2 })];
  const slopes = Array.from({ length: 61 }, (_, i) => ranges.w[0] + (i / 60) * (ranges.w[1] - ranges.w[0]));
  const truths = [0, 1].map((square) => slopes.map((w) => model.evidence({ w, square })));

  const bars = makeBars({ label: "Evidence, ELBO and gap", min: -8, max: 0, unit: "nats" });
  const change = makeReadout([
    { name: "moved", label: "Change since you began to move", unit: "" },
    { name: "elbo", label: "ELBO", series: 2, unit: "nats" },
    { name: "evidence", label: "log p(x)", series: 1, unit: "nats" },
    { name: "gap", label: "gap", series: 4, unit: "nats" },
  ]);
  const slider = (name, who, label) => makeRange({
    label, min: ranges[name][0], max: ranges[name][1], step: 0.01, origin: Math.max(0, ranges[name][0]),
    onInput: (value) => choose({ [name]: value }, who),
  });
  const sliders = {
    mean: slider("mean", "q", "mean of q"), sd: slider("sd", "q", "sd of q"), w: slider("w", "w", "w"),
  };
  const decoder = makeChoice({
    label: "Decoder's mean", options: ["w z", "w z²"],
    onInput: (square) => choose({ square }, "the decoder"),
  });
  const limit = (name, value) => Math.min(ranges[name][1], Math.max(ranges[name][0], value));
  const press = (text, name, next) => makeButton(text, () => {
    anchor = null;
    choose(next(), name);
    frame.say(`${text}: ${spoken()}`);
  });
  const buttons = [
    press("Best q for this w", "q", () => model.bestQ(at, ranges)),
    press("Best w for this q", "w", () => ({ w: limit("w", model.bestW(at)) })),
    press("Reset", "everything", () => start),
  ];
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { class: "vae-columns" }, densities.node, byW.node),
      bars.node, change.node,
      make("div", { class: "vae-controls" }, ...Object.values(sliders).map((one) => one.node)),
      make("div", { class: "vae-row" }, decoder.node, ...buttons),
    ],
  });

  /** Evidence, ELBO and gap, each computed by itself: the gap by its own integral. */
  function measure(place) {
    const log = model.joint(place);
    const evidence = model.evidence(place);
    const q = model.logQ(place);
    const gap = 0.02 * q.reduce((total, one, i) => (
      one < -700 ? total : total + Math.exp(one) * (one - log[i] + evidence)), 0);
    return { elbo: model.elbo(place), evidence, gap, log, q };
  }
  const spoken = () => {
    const { elbo, evidence, gap } = measure(at);
    return `ELBO ${showNumber(elbo)} + gap ${showNumber(gap)} = log p(x) ${showNumber(evidence)} nats`;
  };

  function show() {
    const now = measure(at);
    prior.set(model.zs, model.zs.map((z) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)));
    posterior.set(model.zs, now.log.map((one) => Math.exp(one - now.evidence)));
    guess.set(model.zs, now.q.map(Math.exp));
    peak.set(at.mean, 1 / (at.sd * Math.sqrt(2 * Math.PI)));
    truth.set(slopes, truths[at.square]);
    bound.set(slopes, slopes.map((w) => model.elbo({ ...at, w })));
    gapLine.set([at.w, at.w], [now.elbo, now.evidence]);
    dots[0].set(at.w, now.evidence);
    dots[1].set(at.w, now.elbo);
    bars.set([
      { label: "log p(x)", value: now.evidence, series: 1 },
      { label: "ELBO", value: now.elbo, series: 2 },
      { label: "gap", value: now.gap, series: 4, from: now.elbo },
      { label: "E log p(x | z)", value: model.reconstruction(at), series: 3 },
      { label: "minus KL to prior", value: -model.kl(at), series: 5, from: model.reconstruction(at) },
    ]);
    const sign = (value) => (value > 0.004 ? "+" : "") + showNumber(value);
    const since = anchor ?? now;
    change.set({
      moved: mover || "nothing yet",
      ...Object.fromEntries(["elbo", "evidence", "gap"].map((one) => [one, sign(now[one] - since[one])])),
    });
    for (const [name, one] of Object.entries(sliders)) one.show(at[name]);
    decoder.show(at.square);
    densities.describe(`Prior, posterior, and q with mean ${showNumber(at.mean)} and standard deviation ${showNumber(at.sd)}`);
    byW.describe(`log p(x) and ELBO against w; at w = ${showNumber(at.w)}: ${spoken()}`);
  }

  /** Takes the reader's move of q, of w or of the decoder; changes count from where it began. */
  function choose(next, who) {
    if (who !== mover || !anchor) anchor = measure(at);
    mover = who;
    at = { ...at, ...next };
    show();
    onChange(at);
  }
  densities.onDrag(([z, density]) => choose({
    mean: limit("mean", z), sd: limit("sd", 1 / (Math.max(density, 0.01) * Math.sqrt(2 * Math.PI))),
  }, "q"));

  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      at = { ...at, ...next };
      anchor = null;
      mover = "";
      show();
    },
    destroy() {},
  };
}

explorables["bound-explorer"] = buildBound;
