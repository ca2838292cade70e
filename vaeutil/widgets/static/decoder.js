// Runs a network on typed arrays, one input at a time: about a millisecond for a 500-500 decoder.

/** The error function to 1.5e-7 (Abramowitz & Stegun 1964, 7.1.26); float16 weights err more. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const a = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
    + 0.254829592) * t;
  return Math.sign(x) * (1 - a * Math.exp(-x * x));
}

// a: the layer's one parameter (slope, α or β), where it has one.
const ACTIVATIONS = {
  relu: (x) => (x > 0 ? x : 0),
  leaky_relu: (x, a) => (x > 0 ? x : a * x),
  elu: (x, a) => (x > 0 ? x : a * Math.expm1(x)),
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x, a) => (a * x > 20 ? x : Math.log1p(Math.exp(a * x)) / a),
};

/** y = W x, row by row; four rows at a time, because loading x costs as much as multiplying. */
function multiply(W, x, y) {
  const inputs = x.length;
  const outputs = y.length;
  let row = 0;
  for (; row + 4 <= outputs; row += 4) {
    const w0 = row * inputs, w1 = w0 + inputs, w2 = w1 + inputs, w3 = w2 + inputs;
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (let i = 0; i < inputs; i++) {
      const v = x[i];
      s0 += W[w0 + i] * v;
      s1 += W[w1 + i] * v;
      s2 += W[w2 + i] * v;
      s3 += W[w3 + i] * v;
    }
    y[row] = s0;
    y[row + 1] = s1;
    y[row + 2] = s2;
    y[row + 3] = s3;
  }
  for (; row < outputs; row++) {
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += W[row * inputs + i] * x[i];
    y[row] = sum;
  }
}

function linear(layer, x) {
  multiply(layer.weight, x, layer.output);
  for (let i = 0; i < layer.outputs; i++) layer.output[i] += layer.bias[i];
  return layer.output;
}

/** Each input pixel is multiplied into a patch of every output channel; patches overlap and add. */
function convTranspose(layer, x) {
  const { inputs, outputs, kernel, stride, padding, output, patch, pixel } = layer;
  const [height, width] = layer.from;
  const [tall, wide] = layer.to;
  for (let c = 0; c < outputs; c++) {
    output.fill(layer.bias[c], c * tall * wide, (c + 1) * tall * wide);
  }
  for (let p = 0; p < height * width; p++) {
    for (let c = 0; c < inputs; c++) pixel[c] = x[c * height * width + p];
    multiply(layer.weight, pixel, patch);
    const top = Math.floor(p / width) * stride - padding;
    const left = (p % width) * stride - padding;
    for (let c = 0, at = 0; c < outputs; c++) {
      for (let row = top; row < top + kernel; row++) {
        for (let column = left; column < left + kernel; column++, at++) {
          if (row < 0 || row >= tall || column < 0 || column >= wide) continue;
          output[(c * tall + row) * wide + column] += patch[at];
        }
      }
    }
  }
  return output;
}

class Network {
  constructor(bytes) {
    const { latent, classes, layers } = readBundle(bytes);
    Object.assign(this, { latent, classes, layers });
    this.input = new Float32Array(latent + classes);
    for (const layer of layers) {
      if (layer.op === "linear") {
        layer.output = new Float32Array(layer.outputs);
      } else if (layer.op === "conv_transpose") {
        layer.output = new Float32Array(layer.outputs * layer.to[0] * layer.to[1]);
        layer.patch = new Float32Array(layer.outputs * layer.kernel ** 2);
        layer.pixel = new Float32Array(layer.inputs);
      }
    }
  }

  /** z: latent numbers; y: the class, for a decoder that takes one. → 784 pixel means in [0, 1],
   * in an array that the next call overwrites. */
  decode(z, y = 0) {
    this.input.fill(0);
    this.input.set(z);
    if (this.classes) this.input[this.latent + y] = 1;
    return this.forward();
  }

  /** input: as many numbers as the network takes. → its output, which the next call overwrites. */
  run(input) {
    if (input.length !== this.input.length) {
      throw new Error(`the network takes ${this.input.length} numbers, not ${input.length}`);
    }
    this.input.set(input);
    return this.forward();
  }

  forward() {
    let x = this.input;
    for (const layer of this.layers) {
      if (layer.op === "linear") x = linear(layer, x);
      else if (layer.op === "conv_transpose") x = convTranspose(layer, x);
      else {
        const activation = ACTIVATIONS[layer.op];
        for (let i = 0; i < x.length; i++) x[i] = activation(x[i], layer.a);
      }
    }
    return x;
  }
}

const networks = new WeakMap();

/** The decoder of a bundle; explorers that share their bytes share it. */
function decoderOf(bytes) {
  if (!networks.has(bytes)) networks.set(bytes, new Network(bytes));
  return networks.get(bytes);
}

/** The networks of a bundle of several: {name: Network}; for a flow's bundle, {name: flow}. */
function networksOf(bytes) {
  if (!networks.has(bytes)) {
    const all = Object.entries(readBundles(bytes));
    networks.set(bytes, Object.fromEntries(all.map(
      ([name, one]) => [name, isFlow(one) ? flowOf(one) : new Network(one)])));
  }
  return networks.get(bytes);
}
