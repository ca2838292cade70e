// The prior explorer: codes, the contours of a prior, draws from it, decoded.

/** Draws from a prior of options.samplers: next() → [z₁, z₂]. */
function makeDraws({ kind, means, stds, picks }, flow, seed) {
  const normal = makeNormal(seed);
  let at = 0;
  return () => {
    const noise = [normal(), normal()];
    if (kind === "flow") return flow.forward(noise)[0];
    if (kind === "standard") return noise;
    const i = picks[at++ % picks.length];
    return noise.map((e, j) => means[i][j] + stds[i][j] * e);
  };
}

function buildPriors({ options, state, onChange }) {
  const { title, names, codes, contours, samplers, spans, spacing, notes, note, draws, seed } = options;
  let { chosen } = state;
  let parts = null;
  let next = [];
  let shown = [];

  const choice = makeChoice({
    label: "Prior", options: names,
    onInput: (i) => {
      chosen = i;
      show();
      onChange({ chosen });
    },
  });
  const plot = makePlot({
    x: spans[0][0], y: spans[0][1], xLabel: "z\u2081", yLabel: "z\u2082", label: title, height: 380,
  });
  const cloud = plot.dots({ series: 1, size: 3, name: "codes of test images" });
  const lines = [
    plot.curve({ series: 2, name: "half of the prior's mass" }),
    plot.curve({ series: 2, dashed: true, name: "90 % of it" }),
  ];
  const drawn = plot.dots({ series: 3, size: 9, name: "draws from the prior" });
  const readout = makeReadout([
    ...(note ? [{ name: "note", label: note, series: 2, unit: "nats" }] : []),
    { name: "far", label: "mean distance from a draw to the nearest code", series: 3, unit: "spacings" },
  ]);

  const views = Array.from({ length: draws }, () => {
    const canvas = make("canvas", {
      width: SIDE, height: SIDE, role: "img", class: "vae-picture", "aria-label": "A draw",
      style: "width: 100%; height: auto; aspect-ratio: 1",
    });
    const context = canvas.getContext("2d", { alpha: false });
    return { canvas, context, picture: context.createImageData(SIDE, SIDE) };
  });
  const row = make("div", { style: "display: grid; gap: 4px; margin: 0.5rem 0; "
    + "grid-template-columns: repeat(auto-fit, minmax(3.3rem, 1fr))" }, ...views.map((view) => view.canvas));

  const nearest = ([a, b]) => {
    const [xs, ys] = codes[chosen];
    let least = Infinity;
    for (let i = 0; i < xs.length; i++) least = Math.min(least, Math.hypot(xs[i] - a, ys[i] - b));
    return least / spacing[chosen];
  };

  function show() {
    choice.show(chosen);
    plot.setX(...spans[chosen][0]);
    plot.setY(...spans[chosen][1]);
    cloud.set(...codes[chosen]);
    lines.forEach((line, i) => {
      const [xs, ys] = contours[chosen][i];
      line.set(xs.map((v) => v ?? NaN), ys.map((v) => v ?? NaN));
    });
    if (!parts) return;
    const points = shown[chosen];
    drawn.set(points.map((z) => z[0]), points.map((z) => z[1]));
    const far = points.reduce((sum, z) => sum + nearest(z), 0) / points.length;
    readout.set({ far: far.toFixed(3), ...(note && { note: notes[chosen] ?? "\u2013" }) });
    points.forEach((z, i) => {
      const { canvas, context, picture } = views[i];
      context.putImageData(fillGrey(picture, parts[`decoder ${chosen}`].decode(z)), 0, 0);
      canvas.setAttribute("aria-label", `Decoded draw, z = (${z.map((v) => v.toFixed(3)).join(", ")})`);
    });
    plot.describe(`${names[chosen]}: codes of ${codes[chosen][0].length} test images, contours of the `
      + `prior, and ${points.length} draws from it, ${far.toFixed(3)} spacings from the nearest code on average`);
  }

  const draw = () => {
    shown = next.map((one) => Array.from({ length: draws }, one));
    show();
  };
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { class: "vae-row" }, choice.node, makeButton("Draw again", () => {
        draw();
        frame.say(`${draws} new draws from the prior: ${names[chosen]}`);
      })),
      plot.node, row, readout.node,
    ],
  });

  show();
  return {
    node: frame.node,
    start(bytes) {
      parts = networksOf(bytes);
      next = samplers.map((sampler, i) => makeDraws(sampler, parts[`flow ${i}`], seed));
      draw();
    },
    update(to) {
      ({ chosen } = to);
      show();
    },
    destroy() {},
  };
}

explorables["prior-explorer"] = buildPriors;
