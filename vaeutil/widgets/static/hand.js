// One hand, ten digits: a code z decoded in every class at once.

function buildHand({ options, state, onChange }) {
  const { title, range, step, classes, images, labels, codes, seed } = options;
  let { z, y, hand } = state;
  let decoder = null;

  const screen = (caption) => {
    const canvas = make("canvas", {
      width: SIDE, height: SIDE, role: "img", class: "vae-picture",
      style: "width: 100%; height: auto; aspect-ratio: 1",
    });
    const context = canvas.getContext("2d", { alpha: false });
    const text = make("p", { "aria-hidden": "true" }, caption);
    return {
      node: make("div", { style: "flex: 0 1 9rem" }, canvas, text),
      show(x, words) {
        context.putImageData(fillGrey(context.createImageData(SIDE, SIDE), x), 0, 0);
        canvas.setAttribute("aria-label", words);
        text.textContent = words;
      },
    };
  };
  const [original, large] = [screen("the hand"), screen("the class")];

  const strip = make("canvas", {
    width: classes * SIDE, height: SIDE, role: "img", class: "vae-picture",
    style: `width: 100%; height: auto; aspect-ratio: ${classes}; cursor: pointer`,
    "aria-label": `The same code in the classes 0 to ${classes - 1}, side by side`,
  });
  const paper = strip.getContext("2d", { alpha: false });
  const tile = paper.createImageData(SIDE, SIDE);
  strip.addEventListener("click", (event) => {
    const box = strip.getBoundingClientRect();
    const at = Math.floor((classes * (event.clientX - box.left)) / box.width);
    choose({ y: Math.min(classes - 1, Math.max(0, at)) });
  });
  const digit = (i) => make("span", { style: "flex: 1; text-align: center" }, String(i));
  const marks = Array.from({ length: classes }, (_, i) => digit(i));

  const source = makeChoice({
    label: "Hand of", options: labels.map((label, i) => `image ${i + 1}, a ${label}`),
    onInput: (i) => choose({ hand: i, z: codes[i], y: labels[i] }),
  });
  const label = makeChoice({
    label: "Class", options: marks.map((_, i) => String(i)), onInput: (i) => choose({ y: i }),
  });
  const sliders = z.map((_, j) => makeRange({
    label: symbol("z", j + 1), min: -range, max: range, step, origin: 0,
    onInput: (value) => choose({ z: z.map((old, i) => (i === j ? value : old)) }),
  }));

  function show() {
    source.show(hand);
    label.show(y);
    sliders.forEach((slider, j) => slider.show(z[j]));
    marks.forEach((mark, i) => { mark.style.fontWeight = i === y ? "700" : "400"; });
    original.show(images[hand].map((v) => v / 255), `test image ${hand + 1}, a ${labels[hand]}`);
    if (!decoder) return;
    for (let i = 0; i < classes; i++) {
      paper.putImageData(fillGrey(tile, decoder.decode(z, i)), i * SIDE, 0);
    }
    large.show(decoder.decode(z, y), `z as a ${y}`);
    node.dataset.shown = "true";
  }

  function choose(change) {
    ({ z, y, hand } = { z, y, hand, ...change });
    z = Array.from(z);
    show();
    onChange({ z, y, hand });
  }

  const normal = makeNormal(seed);
  const buttons = make("div", { class: "vae-row" }, source.node, label.node,
    makeButton("Random z", () => {
      choose({ z: z.map(() => clamp(toStep(normal(), step), range)) });
      frame.say(`Random draw: z = (${z.map(showNumber).join(", ")})`);
    }),
    makeButton("Back to the hand", () => {
      choose({ z: codes[hand] });
      frame.say(`z is that of image ${hand + 1} again.`);
    }));
  const node = make("div", {}, buttons,
    make("div", { class: "vae-row", style: "align-items: flex-start" }, original.node, large.node),
    strip,
    make("div", { style: "display: flex; margin-bottom: 0.75rem", "aria-hidden": "true" }, ...marks),
    make("div", { class: "vae-sliders" }, ...sliders.map((slider) => slider.node)));
  const frame = makeFrame({ title, parts: [node] });

  large.show(new Float32Array(SIDE * SIDE), `z as a ${y}`);
  show();
  return {
    node: frame.node,
    start(bytes) {
      decoder = decoderOf(bytes);
      show();
    },
    update(next) {
      ({ z, y, hand } = next);
      show();
    },
    destroy() {},
  };
}

explorables["one-hand"] = buildHand;
