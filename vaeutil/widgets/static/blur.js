// The blur explorer: an image, its decoded mean and a draw; the σ of training, the σ in use.

function buildBlur({ options, state, onChange }) {
  const { names, own, images, codes, range: [lowest, highest], title, seed } = options;
  let { trained, image, sigma } = state;
  let networks = null;
  let normal = makeNormal(seed);
  let noise = Float64Array.from({ length: SIDE * SIDE }, () => normal());

  /** The sum of squared differences of neighbouring pixels. */
  const energy = (x) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) {
      if ((i + 1) % SIDE) sum += (x[i + 1] - x[i]) ** 2;
      if (i + SIDE < x.length) sum += (x[i + SIDE] - x[i]) ** 2;
    }
    return sum;
  };
  const nats = (squares, s) => squares / (2 * s * s) + (SIDE * SIDE / 2) * Math.log(2 * Math.PI * s * s);

  const views = ["image", "mean", "draw"].map((name) => {
    const canvas = make("canvas", {
      width: SIDE, height: SIDE, role: "img", class: "vae-picture",
      style: "width: 100%; height: auto; aspect-ratio: 1",
    });
    const context = canvas.getContext("2d", { alpha: false });
    const picture = context.createImageData(SIDE, SIDE);
    return {
      node: make("div", { style: "flex: 1 1 5rem; max-width: 11rem" },
        make("p", { "aria-hidden": "true" }, name), canvas),
      show(x, words) {
        context.putImageData(fillGrey(picture, x), 0, 0);
        canvas.setAttribute("aria-label", words);
      },
    };
  });

  const model = makeChoice({
    label: "Trained with", options: names,
    onInput: (i) => choose({ trained: i, sigma: Math.min(highest, Math.max(lowest, own[i])) }),
  });
  const digit = makeChoice({
    label: "Image", options: images.map((_, i) => String(i + 1)), onInput: (i) => choose({ image: i }),
  });
  const slider = makeRange({
    label: "σ in use", min: lowest, max: highest, log: true, format: (v) => v.toFixed(3),
    onInput: (v) => choose({ sigma: v }),
  });
  const plot = makePlot({
    x: [lowest, highest], y: [-1000, 1200], xLog: true, xLabel: "σ in use (grey levels)",
    yLabel: "−log p(x | z), nats", label: "Cost of the image by the σ in use",
  });
  const curve = plot.curve({ series: 1, name: "cost of this image" });
  const best = plot.rule({ series: 3, dashed: true, name: "root mean squared error" });
  const here = plot.dot({ series: 2, name: "σ in use" });
  const readout = makeReadout([
    { name: "cost", label: "−log p(x | z)", series: 2, unit: "nats" },
    { name: "best", label: "root mean squared error", series: 3 },
    { name: "real", label: "gradient energy of the image" },
    { name: "soft", label: "of the mean" },
    { name: "rough", label: "of the draw" },
  ]);
  const grid = Array.from({ length: 101 }, (_, i) => lowest * (highest / lowest) ** (i / 100));

  function show() {
    model.show(trained);
    digit.show(image);
    slider.show(sigma);
    if (!networks) return;
    const x = Float64Array.from(images[image], (v) => v / 255);
    const mean = Float64Array.from(networks[trained].decode(codes[trained][image]));
    const draw = mean.map((m, i) => m + sigma * noise[i]);
    const squares = x.reduce((sum, v, i) => sum + (v - mean[i]) ** 2, 0);
    const error = Math.sqrt(squares / x.length);
    const cost = nats(squares, sigma);
    views[0].show(x, `Test image ${image + 1}`);
    views[1].show(mean, `The decoder's mean for it, trained with ${names[trained]}`);
    views[2].show(draw, `One draw around that mean, σ = ${sigma.toFixed(3)}`);
    curve.set(grid, grid.map((s) => nats(squares, s)));
    best.set(error);
    here.set(sigma, cost);
    readout.set({
      cost, best: error.toFixed(3), real: energy(x), soft: energy(mean), rough: energy(draw),
    });
    plot.describe(`Cost of image ${image + 1} by the σ in use: least at ${error.toFixed(3)}; at `
      + `${sigma.toFixed(3)} it is ${showNumber(cost)} nats`);
  }

  function choose(change) {
    ({ trained, image, sigma } = { trained, image, sigma, ...change });
    show();
    onChange({ trained, image, sigma });
  }

  const buttons = make("div", { class: "vae-row" }, model.node, digit.node,
    makeButton("Draw again", () => {
      noise = noise.map(() => normal());
      show();
      frame.say("A new draw.");
    }),
    makeButton("σ to the error", () => {
      const x = Float64Array.from(images[image], (v) => v / 255);
      const mean = networks[trained].decode(codes[trained][image]);
      const squares = x.reduce((sum, v, i) => sum + (v - mean[i]) ** 2, 0);
      choose({ sigma: Math.min(highest, Math.max(lowest, Math.sqrt(squares / x.length))) });
      frame.say(`σ in use is ${sigma.toFixed(3)}`);
    }));
  const frame = makeFrame({
    title,
    parts: [
      buttons, make("div", { class: "vae-row" }, ...views.map((view) => view.node)),
      make("div", { class: "vae-controls" }, slider.node), readout.node, plot.node,
    ],
  });

  show();
  return {
    node: frame.node,
    start(bytes) {
      networks = networksOf(bytes);
      show();
    },
    update(next) {
      ({ trained, image, sigma } = next);
      show();
    },
    destroy() {},
  };
}

explorables["blur-explorer"] = buildBlur;
