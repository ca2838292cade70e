// Code planes: the codes of the same images under several models, and a point to drag over each.

const CIRCLE = 2.4477; // the circle that holds 95 % of N(0, I) in the plane

/** One plane: its chart, the decoded image, two sliders. onMove(point) tells the reader's choice. */
function makePlane({ name, span, codes, spacing, onMove }) {
  const plot = makePlot({
    x: span[0], y: span[1], xLabel: "z\u2081", yLabel: "z\u2082", label: name, height: 290,
  });
  plot.dots({ series: 1, size: 3.5, name: "test images" }).set(...codes);
  const turn = Array.from({ length: 121 }, (_, i) => (Math.PI * i) / 60);
  plot.curve({ series: 2, name: "95 % of N(0, I)" })
    .set(turn.map((a) => CIRCLE * Math.cos(a)), turn.map((a) => CIRCLE * Math.sin(a)));
  const line = plot.curve({ series: 4, dashed: true });
  const dot = plot.dot({ series: 4, size: 14 });
  let point = [0, 0];
  plot.onDrag((place) => onMove(place));
  const ranges = span.map(([min, max], i) => makeRange({
    label: symbol("z", i + 1), min, max, origin: Math.min(max, Math.max(min, 0)),
    onInput: (value) => onMove(point.map((old, j) => (j === i ? value : old))),
  }));
  const canvas = make("canvas", {
    width: SIDE, height: SIDE, role: "img", class: "vae-picture", style: "width: 112px; height: 112px",
  });
  const context = canvas.getContext("2d", { alpha: false });
  const picture = context.createImageData(SIDE, SIDE);
  const readout = makeReadout([{ name: "near", label: "Nearest code:", unit: "spacings away" }]);
  const node = make("div", { class: "vae-plane", role: "group", "aria-label": name },
    make("p", {}, make("b", {}, name)), plot.node,
    make("div", { class: "vae-row" }, canvas,
      make("div", { style: "flex: 1 1 9rem" }, ...ranges.map((range) => range.node))),
    readout.node);

  const near = () => {
    let least = Infinity;
    for (let i = 0; i < codes[0].length; i++) {
      least = Math.min(least, Math.hypot(codes[0][i] - point[0], codes[1][i] - point[1]));
    }
    return least / spacing;
  };
  return {
    node,
    walk: (from, to) => line.set([codes[0][from], codes[0][to]], [codes[1][from], codes[1][to]]),
    between: (from, to, share) => codes.map((c) => c[from] + share * (c[to] - c[from])),
    show(next, network) {
      point = next;
      dot.set(...point);
      ranges.forEach((range, i) => range.show(point[i]));
      const place = `z = (${point.map(showNumber).join(", ")})`;
      readout.set({ near: near() });
      plot.describe(`${name}: codes of ${codes[0].length} test images; the point is at ${place}, `
        + `${showNumber(near())} spacings from the nearest code`);
      canvas.setAttribute("aria-label", `${name}: the decoded image at ${place}`);
      if (network) context.putImageData(fillGrey(picture, network.run(point)), 0, 0);
    },
  };
}

function buildPlanes({ options, state, onChange }) {
  const { title, names, codes, spans, spacing, pairs, seed } = options;
  let points = state.points.map((point) => Array.from(point));
  let networks = null;
  let pair = 0;

  const planes = names.map((name, i) => makePlane({
    name, span: spans[i], codes: codes[i], spacing: spacing[i],
    onMove: (point) => choose(points.map((old, j) => (j === i ? point : old))),
  }));

  function set(next) {
    points = next.map((point) => Array.from(point));
    planes.forEach((plane, i) => plane.show(points[i], networks?.[i]));
  }
  function choose(next) {
    set(next);
    onChange({ points });
  }
  function stroll(share) {
    walk.show(share);
    choose(planes.map((plane) => plane.between(...pairs[pair], share)));
  }
  const aim = () => planes.forEach((plane) => plane.walk(...pairs[pair]));

  const percent = (value) => `${Math.round(100 * value)} %`;
  const walk = makeRange({
    label: "Walk between two test images", min: 0, max: 1, step: 0.01, format: percent, onInput: stroll,
  });
  const normal = makeNormal(seed);
  const buttons = make("div", { class: "vae-row" },
    makeButton("Draw z from N(0, I)", () => {
      const z = [normal(), normal()];
      choose(points.map(() => z));
      frame.say(`Drawn: z = (${z.map(showNumber).join(", ")})`);
    }),
    makeButton("Another pair of images", () => {
      pair = (pair + 1) % pairs.length;
      aim();
      stroll(0);
      frame.say("Another pair: the walk begins again.");
    }));
  const frame = makeFrame({
    title, wide: true,
    parts: [make("div", { class: "vae-columns" }, ...planes.map((plane) => plane.node)), walk.node, buttons],
  });

  aim();
  walk.show(0);
  set(points);
  return {
    node: frame.node,
    start(bytes) {
      const found = networksOf(bytes);
      networks = names.map((_, i) => found[String(i)]);
      set(points);
    },
    update: (next) => set(next.points),
    destroy() {},
  };
}

explorables["code-planes"] = buildPlanes;
