// Complete the digit: some pixels are seen; one network's answer, and draws of a conditional VAE.

function buildCompletion({ options, state, onChange }) {
  const { title, latent, seen, images, costs, draws } = options;
  const isSeen = new Set(seen);
  const rest = Array.from({ length: SIDE * SIDE }, (_, i) => i).filter((i) => !isSeen.has(i));
  let { image, strokes } = state;
  let networks = null;
  let pen = null; // the stroke that is being drawn
  const normal = makeNormal(0);
  const newNoise = () => Array.from({ length: draws }, () => Array.from({ length: latent }, normal));
  let noise = newNoise();

  const screen = (caption) => {
    const canvas = make("canvas", {
      width: SIDE, height: SIDE, role: "img", class: "vae-picture",
      style: "width: 100%; height: auto; aspect-ratio: 1",
    });
    const context = canvas.getContext("2d", { alpha: false });
    return {
      canvas,
      node: make("div", { style: "flex: 1 1 4rem; max-width: 8rem" }, canvas,
        make("p", { "aria-hidden": "true", style: "text-align: center" }, caption)),
      show(x, words) {
        context.putImageData(fillGrey(context.createImageData(SIDE, SIDE), x), 0, 0);
        canvas.setAttribute("aria-label", words);
      },
    };
  };
  const [given, plain, truth] = ["seen", "network", "truth"].map(screen);
  const drawn = noise.map((_, i) => screen(`draw ${i + 1}`));
  given.canvas.style.cursor = "crosshair";
  given.canvas.style.touchAction = "none";

  const choice = makeChoice({
    label: "Show", options: ["my drawing", ...images.map((_, i) => `test image ${i + 1}`)],
    onInput: (i) => change({ image: i - 1 }),
  });
  const readout = makeReadout([
    { name: "network", label: "−log p(the true rest), network", series: 1, unit: "nats" },
    { name: "cvae", label: "conditional VAE", series: 2, unit: "nats" },
  ]);

  const whole = (c, t) => {
    const x = new Float64Array(SIDE * SIDE);
    seen.forEach((at, i) => { x[at] = c[i]; });
    rest.forEach((at, i) => { x[at] = t[i]; });
    return x;
  };

  function show() {
    const levels = image < 0 ? inkOf(strokes).map((v) => (v > 0.5 ? 1 : 0)) : images[image];
    const c = seen.map((at) => levels[at]);
    const what = image < 0 ? "your drawing" : `test image ${image + 1}`;
    choice.show(image + 1);
    given.show(whole(c, rest.map(() => 0.12)), `What is seen of ${what}; the rest is dark grey`);
    truth.show(image < 0 ? whole(c, rest.map(() => 0.12)) : levels,
      image < 0 ? "No truth for a drawing" : `The whole of ${what}`);
    readout.set(image < 0 ? { network: "none", cvae: "none" }
      : { network: costs[0][image], cvae: costs[1][image] });
    if (!networks) return;
    plain.show(whole(c, networks.network.run(c)), `The network's completion of ${what}`);
    const law = Array.from(networks.prior.run(c));
    const codes = noise.map((e) => e.map((v, j) => law[j] + Math.exp(law[latent + j] / 2) * v));
    codes.forEach((z, i) => {
      drawn[i].show(whole(c, networks.decoder.run([...z, ...c])), `Draw ${i + 1} of the conditional VAE`);
    });
    frame.node.dataset.codes = JSON.stringify(codes.map((z) => z.map((v) => Number(v.toFixed(5)))));
  }

  function change(next) {
    ({ image, strokes } = { image, strokes, ...next });
    show();
    onChange({ image, strokes });
  }

  const pointOf = ({ clientX, clientY }) => {
    const box = given.canvas.getBoundingClientRect();
    const at = (v, low, size) => Number((SIDE * (v - low) / size - 0.5).toFixed(2));
    return [at(clientX, box.left, box.width), at(clientY, box.top, box.height)];
  };
  given.canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    given.canvas.setPointerCapture(event.pointerId);
    pen = [pointOf(event)];
    change({ image: -1, strokes: [...(image < 0 ? strokes : []), pen] });
  });
  given.canvas.addEventListener("pointermove", (event) => {
    if (!pen || !given.canvas.hasPointerCapture(event.pointerId)) return;
    pen = [...pen, pointOf(event)];
    change({ strokes: [...strokes.slice(0, -1), pen] });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    given.canvas.addEventListener(end, () => { pen = null; });
  }

  const buttons = make("div", { class: "vae-row" }, choice.node,
    makeButton("Draw z again", () => { noise = newNoise(); show(); frame.say("Six new completions."); }),
    makeButton("Clear", () => { change({ image: -1, strokes: [] }); frame.say("The pad is empty."); }));
  const frame = makeFrame({ title, parts: [
    buttons,
    make("div", { class: "vae-row", style: "align-items: flex-start" }, given.node, plain.node, truth.node),
    make("div", { class: "vae-row", style: "align-items: flex-start" }, ...drawn.map((one) => one.node)),
    readout.node] });
  for (const one of [plain, ...drawn]) one.show(new Float32Array(SIDE * SIDE), "Not decoded yet");
  show();
  return {
    node: frame.node,
    start(bytes) { networks = networksOf(bytes); show(); },
    update(next) { ({ image, strokes } = next); show(); },
    destroy() {},
  };
}

explorables["complete-digit"] = buildCompletion;
