// From the strokes of a pen to grey levels, as in pen.py; a test holds the two together.

const PEN_WIDTH = 2.6, PEN_BOX = 20, PEN_CENTRE = 14, PEN_MOST = 4;

/** How much of each pixel a round pen covers, [784] in [0, 1]; lines: [[[x, y], …], …] in pixels. */
function inkOf(lines) {
  const nearest = new Float64Array(SIDE * SIDE).fill(Infinity);
  for (const line of lines) {
    for (let i = 0; i < Math.max(1, line.length - 1); i++) {
      const [x0, y0] = line[i];
      const [x1, y1] = line[i + 1] ?? line[i];
      const [dx, dy] = [x1 - x0, y1 - y0];
      const length = Math.max(dx * dx + dy * dy, 1e-12);
      for (let at = 0; at < nearest.length; at++) {
        const px = (at % SIDE) - x0, py = Math.floor(at / SIDE) - y0;
        const share = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
        nearest[at] = Math.min(nearest[at], Math.hypot(px - share * dx, py - share * dy));
      }
    }
  }
  return nearest.map((d) => Math.min(1, Math.max(0, PEN_WIDTH / 2 + 0.5 - d)));
}

/** Strokes → grey levels 0…255, scaled into MNIST's box, the centre of mass in the middle. */
function rasterise(strokes) {
  if (!strokes.length) return new Uint8Array(SIDE * SIDE);
  const [xs, ys] = [0, 1].map((axis) => strokes.flat().map((point) => point[axis]));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min(PEN_MOST, (PEN_BOX - PEN_WIDTH - 1) / Math.max(right - left, bottom - top, 1e-9));
  const place = (dx, dy) => strokes.map((stroke) => stroke.map(([x, y]) => [
    scale * (x - (left + right) / 2) + dx, scale * (y - (top + bottom) / 2) + dy]));
  const levels = inkOf(place(PEN_CENTRE, PEN_CENTRE));
  let mass = 0, x = 0, y = 0;
  levels.forEach((v, at) => { mass += v; x += v * (at % SIDE); y += v * Math.floor(at / SIDE); });
  return Uint8Array.from(inkOf(place(2 * PEN_CENTRE - x / mass, 2 * PEN_CENTRE - y / mass)), (v) => Math.round(255 * v));
}
