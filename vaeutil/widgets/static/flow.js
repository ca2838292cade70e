// Runs a flow forward, layer by layer, as written by _pack_flow.py: the letters "VAEF", the
// header's length, the header (dim, limit, layers), then the bundle of each layer's network.

/** dim numbers → [y, log|det ∂y/∂z|]; each layer as a function of the same kind, by its name. */
const FLOW_LAYERS = {
  planar: ({ u, w, b }) => (z) => {
    const bend = Math.tanh(w.reduce((sum, v, i) => sum + v * z[i], b));
    const along = w.reduce((sum, v, i) => sum + v * u[i], 0);
    return [z.map((v, i) => v + u[i] * bend), Math.log1p((1 - bend * bend) * along)];
  },

  scale: ({ scale, shift, backwards }) => (z) => (
    affine(z, z.map((_, i) => i), [shift, scale], backwards)),

  permutation: ({ order }) => (z) => [order.map((i) => z[i]), 0],

  coupling: ({ stays: [from, to], backwards, network }, limit) => (z) => {
    const shiftAndScale = affineOf(network.run(z.slice(from, to)), limit);
    const moves = z.map((_, i) => i).filter((i) => i < from || i >= to);
    return affine(z, moves, shiftAndScale, backwards);
  },

  autoregressive: ({ backwards, network }, limit) => (z) => {
    const all = z.map((_, i) => i);
    if (!backwards) return affine(z, all, affineOf(network.run(z), limit), false);
    let y = [z.map(() => 0), 0];
    for (const _ of all) y = affine(z, all, affineOf(network.run(y[0]), limit), true);
    return y;
  },
};

/** A network's output, shifts before log-scales → [shifts, log-scales within ±limit]. */
function affineOf(output, limit) {
  const half = output.length / 2;
  const values = Array.from(output); // run gives its buffer again
  return [values.slice(0, half), values.slice(half).map((s) => limit * Math.tanh(s / limit))];
}

/** The coordinates `places` of z scaled and shifted (or, backwards, the reverse), and log|det|. */
function affine(z, places, [shift, scale], backwards) {
  const y = z.slice();
  let logDet = 0;
  places.forEach((i, j) => {
    y[i] = backwards ? (z[i] - shift[j]) * Math.exp(-scale[j]) : z[i] * Math.exp(scale[j]) + shift[j];
    logDet += backwards ? -scale[j] : scale[j];
  });
  return [y, logDet];
}

/** {dim, layers: [{op, forward(z) → [y, logDet]}], forward(z) → [y, logDet]}; z: dim numbers. */
class BrowserFlow {
  constructor(bytes) {
    const { header, rest } = readHeader(bytes, "VAEF");
    let at = 0;
    this.dim = header.dim;
    this.layers = header.layers.map((layer) => {
      const own = { ...layer };
      if (layer.bytes) own.network = new Network(rest.subarray(at, (at += layer.bytes)));
      const run = FLOW_LAYERS[layer.op](own, header.limit);
      return { op: layer.op, forward: (z) => run(this.check(z)) };
    });
  }

  check(z) {
    if (z.length !== this.dim) throw new Error(`the flow maps ${this.dim} numbers, not ${z.length}`);
    return Array.from(z);
  }

  forward(z) {
    let total = 0;
    let y = this.check(z);
    for (const layer of this.layers) {
      const [next, logDet] = layer.forward(y);
      y = next;
      total += logDet;
    }
    return [y, total];
  }
}

const flows = new WeakMap();

/** Whether these bytes (Uint8Array) begin as a flow's bundle does. */
const isFlow = (bytes) => String.fromCharCode(...bytes.subarray(0, 4)) === "VAEF";

/** The flow of a bundle that pack_flow made; the same bytes share it. */
function flowOf(bytes) {
  if (!flows.has(bytes)) flows.set(bytes, new BrowserFlow(bytes));
  return flows.get(bytes);
}
