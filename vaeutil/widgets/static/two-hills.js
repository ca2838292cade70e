// A posterior with two hills, a q made of two Gaussians and a coin u, and what the coin costs.

const HILL_ZS = Array.from({ length: 2001 }, (_, i) => -20 + i * 0.02);

/** log of ½ N(z; −offset, sd²) + ½ N(z; offset, sd²). */
function logHills(z, offset, sd) {
  const a = -0.5 * ((z - offset) / sd) ** 2;
  const b = -0.5 * ((z + offset) / sd) ** 2;
  const top = Math.max(a, b);
  return top + Math.log(Math.exp(a - top) + Math.exp(b - top)) - Math.log(2 * sd) - 0.5 * Math.log(2 * Math.PI);
}

const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const logistic = (a) => 1 / (1 + Math.exp(-a));

/** KL of a coin whose logit is `own` to one whose logit is `guess`, in nats. */
function coinDivergence(own, guess) {
  const p = logistic(own);
  return p * (softplus(-guess) - softplus(-own)) + (1 - p) * (softplus(guess) - softplus(own));
}

function hillTerms({ offset, sd, slope }, hills) {
  let gap = 0;
  let penalty = 0;
  for (const z of HILL_ZS) {
    const logQ = logHills(z, offset, sd);
    const weight = 0.02 * Math.exp(logQ);
    gap += weight * (logQ - logHills(z, ...hills));
    penalty += weight * coinDivergence((2 * offset * z) / sd ** 2, slope * z);
  }
  return { gap, penalty, total: gap + penalty };
}

function buildTwoHills({ options, state, onChange }) {
  const { title, ranges, hills } = options;
  let at = { ...state };
  const zs = HILL_ZS.filter((z) => Math.abs(z) <= 5 + 1e-9);

  const densities = makePlot({
    x: [-5, 5], y: [0, 0.9], height: 230, xLabel: "latent z", yLabel: "density", label: "",
  });
  densities.curve({ series: 1, fill: true, name: "posterior" }).set(zs, zs.map((z) => Math.exp(logHills(z, ...hills))));
  const guess = densities.curve({ series: 2, name: "q(z)" });
  const coins = makePlot({
    x: [-5, 5], y: [0, 1], height: 230, xLabel: "latent z", yLabel: "probability of u = 1", label: "",
  });
  const own = coins.curve({ series: 2, name: "q(u = 1 | z)" });
  const model = coins.curve({ series: 3, dashed: true, name: "p(u = 1 | z)" });
  const bars = makeBars({ label: "Gap, penalty and their sum", min: 0, max: 2, unit: "nats" });

  const slider = (name, label, step) => makeRange({
    label, min: ranges[name][0], max: ranges[name][1], step, origin: ranges[name][0],
    onInput: (value) => choose({ [name]: value }),
  });
  const sliders = {
    offset: slider("offset", "offset of the two Gaussians", 0.01),
    sd: slider("sd", "sd of each", 0.01),
    slope: slider("slope", "slope of the model's guess", 0.1),
  };
  const press = (text, next) => makeButton(text, () => {
    choose(next());
    frame.say(`${text}: ${spoken()}`);
  });
  const frame = makeFrame({
    title, wide: true,
    parts: [
      make("div", { class: "vae-columns" }, densities.node, coins.node),
      bars.node,
      make("div", { class: "vae-controls" }, ...Object.values(sliders).map((one) => one.node)),
      make("div", { class: "vae-row" },
        press("Two Gaussians on the hills", () => ({ offset: hills[0], sd: hills[1] })),
        press("Best slope for this q", () => ({ slope: Math.min(ranges.slope[1], (2 * at.offset) / at.sd ** 2) })),
        press("Reset", () => state)),
    ],
  });
  const spoken = () => {
    const { gap, penalty, total } = hillTerms(at, hills);
    return `gap ${showNumber(gap)} + penalty ${showNumber(penalty)} = ${showNumber(total)} nats`;
  };

  function show() {
    const { gap, penalty, total } = hillTerms(at, hills);
    guess.set(zs, zs.map((z) => Math.exp(logHills(z, at.offset, at.sd))));
    own.set(zs, zs.map((z) => logistic((2 * at.offset * z) / at.sd ** 2)));
    model.set(zs, zs.map((z) => logistic(at.slope * z)));
    bars.set([
      { label: "gap of q(z)", value: gap, series: 2 },
      { label: "penalty for u", value: penalty, series: 3, from: gap },
      { label: "what the bound loses", value: total, series: 4 },
    ]);
    for (const [name, one] of Object.entries(sliders)) one.show(at[name]);
    densities.describe(`A posterior with two hills, and q(z): ${spoken()}`);
    coins.describe(`The coin's probability given z under q, and the model's guess of it, with slope ${showNumber(at.slope)}`);
  }

  function choose(next) {
    at = { ...at, ...next };
    show();
    onChange(at);
  }

  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      at = { ...at, ...next };
      show();
    },
    destroy() {},
  };
}

explorables["auxiliary-explorer"] = buildTwoHills;
