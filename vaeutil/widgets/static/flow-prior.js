// The flow explorer: z, the flow's w, the image; and a sheet of draws from the prior.

const FLOW_RADII = [0.7585, 1.6651, 2.4477]; // they hold 25 %, 75 %, 95 % of N(0, I) in the plane

/** The two planes of a model with two latents: z with its circles, w with codes and rings. */
function makeFlowPlanes({ codes, rings, onMove }) {
  const turn = Array.from({ length: 97 }, (_, i) => (Math.PI * i) / 48);
  const bounds = (values, least) => {
    const all = values.concat(least);
    const [lo, hi] = [Math.min(...all), Math.max(...all)];
    return [lo - 0.06 * (hi - lo), hi + 0.06 * (hi - lo)];
  };
  const left = makePlot({
    x: [-3.2, 3.2], y: [-3.2, 3.2], xLabel: "z\u2081", yLabel: "z\u2082", label: "The plane of z", height: 300,
  });
  const right = makePlot({
    x: bounds(codes[0], rings.flatMap((ring) => ring[0])),
    y: bounds(codes[1], rings.flatMap((ring) => ring[1])),
    xLabel: "w\u2081", yLabel: "w\u2082", label: "The plane of w", height: 300,
  });
  right.dots({ series: 1, size: 3, name: "codes E(x) of test images" }).set(...codes);
  const name = "holds 25, 75, 95 % of the draws";
  FLOW_RADII.forEach((r, i) => {
    left.curve({ series: 2, name: i ? "" : name })
      .set(turn.map((a) => r * Math.cos(a)), turn.map((a) => r * Math.sin(a)));
    right.curve({ series: 2, name: i ? "" : name }).set(...rings[i]);
  });
  const sheet = [left, right].map((plot) => plot.dots({ series: 3, size: 7, name: "the draws below" }));
  const dots = [left, right].map((plot) => plot.dot({ series: 4, size: 14 }));
  left.onDrag((point) => onMove(point));
  return {
    node: make("div", { class: "vae-columns" }, left.node, right.node),
    show(z, w, draws) {
      [z, w].forEach((point, i) => dots[i].set(...point));
      sheet.forEach((dot, i) => dot.set(draws.map((d) => d[i][0]), draws.map((d) => d[i][1])));
      left.describe(`The plane of z; the point is at (${z.map(showNumber).join(", ")})`);
      right.describe(`The plane of w with ${codes[0].length} codes; the point is at (${w.map(showNumber).join(", ")})`);
    },
  };
}

function buildFlowPrior({ options, state, onChange }) {
  const { title, routes, codes, rings, draws, range, seed } = options;
  let { z, temperature, route } = state;
  z = Array.from(z);
  let parts = null;
  const normal = makeNormal(seed);
  const noise = (n) => Array.from({ length: n }, () => z.map(() => normal()));
  let sheet = noise(draws);

  const view = (style) => {
    const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", class: "vae-picture", style });
    const context = canvas.getContext("2d", { alpha: false });
    return { canvas, context, picture: context.createImageData(SIDE, SIDE) };
  };
  const one = view("");
  const many = sheet.map(() => view("width: 100%; height: auto; aspect-ratio: 1"));

  const choice = makeChoice({ label: "From z to w", options: routes, onInput: (i) => choose({ route: i }) });
  const heat = makeRange({
    label: "Temperature of the draws", min: 0, max: 1.5, step: 0.05, onInput: (v) => choose({ temperature: v }),
  });
  const sliders = z.map((_, i) => makeRange({
    label: symbol("z", i + 1), min: -range, max: range, step: 0.05, origin: 0,
    onInput: (v) => choose({ z: z.map((old, j) => (j === i ? v : old)) }),
  }));
  const planes = codes.length
    ? makeFlowPlanes({
      codes, rings, onMove: (point) => choose({ z: point.map((v) => clamp(toStep(v, 0.05), range)) }),
    })
    : null;
  const readout = makeReadout([
    { name: "w", label: ["w = "] }, { name: "logdet", label: "log |det ∂w/∂z| =", unit: "nats" },
  ]);

  const toCode = (point) => (route === 0 ? parts.flow.forward(point) : [point, 0]);
  function paint({ canvas, context, picture }, code, words) {
    context.putImageData(fillGrey(picture, parts.decoder.decode(code)), 0, 0);
    canvas.setAttribute("aria-label", `${words}, w = (${code.slice(0, 4).map(showNumber).join(", ")}${code.length > 4 ? ", …" : ""})`);
  }
  function show() {
    choice.show(route);
    heat.show(temperature);
    sliders.forEach((slider, i) => slider.show(z[i]));
    if (!parts) return;
    const [w, logDet] = toCode(z);
    paint(one, w, "The decoded image");
    const points = sheet.map((point) => point.map((v) => temperature * v));
    const drawn = points.map((point) => [point, toCode(point)[0]]);
    drawn.forEach(([, code], i) => paint(many[i], code, "A decoded draw"));
    readout.set({ w: `(${w.map(showNumber).join(", ")})`, logdet: logDet });
    planes?.show(z, w, drawn);
  }
  function set(next) {
    ({ z, temperature, route } = { z, temperature, route, ...next });
    z = Array.from(z);
    show();
  }
  function choose(next) {
    set(next);
    onChange({ z, temperature, route });
  }

  const buttons = make("div", { class: "vae-buttons" },
    makeButton("Random z", () => {
      choose({ z: z.map(() => toStep(normal(), 0.05)) });
      frame.say("A random z");
    }),
    makeButton("New draws", () => {
      sheet = noise(draws);
      show();
      frame.say(`${draws} new draws`);
    }));
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { class: "vae-controls" }, choice.node, heat.node), ...(planes ? [planes.node] : []),
      make("div", { class: "vae-body" }, make("div", { class: "vae-view" }, one.canvas, buttons),
        make("div", {}, make("div", { class: "vae-sliders" }, ...sliders.map((slider) => slider.node)), readout.node)),
      make("div", { style: "display: grid; gap: 4px; margin-top: 0.75rem; grid-template-columns: repeat(auto-fill, minmax(3.6rem, 1fr))" },
        ...many.map((each) => each.canvas)),
    ],
  });

  one.canvas.setAttribute("aria-label", "The decoded image");
  many.forEach(({ canvas }) => canvas.setAttribute("aria-label", "A decoded draw"));
  show();
  return {
    node: frame.node,
    start(bytes) {
      parts = networksOf(bytes);
      show();
    },
    update: set,
    destroy() {},
  };
}

explorables["flow-prior"] = buildFlowPrior;
