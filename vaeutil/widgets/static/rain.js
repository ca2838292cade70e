// Points that fall on a square, the estimate of π that they give, and its error.

/** n numbers in [0, 1) of a sequence, as rain.py makes them: mulberry32. */
function rainUniforms(run, n) {
  let state = Math.imul(run, 0x9e3779b1) >>> 0;
  return Float64Array.from({ length: n }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  });
}

const rainCount = (n) => Math.round(n).toLocaleString("en-GB");

function buildRain({ options, state, onChange }) {
  const { title, most, runs } = options;
  const first = state.n;
  const size = 300;
  let { n, run } = state;
  let points = null; // u, v, u, v, …
  let inside = null; // inside[i]: how many of the first i points
  let drawn = 0;
  let falling = 0;

  const canvas = make("canvas", {
    width: 2 * size, height: 2 * size, role: "img",
    style: "width: 100%; max-width: 300px; aspect-ratio: 1; display: block; border: 1px solid var(--vae-line)",
  });
  const brush = canvas.getContext("2d");
  const chart = makePlot({
    x: [1, most], y: [1e-4, 3], xLog: true, yLog: true, height: 260, label: "",
    xLabel: "points n", yLabel: "distance from π",
  });
  const expected = chart.curve({ series: 2, dashed: true, name: "standard error, √(π(4−π)/n)" });
  const path = chart.curve({ series: 1, name: "error of this run" });
  const now = chart.dot({ series: 1 });

  const slider = makeRange({
    label: "Points n", min: 1, max: most, log: true, format: rainCount,
    onInput: (v) => { stop(); choose({ n: Math.round(v) }); },
  });
  const choice = makeChoice({
    label: "Run", options: Array.from({ length: runs }, (_, i) => `${i + 1}`),
    onInput: (i) => choose({ run: i + 1 }),
  });
  const fall = makeButton("Let them fall", () => (falling ? stop() : start()));
  const readout = makeReadout([
    { name: "inside", label: "inside" },
    { name: "estimate", label: "estimate of π", series: 1 },
    { name: "error", label: "error" },
    { name: "se", label: "standard error", series: 2 },
  ]);
  const frame = makeFrame({
    title,
    parts: [
      make("div", { class: "vae-controls" }, slider.node),
      make("div", { class: "vae-row" }, fall,
        makeButton("Start again", () => { stop(); choose({ n: first }); frame.say(told()); }), choice.node),
      readout.node,
      make("div", { class: "vae-columns" }, canvas, chart.node),
    ],
  });

  const estimate = (i) => (4 * inside[i]) / i;
  const told = () => `${rainCount(n)} points, ${rainCount(inside[n])} inside: π is about ${estimate(n).toFixed(4)}`;

  function throwAll() {
    points = rainUniforms(run, 2 * most);
    inside = new Uint32Array(most + 1);
    for (let i = 0; i < most; i++) {
      inside[i + 1] = inside[i] + (points[2 * i] ** 2 + points[2 * i + 1] ** 2 <= 1 ? 1 : 0);
    }
    drawn = 0;
  }
  function paint() {
    const side = canvas.width;
    if (drawn > n || drawn === 0) {
      drawn = 0;
      brush.clearRect(0, 0, side, side);
    }
    const dot = n > 20_000 ? 1.5 : n > 2_000 ? 3 : 6;
    for (let i = drawn; i < n; i++) {
      brush.fillStyle = inside[i + 1] > inside[i] ? "#2f7ed8" : "#d9661f";
      brush.fillRect(points[2 * i] * side - dot / 2, (1 - points[2 * i + 1]) * side - dot / 2, dot, dot);
    }
    drawn = n;
    brush.strokeStyle = "#7f7f7f";
    brush.lineWidth = 3;
    brush.beginPath();
    brush.arc(0, side, side, -Math.PI / 2, 0);
    brush.stroke();
  }
  function show() {
    paint();
    const at = [];
    for (let i = 1; i < n; i = Math.max(i + 1, Math.floor(i * 1.02))) at.push(i);
    at.push(n);
    const se = (i) => Math.sqrt(Math.PI * (4 - Math.PI) / i);
    path.set(at, at.map((i) => Math.abs(estimate(i) - Math.PI)));
    expected.set([1, most], [se(1), se(most)]);
    const error = Math.abs(estimate(n) - Math.PI);
    now.set(n, error);
    slider.show(n);
    choice.show(run - 1);
    readout.set({
      inside: `${rainCount(inside[n])} of ${rainCount(n)}`, estimate: estimate(n).toFixed(5),
      error: error.toFixed(5), se: se(n).toFixed(5),
    });
    canvas.setAttribute("aria-label", `A square with a quarter disc. ${told()}`);
    chart.describe(`Error against the number of points, both logarithmic: at ${rainCount(n)} points ${error.toFixed(5)}, `
      + `where the standard error is ${se(n).toFixed(5)}`);
  }
  function set(next) {
    const other = next.run !== run;
    ({ n, run } = next);
    if (other) throwAll();
    show();
  }
  function choose(next) {
    set({ n, run, ...next });
    onChange({ n, run });
  }
  function start() {
    if (n >= most) choose({ n: first });
    fall.textContent = "Pause";
    const step = () => {
      choose({ n: Math.min(most, n + Math.max(1, Math.floor(n / 40))) });
      falling = n < most ? requestAnimationFrame(step) : 0;
      if (!falling) stop();
    };
    falling = requestAnimationFrame(step);
  }
  function stop() {
    if (falling) cancelAnimationFrame(falling);
    falling = 0;
    if (fall.textContent === "Pause") frame.say(told());
    fall.textContent = "Let them fall";
  }

  throwAll();
  show();
  return { node: frame.node, start() {}, update: set, destroy: stop };
}

explorables["pi-rain"] = buildRain;
