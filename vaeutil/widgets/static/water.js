// The water level: which directions a linear β-VAE codes. Reverse water-filling, in closed form.

function buildWater({ options, state, onChange }) {
  const { title, variances } = options;
  const count = variances.length;
  const places = variances.map((_, i) => i + 1);
  let { beta, sigma } = state;

  const least = Math.min(variances[count - 1], options.beta[0] * options.sigma[0] ** 2) / 2;
  const most = 3 * variances[0];
  const above = makePlot({
    x: [0.5, count + 0.5], y: [least, most], yLog: true, height: 230,
    xLabel: "direction", yLabel: "variance", label: "",
  });
  above.dots({ series: 1, size: 8, name: "variance of the data" }).set(places, variances);
  const level = above.rule({ axis: "y", series: 2, name: "water level βσ²" });
  const stems = above.curve({ series: 1, name: "what is coded" });
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const rateAt = (water) => sum(variances.map((v) => Math.max(0, 0.5 * Math.log(v / water))));
  const errorAt = (water) => sum(variances.map((v) => Math.min(v, water)));

  const levels = Array.from({ length: 120 }, (_, i) => least * (most / least) ** (i / 119));
  const curve = makePlot({
    x: [0, rateAt(least)], y: [0, 1.05 * sum(variances)], height: 230,
    xLabel: "rate (nats)", yLabel: "squared error", label: "",
  });
  curve.curve({ series: 1, name: "best possible" }).set(levels.map(rateAt), levels.map(errorAt));
  const dot = curve.dot({ series: 2, size: 12 });

  const sliders = {
    beta: makeRange({
      label: "β", min: options.beta[0], max: options.beta[1], log: true,
      format: (v) => v.toPrecision(3), onInput: (value) => choose(value, sigma),
    }),
    sigma: makeRange({
      label: "σ", min: options.sigma[0], max: options.sigma[1], log: true,
      format: (v) => v.toPrecision(3), onInput: (value) => choose(beta, value),
    }),
  };
  const readout = makeReadout([
    { name: "level", label: "Water level βσ²", series: 2 },
    { name: "alive", label: "Directions coded" },
    { name: "rate", label: "Rate", unit: "nats" },
    { name: "error", label: "Squared error" },
  ]);
  const button = makeButton("Double β, halve σ²", () => {
    const factor = Math.min(2, options.beta[1] / beta, (sigma / options.sigma[0]) ** 2);
    choose(beta * factor, sigma / Math.sqrt(factor));
    frame.say(`β = ${beta.toPrecision(3)}, σ = ${sigma.toPrecision(3)}: the level is where it was.`);
  });
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { class: "vae-controls" }, sliders.beta.node, sliders.sigma.node),
      readout.node,
      make("div", { class: "vae-columns" }, above.node, curve.node),
      make("div", { class: "vae-row" }, button),
    ],
  });

  function show() {
    const water = beta * sigma ** 2;
    const alive = variances.filter((v) => v > water).length;
    sliders.beta.show(beta);
    sliders.sigma.show(sigma);
    level.set(water);
    const coded = variances.map((v, i) => [i + 1, v]).filter(([, v]) => v > water);
    stems.set(coded.flatMap(([i]) => [i, i, i]), coded.flatMap(([, v]) => [water, v, NaN]));
    dot.set(rateAt(water), errorAt(water));
    readout.set({
      level: water.toPrecision(3), alive: `${alive} of ${count}`,
      rate: rateAt(water), error: errorAt(water).toPrecision(4),
    });
    above.describe(`Variances of ${count} directions; ${alive} lie above the water level ${water.toPrecision(3)}`);
    curve.describe(`Squared error against rate; at this level the rate is ${showNumber(rateAt(water))} nats`
      + ` and the squared error ${errorAt(water).toPrecision(4)}`);
  }
  function choose(nextBeta, nextSigma) {
    [beta, sigma] = [nextBeta, nextSigma];
    show();
    onChange({ beta, sigma });
  }

  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      ({ beta, sigma } = next);
      show();
    },
    destroy() {},
  };
}

explorables["water-level"] = buildWater;
