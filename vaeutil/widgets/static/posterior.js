// The posterior of an image in the plane of its code, and a q to move, tilt and bend over it.

/** Line pieces of the contour f = level on a grid; xs, ys: its axes, values by rows of xs. */
function contour(xs, ys, f, level) {
  const [px, py] = [[], []];
  const at = (i, j) => f[i * ys.length + j] - level;
  for (let i = 0; i + 1 < xs.length; i++) {
    for (let j = 0; j + 1 < ys.length; j++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const cuts = [];
      corners.forEach(([a, b], k) => {
        const [c, d] = corners[(k + 1) % 4];
        const [here, there] = [at(a, b), at(c, d)];
        if ((here < 0) === (there < 0)) return;
        const t = here / (here - there);
        cuts.push([xs[a] + t * (xs[c] - xs[a]), ys[b] + t * (ys[d] - ys[b])]);
      });
      for (let k = 0; k + 1 < cuts.length; k += 2) {
        px.push(cuts[k][0], cuts[k + 1][0], NaN);
        py.push(cuts[k][1], cuts[k + 1][1], NaN);
      }
    }
  }
  return [px, py];
}

function buildPosterior({ options, state, onChange }) {
  const { title, images, evidence, windows, best, ranges, nodes, shares } = options;
  const names = { encoder: "Encoder's q", upright: "Best upright", tilted: "Best tilted", bent: "Best bent" };
  const GRID = 45;
  let at = { ...state };
  let decoder = null;
  let shapes = [];

  const plot = makePlot({ x: windows[at.image][0], y: windows[at.image][1], height: 330, xLabel: "z₁", yLabel: "z₂", label: "" });
  const truth = [1, 2, 3].map((r) => plot.curve({ series: 1, name: r === 1 ? "true posterior" : "" }));
  const rings = [1, 2, 3].map((r) => plot.curve({ series: 2, name: r === 1 ? "q" : "" }));
  const middle = plot.dot({ series: 2 });
  const picture = make("canvas", { width: SIDE, height: SIDE, role: "img", class: "vae-picture", style: "width: 5.5rem; height: 5.5rem" });
  const most = 1.3 * Math.max(...best.map((all) => all.encoder[6]));
  const bars = makeBars({ label: "Gap of each q", min: 0, max: most, unit: "nats" });
  const readout = makeReadout([
    { name: "evidence", label: "log p(x)", series: 1, unit: "nats" },
    { name: "elbo", label: "ELBO of q", series: 2, unit: "nats" },
    { name: "gap", label: "gap", series: 4, unit: "nats" },
  ]);
  const slider = (label, [min, max], read, write, log = false) => ({
    read, ...makeRange({ label, min, max, step: 0.005, log, origin: log ? min : 0,
      format: (v) => v.toFixed(3).replace("-", "\u2212"), onInput: (v) => choose(write(v)) }),
  });
  const two = (name, i) => [(s) => s[name][i], (v) => ({ [name]: at[name].map((one, j) => (i === j ? v : one)) })];
  const sliders = [
    slider("mean of z₁", ranges.mean, ...two("mean", 0)), slider("mean of z₂", ranges.mean, ...two("mean", 1)),
    slider("sd s₁", ranges.sd, ...two("sd", 0), true), slider("sd s₂", ranges.sd, ...two("sd", 1), true),
    slider("tilt", ranges.shear, (s) => s.shear, (shear) => ({ shear })),
    slider("bend", ranges.bend, (s) => s.bend, (bend) => ({ bend })),
  ];
  const digit = makeChoice({
    label: "Image", options: images.map((_, i) => String(i + 1)),
    onInput: (image) => choose({ image, ...stateOf(best[image].encoder) }),
  });
  const stateOf = (q) => ({ mean: q.slice(0, 2), sd: q.slice(2, 4), shear: q[4], bend: q[5] });
  const buttons = Object.entries(names).map(([name, text]) => makeButton(text, () => {
    choose(stateOf(best[at.image][name]));
    frame.say(`${text}: gap ${showNumber(evidence[at.image] - elbo())} nats`);
  }));
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { class: "vae-row" }, picture, digit.node, ...buttons),
      make("div", { class: "vae-columns" }, plot.node, make("div", {}, bars.node, readout.node)),
      make("div", { class: "vae-controls" }, ...sliders.map((one) => one.node)),
    ],
  });

  /** Where q takes the noise (a, b). */
  const place = (a, b) => [
    at.mean[0] + at.sd[0] * a, at.mean[1] + at.sd[1] * b + at.shear * a + at.bend * (a * a - 1),
  ];
  /** log p(x, z), from the decoder's raw outputs. */
  function joint(z) {
    const x = images[at.image];
    const raw = decoder.run(z);
    let sum = -0.5 * (z[0] * z[0] + z[1] * z[1]) - Math.log(2 * Math.PI);
    for (let i = 0; i < raw.length; i++) {
      const a = raw[i];
      sum += x[i] * a - Math.max(a, 0) - Math.log1p(Math.exp(-Math.abs(a)));
    }
    return sum;
  }
  function elbo() {
    let total = Math.log(at.sd[0] * at.sd[1]) + 1 + Math.log(2 * Math.PI);
    nodes.forEach((a, i) => nodes.forEach((b, j) => { total += shares[i] * shares[j] * joint(place(a, b)); }));
    return total;
  }
  function drawTruth() {
    const axes = windows[at.image].map(([lo, hi]) => Array.from({ length: GRID }, (_, i) => lo + (i / (GRID - 1)) * (hi - lo)));
    const log = axes[0].flatMap((a) => axes[1].map((b) => joint([a, b])));
    const top = log.reduce((most, one) => Math.max(most, one), -Infinity);
    shapes = [0.5, 2, 4.5].map((below) => contour(...axes, log, top - below));
    plot.setX(...windows[at.image][0]);
    plot.setY(...windows[at.image][1]);
    const context = picture.getContext("2d", { alpha: false });
    context.putImageData(fillGrey(context.createImageData(SIDE, SIDE), images[at.image]), 0, 0);
    picture.setAttribute("aria-label", `Image ${at.image + 1}, in black and white`);
    shapes.forEach((shape, i) => truth[i].set(...shape));
  }
  let drawn = -1;
  function show() {
    digit.show(at.image);
    for (const one of sliders) one.show(one.read(at));
    const turns = Array.from({ length: 73 }, (_, i) => (i / 36) * Math.PI);
    rings.forEach((ring, i) => {
      const round = turns.map((angle) => place((i + 1) * Math.cos(angle), (i + 1) * Math.sin(angle)));
      ring.set(round.map((z) => z[0]), round.map((z) => z[1]));
    });
    middle.set(...at.mean);
    if (!decoder) return;
    if (drawn !== at.image) drawTruth();
    drawn = at.image;
    const bound = elbo();
    const gap = evidence[at.image] - bound;
    const all = best[at.image];
    bars.set([
      { label: "Gap of yours", value: gap, series: 4 },
      ...Object.keys(names).map((name) => ({ label: names[name], value: all[name][6], series: 5 })),
    ]);
    readout.set({ evidence: evidence[at.image], elbo: bound, gap });
    plot.describe(`The true posterior of image ${at.image + 1} and q around ${showNumber(at.mean[0])}, `
      + `${showNumber(at.mean[1])}, each at 1, 2 and 3 standard deviations; gap ${showNumber(gap)} nats`);
  }
  function choose(change) {
    at = { ...at, ...change };
    show();
    onChange(at);
  }
  plot.onDrag((z) => choose({ mean: z.map((v, i) => Math.min(ranges.mean[1], Math.max(ranges.mean[0], v))) }));

  show();
  return {
    node: frame.node,
    start(bytes) {
      decoder = networksOf(bytes).decoder;
      show();
    },
    update(next) {
      at = { ...at, ...next };
      show();
    },
    destroy() {},
  };
}

explorables["posterior-fit"] = buildPosterior;
