// The importance-weighted bound, exactly: k draws of a Gaussian q, one latent, one observation.

/** p(z) = N(0, 1), p(x | z) = N(h(z), v) with h(z) = z, or z² where square; as vaeutil.weighted. */
function makeWeightedModel(x, v) {
  const step = 0.25;
  const us = Array.from({ length: 880 }, (_, i) => -80 + step * i);
  const eps = Array.from({ length: 301 }, (_, i) => -9 + 0.06 * i);
  const bell = eps.map((e) => Math.exp(-0.5 * e * e));
  const total = bell.reduce((a, b) => a + b, 0);
  const mass = bell.map((b) => b / total);
  const normal = (y, m, variance) => -0.5 * ((y - m) ** 2 / variance + Math.log(2 * Math.PI * variance));
  const joint = (z, square) => normal(z, 0, 1) + normal(x, square ? z * z : z, v);
  const evidence = [0, 1].map((square) => {
    let sum = 0;
    for (let i = -700; i <= 700; i++) sum += 0.01 * Math.exp(joint(0.01 * i, square));
    return Math.log(sum);
  });
  const logQ = (z, { mean, sd }) => normal(z, mean, sd * sd);

  /** All that is known of one weight under this q: L(k), log p(x) − L(k), and the law q_k. */
  function law(at) {
    const top = evidence[at.square];
    const logs = eps.map((e) => joint(at.mean + at.sd * e, at.square) - logQ(at.mean + at.sd * e, at) - top);
    const weights = logs.map(Math.exp); // relative to p(x)
    const logPhi = us.map((u) => {
      const t = Math.exp(u);
      let missing = 0;
      for (let i = 0; i < eps.length; i++) missing -= mass[i] * Math.expm1(-t * weights[i]);
      return Math.log1p(-Math.min(1, missing));
    });
    const first = logs.reduce((sum, one, i) => sum + mass[i] * one, 0);
    const gap = (k) => (k === 1 ? -first : -step * us.reduce(
      (sum, u, i) => sum + Math.exp(-k * Math.exp(u)) - Math.exp(k * logPhi[i]), 0));
    /** q_k / q where a weight is e^one (relative to p(x)). */
    const ratio = (one, k) => (k === 1 ? 1 : k * step * us.reduce(
      (sum, u, i) => sum + Math.exp(one + u - Math.exp(one + u) + (k - 1) * logPhi[i]), 0));
    const implied = (z, k) => Math.exp(logQ(z, at)) * ratio(joint(z, at.square) - logQ(z, at) - top, k);
    /** KL(q_k || posterior), on q's own grid. */
    const rest = (k) => logs.reduce((sum, one, i) => {
      const share = ratio(one, k);
      return share > 0 ? sum + mass[i] * share * (Math.log(share) - one) : sum;
    }, 0);
    return { gap, implied, rest, evidence: top };
  }
  /** The best mean and sd for this k, from where q is: a pattern search in mean and log sd. */
  function best(at, ranges) {
    let here = { ...at };
    let least = law(here).gap(here.k);
    for (let stride = 0.4; stride > 0.004;) {
      let moved = false;
      for (const [m, s] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        const mean = Math.min(ranges.mean[1], Math.max(ranges.mean[0], here.mean + m * stride));
        const sd = Math.min(ranges.sd[1], Math.max(ranges.sd[0], here.sd * Math.exp(s * stride)));
        const next = law({ ...here, mean, sd }).gap(here.k);
        if (next < least - 1e-12) [here, least, moved] = [{ ...here, mean, sd }, next, true];
      }
      if (!moved) stride /= 2;
    }
    return here;
  }
  return { law, joint, logQ, best };
}
