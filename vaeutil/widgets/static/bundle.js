// Reads a network's bundle, as written by _pack.py: the letters "VAE1", the header's length in
// bytes (uint32), the header (JSON), then every layer's weight and bias as float16 numbers.
// Several networks in one: the letters "VAEN", the header with their names and sizes, the bundles.

/** Float16 bit patterns → Float32Array, exactly. Infinity and NaN do not occur in a bundle. */
function fromHalves(halves) {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    bits[i] = ((halves[i] & 0x8000) << 16) | ((halves[i] & 0x7fff) << 13);
  }
  const values = new Float32Array(bits.buffer);
  // The exponents of the two formats are 112 apart; the product is also right for subnormals.
  for (let i = 0; i < values.length; i++) values[i] *= 2 ** 112;
  return values;
}

/** bytes: Uint8Array or DataView → {header, rest: the bytes after it}; `magic`: what they begin with. */
function readHeader(bytes, magic) {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const text = (from, length) => new TextDecoder().decode(new Uint8Array(buffer, from, length));
  if (buffer.byteLength < 8 || text(0, 4) !== magic) {
    throw new Error("the decoder's weights are damaged");
  }
  const length = new DataView(buffer).getUint32(4, true);
  return { header: JSON.parse(text(8, length)), rest: new Uint8Array(buffer, 8 + length) };
}

/** bytes → {name: the bytes of that network's bundle}. */
function readBundles(bytes) {
  const { header, rest } = readHeader(bytes, "VAEN");
  let at = 0;
  return Object.fromEntries(Object.entries(header).map(
    ([name, size]) => [name, rest.subarray(at, (at += size))]));
}

/** bytes → {latent, classes, layers: [{op, weight, bias, …}]}. */
function readBundle(bytes) {
  const { header, rest } = readHeader(bytes, "VAE1");
  const numbers = fromHalves(new Uint16Array(rest.buffer, rest.byteOffset));
  let at = 0;
  const take = (count) => numbers.subarray(at, (at += count));
  for (const layer of header.layers) {
    if (!layer.weights) continue;
    layer.weight = take(layer.weights);
    layer.bias = take(layer.outputs);
  }
  return header;
}
