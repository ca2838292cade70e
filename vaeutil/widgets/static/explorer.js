// The latent explorer: a slider for each latent dimension, and the image that they decode to.

function buildExplorer({ options, state, onChange }) {
  const { range, step, grid, classes, title, seed } = options;
  const start = Array.from(state.z);
  let decoder = null;
  let z = start;
  let y = state.y ?? 0;

  const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", class: "vae-picture" });
  const context = canvas.getContext("2d", { alpha: false });
  const picture = context.createImageData(SIDE, SIDE);
  const spoken = make("p", { role: "status", class: "vae-spoken" });

  const sliders = start.map((_, i) => makeSlider({
    letter: "z", index: i + 1, range, step,
    onInput: (value) => choose(z.map((old, j) => (j === i ? value : old))),
  }));
  const pad = start.length === 2 && grid > 0
    ? makePad({ range, step, grid, onMove: (point) => choose(point) })
    : null;
  const choice = classes ? makeSelect("Class", classes, (value) => choose(z, value)) : null;

  const describe = () => {
    const code = z.length > 4 ? `${z.length} numbers` : z.map(format).join(", ");
    return classes ? `z = (${code}), class ${y}` : `z = (${code})`;
  };

  function show() {
    if (decoder) context.putImageData(fillGrey(picture, decoder.decode(z, y)), 0, 0);
    canvas.setAttribute("aria-label", `Decoded image at ${describe()}`);
    sliders.forEach((slider, i) => slider.show(z[i]));
    if (pad) pad.show(z);
    if (choice) choice.select.value = y;
  }

  /** Takes a new state, from the reader or from Python. */
  function set(code, label) {
    const repaint = label !== y;
    z = Array.from(code);
    y = label;
    show();
    if (pad && decoder && repaint) pad.paint(decoder, y);
  }

  /** Takes the reader's choice and passes it on. */
  function choose(code, label = y) {
    set(code, label);
    onChange({ z, y });
  }

  const normal = makeNormal(seed);
  const buttons = make("div", { class: "vae-buttons" },
    makeButton("Random z", () => {
      choose(z.map(() => toStep(normal(), step)));
      spoken.textContent = `Random draw: ${describe()}`;
    }),
    makeButton("Reset", () => {
      choose(start);
      spoken.textContent = `Reset: ${describe()}`;
    }));

  const name = make("p", { class: "vae-title", id: newId() }, title);
  const body = make("div", { class: pad ? "vae-body vae-with-pad" : "vae-body" });
  if (pad) body.append(pad.node);
  if (choice) buttons.prepend(choice.node);
  body.append(
    make("div", { class: "vae-view" }, canvas, buttons),
    make("div", { class: "vae-sliders" }, ...sliders.map((slider) => slider.node)),
  );
  const node = make("div", {
    class: "vae-explorer", role: "group", "aria-labelledby": name.id,
  }, name, body, spoken);

  show();
  return {
    node,
    start(bytes) {
      decoder = decoderOf(bytes);
      show();
      if (pad) pad.paint(decoder, y);
    },
    update: (next) => set(next.z, next.y ?? 0),
    destroy: () => pad?.stop(),
  };
}

explorables["latent-explorer"] = buildExplorer;
