// One latent, one observation: evidence by quadrature, ELBO and the best moves in closed form.

/** One latent, one x: p(z) = N(0, 1), p(x | z) = N(w h(z), v) with h(z) = z, or z² where square. */
function makeBoundModel(x, v) {
  const step = 0.02;
  const zs = Array.from({ length: 1201 }, (_, i) => (i - 600) * step);
  const normal = (y, m, variance) => -0.5 * ((y - m) ** 2 / variance + Math.log(2 * Math.PI * variance));
  const h = (z, square) => (square ? z * z : z);
  const joint = ({ w, square }) => zs.map((z) => normal(z, 0, 1) + normal(x, w * h(z, square), v));
  const sum = (logs) => {
    const top = Math.max(...logs);
    return top + Math.log(step * logs.reduce((total, value) => total + Math.exp(value - top), 0));
  };
  /** E h and E h² under q = N(mean, sd²). */
  const moments = ({ mean: m, sd, square }) => {
    const s = sd * sd;
    return square ? [m * m + s, m ** 4 + 6 * m * m * s + 3 * s * s] : [m, m * m + s];
  };
  const reconstruction = (at) => {
    const [first, second] = moments(at);
    const error = x * x - 2 * x * at.w * first + at.w * at.w * second;
    return -0.5 * (error / v + Math.log(2 * Math.PI * v));
  };
  const kl = ({ mean, sd }) => 0.5 * (mean * mean + sd * sd - 1) - Math.log(sd);
  const elbo = (at) => reconstruction(at) - kl(at);
  return {
    zs, joint, reconstruction, kl, elbo,
    evidence: (at) => sum(joint(at)),
    logQ: ({ mean, sd }) => zs.map((z) => normal(z, mean, sd * sd)),
    /** The best slope for this q, in closed form. */
    bestW(at) {
      const [first, second] = moments(at);
      return (x * first) / second;
    },
    /** The best q for this slope, on the side where q is: ever finer grids over mean and log sd. */
    bestQ(at, { mean, sd }) {
      let best = { ...at };
      const limits = [[at.mean < 0 ? mean[0] : 0, at.mean < 0 ? 0 : mean[1]], sd.map(Math.log)];
      let boxes = limits;
      for (let round = 0; round < 9; round++) {
        for (let i = 0; i <= 24; i++) {
          for (let j = 0; j <= 24; j++) {
            const [m, log] = [i, j].map((k, a) => boxes[a][0] + (k / 24) * (boxes[a][1] - boxes[a][0]));
            const trial = { ...at, mean: m, sd: Math.exp(log) };
            if (elbo(trial) > elbo(best)) best = trial;
          }
        }
        boxes = [best.mean, Math.log(best.sd)].map((centre, a) => {
          const half = (boxes[a][1] - boxes[a][0]) / 8;
          return [Math.max(limits[a][0], centre - half), Math.min(limits[a][1], centre + half)];
        });
      }
      return best;
    },
  };
}
