// One Gaussian for a target with two humps: both divergences, and the descent of either.

const HUMPS_REACH = 6;
const HUMPS_PACE = 0.15; // of a step of natural gradient descent
const HUMPS_FRAME_MS = 30;

function buildHumps({ options, state, onChange }) {
  const { title, std, means, stds } = options;
  let { distance, weight, q } = state;
  let timer = 0;
  const xs = Array.from({ length: 481 }, (_, i) => -HUMPS_REACH + i * (2 * HUMPS_REACH / 480));
  const noise = Array.from({ length: 281 }, (_, i) => -7 + i * 0.05); // of a standard normal
  const mass = noise.map((e) => (0.05 * Math.exp(-0.5 * e * e)) / Math.sqrt(2 * Math.PI));

  /** The target's log-density and its slope. */
  function target(x) {
    const left = Math.log(1 - weight) + bellLogDensity(x, [-distance / 2, std]);
    const right = Math.log(weight) + bellLogDensity(x, [distance / 2, std]);
    const top = Math.max(left, right);
    const log = top + Math.log(Math.exp(left - top) + Math.exp(right - top));
    const share = Math.exp(right - log);
    return [log, ((1 - share) * (-distance / 2 - x) + share * (distance / 2 - x)) / std ** 2];
  }
  const centre = () => (weight - 0.5) * distance;
  const variance = () => std ** 2 + weight * (1 - weight) * distance ** 2;
  /** −H(p), by quadrature over both humps' own noise. */
  const negentropy = () => [[1 - weight, -distance / 2], [weight, distance / 2]].reduce((sum, [w, at]) => (
    sum + w * noise.reduce((part, e, i) => part + mass[i] * target(at + std * e)[0], 0)), 0);
  const forward = ([m, s], known) => known + 0.5 * Math.log(2 * Math.PI * s * s)
    + (variance() + (centre() - m) ** 2) / (2 * s * s);
  const reverse = ([m, s]) => noise.reduce((sum, e, i) => (
    sum + mass[i] * (bellLogDensity(m + s * e, [m, s]) - target(m + s * e)[0])), 0);

  /** One step down: the gradient in (m, log s), each divided by its curvature. */
  function step(kind, [m, s]) {
    let [byMean, byScale] = [(m - centre()) / s ** 2, 1 - (variance() + (m - centre()) ** 2) / s ** 2];
    if (kind === "reverse") {
      [byMean, byScale] = [0, -1];
      noise.forEach((e, i) => {
        const slope = target(m + s * e)[1];
        byMean -= mass[i] * slope;
        byScale -= mass[i] * slope * s * e;
      });
    }
    const scale = Math.exp(clamp(-HUMPS_PACE * 0.5 * byScale, 0.2));
    return [
      clamp(m + clamp(-HUMPS_PACE * s * s * byMean, 0.25), means[1]),
      Math.min(stds[1], Math.max(stds[0], s * scale)),
    ];
  }

  const densities = makePlot({
    x: [-HUMPS_REACH, HUMPS_REACH], y: [0, 1], xLabel: "x", yLabel: "density", label: "", height: 220,
  });
  const ground = densities.curve({ series: 1, fill: true, name: "target p" });
  const bell = densities.curve({ series: 2, name: "q" });
  densities.onDrag(([x]) => choose({ q: [clamp(x, means[1]), q[1]] }));
  const valleys = makePlot({
    x: [-HUMPS_REACH, HUMPS_REACH], y: [0, 8], xLabel: "mean of q, its std as it is", yLabel: "nats", label: "", height: 220,
  });
  const lines = [
    valleys.curve({ series: 3, name: "forward, D(p ‖ q)" }),
    valleys.curve({ series: 4, dashed: true, name: "reverse, D(q ‖ p)" }),
  ];
  const dots = [valleys.dot({ series: 3 }), valleys.dot({ series: 4 })];
  const sliders = {
    distance: makeRange({ label: "distance of the humps", min: 0, max: 6, step: 0.1, onInput: (v) => choose({ distance: v }) }),
    weight: makeRange({ label: "weight of the right one", min: 0.1, max: 0.9, step: 0.05, onInput: (v) => choose({ weight: v }) }),
    m: makeRange({ label: "mean of q", min: means[0], max: means[1], step: 0.05, origin: 0, onInput: (v) => choose({ q: [v, q[1]] }) }),
    s: makeRange({ label: "std of q", min: stds[0], max: stds[1], step: 0.05, onInput: (v) => choose({ q: [q[0], v] }) }),
  };
  const readout = makeReadout([
    { name: "forward", label: "forward, D(p ‖ q)", series: 3, unit: "nats" },
    { name: "reverse", label: "reverse, D(q ‖ p)", series: 4, unit: "nats" },
  ]);
  const frame = makeFrame({
    title,
    parts: [
      make("div", { class: "vae-controls" }, ...Object.values(sliders).map((s) => s.node)),
      readout.node,
      make("div", { class: "vae-columns" }, densities.node, valleys.node),
      make("div", { class: "vae-row" },
        makeButton("Descend the forward KL", () => descend("forward")),
        makeButton("Descend the reverse KL", () => descend("reverse"))),
    ],
  });

  function descend(kind) {
    clearTimeout(timer);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let left = 400;
    const walk = () => {
      let moved = 1;
      for (let i = 0; moved > 1e-6 && left > 0 && (i < 2 || calm); i++, left--) {
        const next = step(kind, q);
        moved = Math.abs(next[0] - q[0]) + Math.abs(next[1] - q[1]);
        q = next;
      }
      const ended = moved <= 1e-6 || left <= 0;
      timer = ended ? 0 : setTimeout(walk, HUMPS_FRAME_MS);
      show();
      onChange({ distance, weight, q });
      if (ended) frame.say(`The ${kind} KL is at rest at mean ${showNumber(q[0])}, standard deviation ${showNumber(q[1])}.`);
    };
    walk();
  }

  function show() {
    const known = negentropy();
    const both = { forward: forward(q, known), reverse: reverse(q) };
    for (const [name, value] of Object.entries({ distance, weight, m: q[0], s: q[1] })) sliders[name].show(value);
    ground.set(xs, xs.map((x) => Math.exp(target(x)[0])));
    bell.set(xs, xs.map((x) => Math.exp(bellLogDensity(x, q))));
    densities.setY(0, roundUp(Math.max(0.8, 0.42 / q[1])));
    const places = xs.filter((_, i) => i % 6 === 0);
    lines[0].set(places, places.map((m) => forward([m, q[1]], known)));
    lines[1].set(places, places.map((m) => reverse([m, q[1]])));
    dots[0].set(q[0], both.forward);
    dots[1].set(q[0], both.reverse);
    readout.set(both);
    const here = `mean ${showNumber(q[0])}, standard deviation ${showNumber(q[1])}`;
    densities.describe(`The target p, two humps ${showNumber(distance)} apart, and q, ${here}`);
    valleys.describe(`Both divergences against the mean of q. Here, at ${here}, the forward one is `
      + `${showNumber(both.forward)} and the reverse one ${showNumber(both.reverse)} nats`);
  }
  function choose(next) {
    clearTimeout(timer);
    ({ distance, weight, q } = { distance, weight, q, ...next });
    show();
    onChange({ distance, weight, q });
  }

  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      clearTimeout(timer);
      ({ distance, weight, q } = next);
      show();
    },
    destroy: () => clearTimeout(timer),
  };
}

explorables["gaussian-fit"] = buildHumps;
