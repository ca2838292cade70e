// InfoVAEs on a grid of two prices: q(z) in the plane, what the code tells, the MMD at a bandwidth.

/** Unbiased MMD² between the law of the codes [2][n] and N(0, I), Gaussian kernel (vaeutil.mmd). */
function normalMmd([xs, ys], bandwidth) {
  const n = xs.length;
  const h2 = bandwidth ** 2;
  let within = 0;
  let across = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      within += Math.exp(-((xs[i] - xs[j]) ** 2 + (ys[i] - ys[j]) ** 2) / (2 * h2));
    }
    across += Math.exp(-(xs[i] ** 2 + ys[i] ** 2) / (2 * (h2 + 1)));
  }
  // In two dimensions the powers d/2 are one.
  return (2 * within) / (n * (n - 1)) + h2 / (h2 + 2) - (2 * across * h2) / ((h2 + 1) * n);
}

function buildPrices({ options, state, onChange }) {
  const { title, alphas, lams, bandwidths, codes, measured, seed } = options;
  const EDGE = 5;
  const SAMPLES = 8;
  let now = { ...state, point: Array.from(state.point) };
  let networks = null;
  const normal = makeNormal(seed);
  let draws = [];
  const redraw = () => { draws = Array.from({ length: SAMPLES }, () => [normal(), normal()]); };
  redraw();

  const plot = makePlot({
    x: [-EDGE, EDGE], y: [-EDGE, EDGE], xLabel: "z\u2081", yLabel: "z\u2082", label: "", height: 290,
  });
  const cloud = plot.dots({ series: 1, size: 3.5, name: "a draw of q(z | x) for each test image" });
  const turn = Array.from({ length: 121 }, (_, i) => (Math.PI * i) / 60);
  plot.curve({ series: 2, name: "95 % of N(0, I)" })
    .set(turn.map((a) => 2.4477 * Math.cos(a)), turn.map((a) => 2.4477 * Math.sin(a)));
  const dot = plot.dot({ series: 4, size: 14 });
  plot.onDrag(([a, b]) => move({ point: [clamp(a, EDGE), clamp(b, EDGE)] }));

  const steps = (label, list, name) => makeRange({
    label, min: 0, max: list.length - 1, step: 1,
    format: (i) => String(list[i]), onInput: (i) => move({ [name]: i }),
  });
  const alpha = steps("\u03b1", alphas, "alpha");
  const lam = steps("\u03bb", lams, "lam");
  const bandwidth = makeRange({
    label: "Bandwidth h of the MMD", min: bandwidths[0], max: bandwidths[1], log: true,
    onInput: (h) => move({ bandwidth: h }),
  });
  const places = [0, 1].map((i) => makeRange({
    label: symbol("z", i + 1), min: -EDGE, max: EDGE, step: 0.05, origin: 0,
    onInput: (v) => move({ point: now.point.map((old, j) => (j === i ? v : old)) }),
  }));
  const bars = makeBars({ label: "The two parts of the rate", min: 0, max: 30, unit: "nats" });
  const readout = makeReadout([
    { name: "rate", label: "Rate", unit: "nats" },
    { name: "distortion", label: "Distortion", unit: "nats" },
    { name: "mmd", label: "1,000 MMD\u00b2(q(z), p(z))" },
    { name: "outside", label: "Codes outside the frame", unit: "%" },
  ]);
  const decoded = makeTradeoffStrip(1, "The decoded point");
  decoded.node.style.maxWidth = "9rem";
  const invented = makeTradeoffStrip(SAMPLES, "Decoded draws from the prior");
  const again = makeButton("New draws", () => {
    redraw();
    show();
    frame.say("New draws.");
  });
  const frame = makeFrame({
    title, wide: true,
    parts: [
      alpha.node, lam.node,
      make("div", { class: "vae-columns" },
        make("div", {}, plot.node, ...places.map((place) => place.node)),
        make("div", {}, bars.node, readout.node, bandwidth.node, decoded.node, invented.node, again)),
    ],
  });

  function show() {
    const at = now.alpha * lams.length + now.lam;
    const [information, aggregate, distortion] = measured[at];
    const [xs, ys] = codes[at];
    const name = `\u03b1 = ${alphas[now.alpha]}, \u03bb = ${lams[now.lam]}`;
    const inside = xs.map((x, i) => Math.max(Math.abs(x), Math.abs(ys[i])) <= EDGE);
    cloud.set(xs.filter((_, i) => inside[i]), ys.filter((_, i) => inside[i]));
    dot.set(...now.point);
    alpha.show(now.alpha);
    lam.show(now.lam);
    bandwidth.show(now.bandwidth);
    places.forEach((place, i) => place.show(now.point[i]));
    bars.set([
      { label: "Mutual information", value: information, series: 1 },
      { label: "Aggregate KL", value: aggregate, series: 3, from: information },
    ]);
    const outside = (100 * inside.filter((yes) => !yes).length) / xs.length;
    const mmd = 1000 * normalMmd(codes[at], now.bandwidth);
    readout.set({ rate: information + aggregate, distortion, mmd, outside });
    const place = `z = (${now.point.map(showNumber).join(", ")})`;
    plot.describe(`Draws from q(z) at ${name}, for ${xs.length} test images, ${showNumber(outside)} % `
      + `of them outside the frame; the point is at ${place}`);
    decoded.describe(`${name}: the decoded image at ${place}`);
    invented.describe(`${name}: ${SAMPLES} decoded draws from the prior`);
    if (!networks) return;
    decoded.paint([networks[at].run(now.point)]);
    invented.paint(draws.map((z) => Float32Array.from(networks[at].run(z)))); // run reuses its buffer
  }
  function move(change) {
    now = { ...now, ...change };
    show();
    onChange(change);
  }

  show();
  return {
    node: frame.node,
    start(bytes) {
      const found = networksOf(bytes);
      networks = codes.map((_, i) => found[String(i)]);
      show();
    },
    update(next) {
      now = { ...next, point: Array.from(next.point) };
      show();
    },
    destroy() {},
  };
}

explorables["price-grid"] = buildPrices;
