// Draw a digit: its pixels as a VAE sees them, its posterior, a draw from it, what they decode to.

function buildDraw({ options, state, onChange }) {
  const { latent, names, thresholds, title } = options;
  const images = Uint8Array.from(atob(options.digits), (c) => c.charCodeAt(0));
  let { strokes, digit } = state;
  let networks = null;
  let pen = null; // the stroke that is being drawn
  const normal = makeNormal(0);
  let noise = Array.from({ length: latent }, normal);

  const screen = (text) => {
    const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", class: "vae-picture" });
    return { canvas, text, node: make("figure", {}, canvas, make("figcaption", {}, text)) };
  };
  const pad = make("canvas", { width: SIDE, height: SIDE, role: "img", class: "vae-picture vae-pad-ink" });
  const [seen, mean, drawn] = ["what the encoder sees", "decoded mean", "decoded draw"].map(screen);
  const paint = (canvas, levels, label) => {
    const context = canvas.getContext("2d", { alpha: false });
    context.putImageData(fillGrey(context.createImageData(SIDE, SIDE), levels), 0, 0);
    canvas.setAttribute("aria-label", label);
  };

  const percent = (v) => 50 + 12.5 * Math.min(4, Math.max(-4, v));
  const rows = Array.from({ length: latent }, (_, j) => {
    const band = make("span", { class: "vae-draw-prior" });
    const bar = make("span", { class: "vae-draw-bar vae-series-1" });
    const dot = make("span", { class: "vae-draw-dot" });
    const value = make("span", { class: "vae-draw-value" });
    return { bar, dot, value, node: make("div", { class: "vae-draw-row" },
      make("span", {}, ...symbol("z", j + 1)),
      make("span", { class: "vae-draw-track", "aria-hidden": "true" }, band, bar, dot), value) };
  });
  const numbers = makeReadout([
    { name: "kl", label: "KL to the prior", unit: "nats" },
    { name: "reconstruction", label: "reconstruction, at this draw", unit: "nats" },
    { name: "loss", label: "their sum, a draw of −ELBO", unit: "nats" },
  ]);

  function show() {
    const grey = digit < 0 ? rasterise(strokes) : images.subarray(784 * digit, 784 * (digit + 1));
    const x = Float32Array.from(grey, (level, i) => (level > thresholds[i] ? 1 : 0));
    const what = digit < 0 ? "your drawing" : names[digit];
    paint(pad, (digit < 0 ? inkOf(strokes) : [...grey].map((level) => level / 255)),
      `Drawing pad with ${strokes.length || digit >= 0 ? what : "nothing on it"}`);
    paint(seen.canvas, x, `${what}, centred, each pixel on or off`);
    choice.show(digit + 1);
    if (!networks) return;
    const code = Array.from(networks.encoder.run(x));
    const sd = code.slice(latent).map((logVariance) => Math.exp(logVariance / 2));
    const z = sd.map((s, j) => code[j] + s * noise[j]);
    const logits = (at) => networks.decoder.run(at);
    const sigmoid = (a) => 1 / (1 + Math.exp(-a));
    paint(mean.canvas, logits(code.slice(0, latent)).map(sigmoid), `${what}, the mean code decoded`);
    const a = logits(z);
    let [kl, lost] = [0, 0];
    a.forEach((v, i) => { lost += Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))) - x[i] * v; });
    paint(drawn.canvas, a.map(sigmoid), `${what}, a drawn code decoded`);
    rows.forEach(({ bar, dot, value }, j) => {
      kl += 0.5 * (code[j] ** 2 + sd[j] ** 2 - 1) - Math.log(sd[j]);
      bar.style.left = `${percent(code[j] - 2 * sd[j])}%`;
      bar.style.width = `${percent(code[j] + 2 * sd[j]) - percent(code[j] - 2 * sd[j])}%`;
      dot.style.left = `${percent(z[j])}%`;
      value.textContent = `${showNumber(code[j])} ± ${showNumber(sd[j])}`;
    });
    numbers.set({ kl, reconstruction: lost, loss: kl + lost });
    frame.node.dataset.z = JSON.stringify(z.map((v) => Number(v.toFixed(5))));
  }
  function change(next) {
    ({ strokes, digit } = { strokes, digit, ...next });
    show();
    onChange({ strokes, digit });
  }

  const pointOf = ({ clientX, clientY }) => {
    const box = pad.getBoundingClientRect();
    const at = (v, low, size) => Number((SIDE * (v - low) / size - 0.5).toFixed(2));
    return [at(clientX, box.left, box.width), at(clientY, box.top, box.height)];
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pad.setPointerCapture(event.pointerId);
    pen = [pointOf(event)];
    change({ strokes: [...(digit < 0 ? strokes : []), pen], digit: -1 });
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pen || !pad.hasPointerCapture(event.pointerId)) return;
    const point = pointOf(event);
    if (Math.hypot(point[0] - pen.at(-1)[0], point[1] - pen.at(-1)[1]) < 0.4) return;
    pen = [...pen, point];
    change({ strokes: [...strokes.slice(0, -1), pen] });
  });
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => { pen = null; });

  const choice = makeChoice({
    label: "Show", options: ["my drawing", ...names], onInput: (i) => change({ digit: i - 1 }) });
  const buttons = make("div", { class: "vae-buttons" }, choice.node,
    makeButton("Clear", () => { change({ strokes: [], digit: -1 }); frame.say("The pad is empty."); }),
    makeButton("Draw z again", () => {
      noise = noise.map(normal);
      show();
      frame.say(`A new draw: −ELBO ${frame.node.querySelector("[data-value=loss]").textContent} nats`);
    }));
  const frame = makeFrame({ title, parts: [
    make("div", { class: "vae-draw" },
      make("div", {}, pad, make("p", { class: "vae-hint" }, "Draw here, with mouse, pen or finger."), buttons),
      make("div", { class: "vae-draw-screens" }, seen.node, mean.node, drawn.node),
      make("div", { class: "vae-draw-rows" }, ...rows.map((row) => row.node)), numbers.node)] });
  show();
  return {
    node: frame.node,
    start(bytes) { networks = networksOf(bytes); show(); },
    update(next) { ({ strokes, digit } = next); show(); },
    destroy() {},
  };
}

explorables["draw-digit"] = buildDraw;
