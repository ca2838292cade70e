// The loss laboratory: a program's squared error and KL, and the plain VAE with the same optimum.
// Exact for a linear VAE: s² = B / 2A, and a direction is told where its variance exceeds s².

function buildLossLab({ options, state: first, onChange }) {
  const { title, variances, codes, x, sizes, ranges, programs } = options;
  const count = variances.length;
  const places = variances.map((_, i) => i + 1);
  let state = { ...first };
  let sigma = state.noise || 0.3; // what the squared error is divided by when the reader says so
  let decoder = null;

  const digits = (most) => (v) => v.toLocaleString("en-GB", { maximumSignificantDigits: most });
  const [two, four] = [digits(2), digits(4)];
  const isProgram = ([, settings]) => Object.entries(settings).every(([k, v]) => state[k] === v);

  const program = makeChoice({
    label: "Program", options: [...programs.map(([name]) => name), "your own"],
    onInput(index) {
      if (programs[index]) choose(programs[index][1]);
      else show(); // it is her own as soon as she changes something
      frame.say(programs[index] ? formula.textContent : "Change any of the controls.");
    },
  });
  const either = (label, name, texts) => makeChoice({
    label, options: texts, onInput: (i) => choose({ [name]: i === 1 }),
  });
  const range = (label, name, more) => {
    const [min, max] = ranges[name];
    return makeRange({
      label, min, max, format: two, onInput: (v) => choose({ [name]: v }), ...more,
    });
  };
  const controls = {
    squares: makeChoice({
      label: "Squared error", options: ["(x − m)²", "(x − m)² / 2σ²"],
      onInput: (i) => choose({ noise: i ? sigma : 0 }),
    }),
    noise: range("σ", "noise", { log: true }),
    pixels_mean: either("Over the pixels", "pixels_mean", ["sum", "mean"]),
    size: makeChoice({
      label: "Image size", options: sizes.map(([name]) => name), onInput: (size) => choose({ size }),
    }),
    weight: range("weight ω of the KL", "weight", { log: true }),
    latent_mean: either("KL over the latents", "latent_mean", ["sum", "mean"]),
    latent: range("latents d", "latent", { step: 1, format: String }),
  };
  const image = makeChoice({
    label: "Image", options: x.map((_, i) => `test image ${i + 1}`), onInput: (i) => choose({ image: i }),
  });
  const formula = make("p", { style: "margin-bottom: 0.75rem; font-weight: 600" });
  const readout = makeReadout([
    { name: "beta", label: "Effective β, at the σ written, or σ = 1" },
    { name: "sigma", label: "Plain VAE with the same optimum:\u00a0σ", series: 2 },
    { name: "told", label: "Directions told", series: 1 },
    { name: "rate", label: "Rate", unit: "nats" },
  ]);

  const ends = [variances[count - 1] / 40, 400 * variances[0]];
  const plot = makePlot({
    x: [0.5, count + 0.5], y: ends, yLog: true, height: 230, label: "",
    xLabel: "direction j", yLabel: "variance at this size",
  });
  const alive = plot.dots({ series: 1, size: 8, name: "told" });
  const dead = plot.dots({ series: 4, size: 5, name: "not told" });
  const level = plot.rule({ axis: "y", series: 2, name: "level s² of the plain VAE" });
  const pictures = makeTradeoffStrip(2, "Left: x. Right: what the linear VAE tells of it");
  pictures.node.querySelector("canvas").style.maxWidth = "260px";
  const note = make("p", { style: "font-size: 0.9em" },
    `For a linear VAE with a latent for each of ${count} principal directions; d only divides a mean. `
    + "The same image drawn with D values has D/784 times the variance in each direction.");
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { style: "margin-bottom: 0.75rem" }, program.node),
      make("div", { class: "vae-controls", style: "row-gap: 0.4rem" }, ...Object.values(controls).map((c) => c.node)),
      formula, readout.node,
      make("div", { class: "vae-columns" }, plot.node,
        make("div", {}, pictures.node, make("div", { class: "vae-row" }, image.node), note)),
    ],
  });

  function showControls() {
    const [{ noise }, found] = [state, programs.findIndex(isProgram)];
    program.show(found < 0 ? programs.length : found);
    for (const name of ["size", "weight", "latent"]) controls[name].show(state[name]);
    for (const name of ["pixels_mean", "latent_mean"]) controls[name].show(Number(state[name]));
    controls.squares.show(noise ? 1 : 0);
    controls.noise.show(noise || sigma);
    controls.noise.node.style.display = noise ? "" : "none";
    // How many latents there are matters only to a mean over them.
    controls.latent.node.querySelector("input").disabled = !state.latent_mean;
    image.show(state.image);
  }
  function write(values, [size]) {
    const { pixels_mean: mean, noise, weight, latent_mean: over, latent } = state;
    const what = size.startsWith("3") ? "values" : "pixels";
    const square = noise ? `(x − m)² / (2 · ${two(noise)}²)` : "(x − m)²";
    formula.textContent = `loss = ${mean ? "mean" : "sum"} over ${values} ${what} of ${square} + `
      + `${weight === 1 ? "" : `${two(weight)} · `}KL ${over ? "averaged" : "summed"} over `
      + `${latent} latent${latent === 1 ? "" : "s"}`;
  }

  function show() {
    const { pixels_mean: mean, noise, weight, latent_mean: over, latent } = state;
    const values = sizes[state.size][1];
    const A = (noise ? 1 / (2 * noise ** 2) : 1) / (mean ? values : 1);
    const B = weight / (over ? latent : 1);
    const water = B / (2 * A); // s²
    const grown = variances.map((v) => (v * values) / 784);
    const told = grown.filter((v) => v > water).length;
    const rate = grown.reduce((sum, v) => sum + Math.max(0, 0.5 * Math.log(v / water)), 0);

    showControls();
    write(values.toLocaleString("en-GB"), sizes[state.size]);
    readout.set({
      beta: four(water / (noise || 1) ** 2), sigma: four(Math.sqrt(water)), told: `${told} of ${count}`, rate,
    });
    plot.setY(Math.min(ends[0], water / 3), Math.max(ends[1], water * 3));
    alive.set(places.slice(0, told), grown.slice(0, told));
    dead.set(places.slice(told), grown.slice(told));
    level.set(water);
    plot.describe(`Variances of ${count} directions, falling; ${told} lie above the level ${four(water)}`);
    pictures.describe(`Test image ${state.image + 1}, and what the linear VAE tells of it: `
      + (told ? `the mean image and ${told} of ${count} directions` : "nothing, it shows the mean image"));
    if (!decoder) return;
    const code = codes[state.image].map((c, j) => c * Math.max(0, 1 - water / grown[j]));
    pictures.paint([x[state.image].map((grey) => grey / 255), decoder.run(code)]);
  }
  function choose(changes) {
    state = { ...state, ...changes };
    sigma = state.noise || sigma;
    show();
    onChange(state);
  }

  show();
  return {
    node: frame.node,
    start(bytes) {
      decoder = networksOf(bytes).decoder;
      show();
    },
    update(next) {
      state = { ...next };
      sigma = state.noise || sigma;
      show();
    },
    destroy() {},
  };
}

explorables["loss-lab"] = buildLossLab;
