// Rate against distortion: models trained at several prices β, and what each of them makes.

/** A row of images on one canvas; paint(list of 784 means). */
function makeTradeoffStrip(count, label) {
  const canvas = make("canvas", {
    width: count * SIDE, height: SIDE, role: "img", class: "vae-picture",
    style: `width: 100%; max-width: ${count * 84}px; height: auto`,
  });
  const context = canvas.getContext("2d", { alpha: false });
  const picture = context.createImageData(SIDE, SIDE);
  const words = make("p", { "aria-hidden": "true" }, label);
  return {
    node: make("div", { style: "margin-bottom: 0.75rem" }, words, canvas),
    describe: (text) => canvas.setAttribute("aria-label", text),
    paint(images) {
      images.forEach((means, i) => context.putImageData(fillGrey(picture, means), i * SIDE, 0));
    },
  };
}

function buildTradeoff({ options, state, onChange }) {
  const { title, betas, rates, distortions, means, stds, x, seed } = options;
  const latent = means[0][0].length;
  const DRAWS = 4; // of the posterior
  const SAMPLES = 6; // of the prior
  let { at, image } = state;
  let networks = null;
  const normal = makeNormal(seed);
  let noise = null;
  const redraw = () => {
    noise = Array.from({ length: DRAWS + SAMPLES }, () => Array.from({ length: latent }, normal));
  };
  redraw();

  const most = 1.15 * Math.max(...rates);
  const plot = makePlot({
    x: [0, most], y: [0, 1.15 * Math.max(...distortions)],
    xLabel: "rate (nats)", yLabel: "distortion (nats)", label: "", height: 260,
  });
  plot.curve({ series: 1 }).set(rates, distortions);
  plot.dots({ series: 1, size: 7, name: "trained models" }).set(rates, distortions);
  const price = plot.curve({ series: 2, dashed: true, name: "slope −β: equal loss" });
  const bound = plot.curve({ series: 3, dashed: true, name: "slope −1: equal ELBO" });
  const dot = plot.dot({ series: 2, size: 13 });

  const slider = makeRange({
    label: "β", min: 0, max: betas.length - 1, step: 1,
    format: (i) => String(betas[i]), onInput: (i) => choose(i, image),
  });
  const choice = makeChoice({
    label: "Image", options: x.map((_, i) => `test image ${i + 1}`), onInput: (i) => choose(at, i),
  });
  const readout = makeReadout([
    { name: "rate", label: "Rate R", unit: "nats" },
    { name: "distortion", label: "Distortion Δ", unit: "nats" },
    { name: "loss", label: "Loss Δ + βR", series: 2, unit: "nats" },
    { name: "elbo", label: "−ELBO = Δ + R", series: 3, unit: "nats" },
  ]);
  const told = makeTradeoffStrip(2 + DRAWS, `Left to right: x; decoded mean of q; ${DRAWS} decoded draws of q`);
  const invented = makeTradeoffStrip(SAMPLES, "Decoded draws from the prior");
  const buttons = make("div", { class: "vae-row" }, choice.node, makeButton("New draws", () => {
    redraw();
    show();
    frame.say("New draws.");
  }));
  const frame = makeFrame({
    title, wide: true,
    parts: [
      slider.node, readout.node,
      make("div", { class: "vae-columns" }, plot.node, make("div", {}, told.node, invented.node)),
      buttons,
    ],
  });

  function show() {
    const [beta, rate, distortion] = [betas[at], rates[at], distortions[at]];
    slider.show(at);
    choice.show(image);
    readout.set({ rate, distortion, loss: distortion + beta * rate, elbo: distortion + rate });
    price.set([0, most], [0, most].map((r) => distortion + beta * (rate - r)));
    bound.set([0, most], [0, most].map((r) => distortion + rate - r));
    dot.set(rate, distortion);
    plot.describe(`Distortion against rate of ${betas.length} models. At β = ${betas[at]} the rate is `
      + `${showNumber(rate)} and the distortion ${showNumber(distortion)} nats`);
    told.describe(`Test image ${image + 1}, and six pictures of it by the model with β = ${beta}: `
      + "the image, the decoded posterior mean, four decoded posterior draws");
    invented.describe(`Six decoded draws from the prior, by the model with β = ${beta}`);
    if (!networks) return;
    const [mean, std] = [means[at][image], stds[at][image]];
    const decode = (z) => Float32Array.from(networks[at].run(z)); // run gives its buffer again
    const draws = noise.slice(0, DRAWS).map((e) => decode(mean.map((m, j) => m + std[j] * e[j])));
    told.paint([x[image].map((grey) => grey / 255), decode(mean), ...draws]);
    invented.paint(noise.slice(DRAWS).map(decode));
  }
  function choose(nextAt, nextImage) {
    [at, image] = [nextAt, nextImage];
    show();
    onChange({ at, image });
  }

  show();
  return {
    node: frame.node,
    start(bytes) {
      const found = networksOf(bytes);
      networks = betas.map((_, i) => found[String(i)]);
      show();
    },
    update(next) {
      ({ at, image } = next);
      show();
    },
    destroy() {},
  };
}

explorables["rate-distortion"] = buildTradeoff;
