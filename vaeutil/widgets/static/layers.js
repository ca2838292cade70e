// A flow in the plane, layer by layer: a cloud, a point with a small patch about it, its density.

const CLOUD = 600;
const PATCH = 0.25; // radius of the patch, before the first layer

function buildLayers({ options, state, onChange }) {
  const { title, names, steps, outlines, reach, circle, seed } = options;
  let { flow, layer } = state;
  let z = Array.from(state.z);
  let flows = null;
  let stages = null; // stages[k]: the cloud after k layers

  const normal = makeNormal(seed);
  const cloud = Array.from({ length: CLOUD }, () => [normal(), normal()]);
  const inside = cloud.map(([x, y]) => Math.hypot(x, y) < circle);
  const turn = Array.from({ length: 61 }, (_, i) => (Math.PI * i) / 30);

  const plot = makePlot({
    x: [-reach, reach], y: [-reach, reach], xLabel: "first coordinate", yLabel: "second coordinate",
    label: "", height: 400,
  });
  const inner = plot.dots({ series: 1, size: 3.5, name: "inner half of the draws" });
  const outer = plot.dots({ series: 2, size: 3.5, name: "outer half" });
  const target = plot.curve({ series: 5, dashed: true, name: "90 % of the target" });
  const patch = plot.curve({ series: 4, name: "a small patch" });
  const dot = plot.dot({ series: 4, size: 12 });

  const longest = Math.max(...steps.map((all) => all.length));
  const choice = makeChoice({
    label: "Flow", options: names, onInput: (i) => choose({ flow: i, layer: Math.min(layer, steps[i].length) }),
  });
  const stepper = makeRange({
    label: "Layers passed", min: 0, max: longest, step: 1,
    format: (k) => `${k} of ${steps[flow].length}`,
    onInput: (k) => choose({ layer: Math.min(k, steps[flow].length) }),
  });
  const ranges = [0, 1].map((i) => makeRange({
    label: symbol("z", i + 1), min: -3, max: 3, step: 0.05, origin: 0,
    onInput: (v) => choose({ z: z.map((old, j) => (j === i ? v : old)) }),
  }));
  const bars = makeBars({ label: "The account of the point's log-density", min: -10, max: 3, unit: "nats" });
  const readout = makeReadout([
    { name: "own", label: "log|det| of this layer", unit: "nats" },
    { name: "area", label: "The patch's area has grown by", unit: "times" },
    { name: "density", label: "Density at the point" },
  ]);
  // The reader takes hold of the draw that is nearest to where she points.
  plot.onDrag((place) => {
    if (!stages) return;
    const away = stages[layer].map((p) => Math.hypot(p[0] - place[0], p[1] - place[1]));
    choose({ z: cloud[away.indexOf(Math.min(...away))] });
  });
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { class: "vae-row" }, ...(names.length > 1 ? [choice.node] : []),
        makeButton("Next layer", () => {
          choose({ layer: (layer + 1) % (steps[flow].length + 1) });
          frame.say(`${layer} of ${steps[flow].length} layers passed.`);
        })),
      stepper.node,
      make("div", { class: "vae-columns" }, plot.node,
        make("div", {}, ...ranges.map((range) => range.node), readout.node)),
      bars.node,
    ],
  });

  /** points after 0, 1, … layers, and the running sums of log|det|. */
  function through(point) {
    const path = [[point, 0]];
    for (const one of flows[flow].layers) {
      const [at, sum] = path[path.length - 1];
      const [next, logDet] = one.forward(at);
      path.push([next, sum + logDet]);
    }
    return path;
  }
  function send() {
    const paths = cloud.map(through);
    stages = steps[flow].map((_, k) => k).concat(steps[flow].length).map((k) => paths.map((p) => p[k][0]));
    const [xs, ys] = [[], []];
    for (const [x, y] of outlines[flow]) {
      xs.push(...x, NaN);
      ys.push(...y, NaN);
    }
    target.set(xs, ys);
  }

  function show() {
    choice.show(flow);
    stepper.show(layer);
    ranges.forEach((range, i) => range.show(z[i]));
    if (!flows) return;
    const half = (which) => stages[layer].filter((_, i) => inside[i] === which);
    for (const [dots, points] of [[inner, half(true)], [outer, half(false)]]) {
      dots.set(points.map((p) => p[0]), points.map((p) => p[1]));
    }
    const rim = turn.map((a) => through([z[0] + PATCH * Math.cos(a), z[1] + PATCH * Math.sin(a)])[layer][0]);
    patch.set(rim.map((p) => p[0]), rim.map((p) => p[1]));
    const path = through(z);
    const [at, sum] = path[layer];
    dot.set(...at);
    const start = -Math.log(2 * Math.PI) - 0.5 * (z[0] ** 2 + z[1] ** 2);
    bars.set([
      { label: "log q₀, before", value: start, series: 1 },
      { label: "−Σ log|det|", value: -sum, series: 2, from: start },
      { label: "log q, after", value: start - sum, series: 4 },
    ]);
    readout.set({
      own: layer ? sum - path[layer - 1][1] : 0, area: Math.exp(sum), density: Math.exp(start - sum).toFixed(4),
    });
    const kind = layer ? `, the last one ${steps[flow][layer - 1]}` : "";
    plot.describe(`${names[flow]}: ${CLOUD} draws after ${layer} of ${steps[flow].length} layers${kind}. `
      + `The point is at (${at.map(showNumber).join(", ")}), its log-density ${showNumber(start - sum)} nats`);
  }
  function take(next) {
    const other = next.flow !== undefined && next.flow !== flow;
    ({ flow, layer, z } = { flow, layer, z, ...next });
    layer = Math.min(layer, steps[flow].length);
    z = Array.from(z);
    if (other && flows) send();
    show();
  }
  function choose(next) {
    take(next);
    onChange({ flow, layer, z });
  }

  take({});
  return {
    node: frame.node,
    start(bytes) {
      const found = networksOf(bytes);
      flows = names.map((_, i) => found[String(i)]);
      send();
      show();
    },
    update: take,
    destroy() {},
  };
}

explorables["flow-layers"] = buildLayers;
