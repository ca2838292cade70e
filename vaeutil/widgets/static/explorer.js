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

  const sliders = start.map((_, i) => makeRange({
    label: symbol("z", i + 1), min: -range, max: range, step, origin: 0,
    onInput: (value) => choose(z.map((old, j) => (j === i ? value : old))),
  }));
  const pad = start.length === 2 && grid > 0
    ? makePad({ range, step, grid, onMove: (point) => choose(point) })
    : null;
  const choice = classes
    ? makeChoice({
      label: "Class", options: Array.from({ length: classes }, (_, i) => String(i)),
      onInput: (value) => choose(z, value),
    })
    : null;

  const describe = () => {
    const code = z.length > 4 ? `${z.length} numbers` : z.map(showNumber).join(", ");
    return classes ? `z = (${code}), class ${y}` : `z = (${code})`;
  };

  function show() {
    if (decoder) context.putImageData(fillGrey(picture, decoder.decode(z, y)), 0, 0);
    canvas.setAttribute("aria-label", `Decoded image at ${describe()}`);
    sliders.forEach((slider, i) => slider.show(z[i]));
    if (pad) pad.show(z);
    choice?.show(y);
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
      frame.say(`Random draw: ${describe()}`);
    }),
    makeButton("Reset", () => {
      choose(start);
      frame.say(`Reset: ${describe()}`);
    }));

  const body = make("div", { class: pad ? "vae-body vae-with-pad" : "vae-body" });
  if (pad) body.append(pad.node);
  if (choice) buttons.prepend(choice.node);
  body.append(
    make("div", { class: "vae-view" }, canvas, buttons),
    make("div", { class: "vae-sliders" }, ...sliders.map((slider) => slider.node)),
  );
  const frame = makeFrame({ title, parts: [body] });

  show();
  return {
    node: frame.node,
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
