// A map of decoded images over a two-dimensional latent space, with a point to drag on it.

const FRAME_MS = 8; // how long the map may compute before it lets the page draw and listen

/** onMove(z) is called with the point the reader chose. */
function makePad({ range, step, grid, onMove }) {
  const hint = make("p", { class: "vae-hint", id: newId() }, "Drag, or use the arrow keys.");
  const canvas = make("canvas", { width: grid * SIDE, height: grid * SIDE, "aria-hidden": "true" });
  const dot = make("span", { class: "vae-dot" });
  const map = make("div", {
    class: "vae-map", tabindex: 0, role: "slider", "aria-roledescription": "two-dimensional slider",
    "aria-label": "Map of decoded images", "aria-describedby": hint.id,
    "aria-valuemin": -range, "aria-valuemax": range, ...KEEPS_ITS_KEYS,
  }, canvas, dot);
  const axis = (name, index) => make("div", { class: `vae-axis vae-axis-${name}`, "aria-hidden": "true" },
    make("span", {}, `\u2212${range}`),
    make("span", {}, make("i", {}, "z"), make("sub", {}, index)),
    make("span", {}, range));
  const node = make("div", { class: "vae-pad" }, axis("up", 2), map, axis("right", 1), hint);

  let point = [0, 0];
  const move = (z) => onMove(z.map((v) => clamp(toStep(v, step), range)));

  const moveToPointer = (event) => {
    const box = canvas.getBoundingClientRect();
    move([
      range * ((2 * (event.clientX - box.left)) / box.width - 1),
      range * (1 - (2 * (event.clientY - box.top)) / box.height),
    ]);
  };
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    map.setPointerCapture(event.pointerId);
    moveToPointer(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (map.hasPointerCapture(event.pointerId)) moveToPointer(event);
  });
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  map.addEventListener("keydown", (event) => {
    const direction = KEYS[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const stride = event.shiftKey ? 10 * step : step;
    move(point.map((v, i) => v + stride * direction[i]));
  });

  const context = canvas.getContext("2d");
  const tile = context.createImageData(SIDE, SIDE);
  const centre = (i) => range * ((2 * i + 1) / grid - 1);
  let job = 0;
  return {
    node,
    show(z) {
      point = z;
      dot.style.left = `${50 + (50 * clamp(z[0], range)) / range}%`;
      dot.style.top = `${50 - (50 * clamp(z[1], range)) / range}%`;
      map.setAttribute("aria-valuenow", z[0].toFixed(2));
      map.setAttribute("aria-valuetext", `z1 ${showNumber(z[0])}, z2 ${showNumber(z[1])}`);
    },
    /** Decodes the map (for class y), row by row, in slices that never hold up a frame. */
    paint(decoder, y) {
      const mine = ++job;
      let next = 0;
      delete node.dataset.complete;
      const work = () => {
        if (mine !== job) return;
        const end = performance.now() + FRAME_MS;
        while (next < grid * grid && performance.now() < end) {
          const row = Math.floor(next / grid);
          const column = next++ % grid;
          fillGrey(tile, decoder.decode([centre(column), -centre(row)], y));
          context.putImageData(tile, column * SIDE, row * SIDE);
        }
        if (next < grid * grid) setTimeout(work);
        else node.dataset.complete = "true";
      };
      setTimeout(work);
    },
    stop() { job++; },
  };
}
