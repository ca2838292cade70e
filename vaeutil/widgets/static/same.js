// One code z under sliders, and the images that several decoders make of it, side by side.

function buildSameCode({ options, state, onChange }) {
  const { title, names, range, step, seed } = options;
  let z = Array.from(state.z);
  let networks = null;
  const normal = makeNormal(seed);

  const views = names.map((name) => {
    const canvas = make("canvas", {
      width: SIDE, height: SIDE, role: "img", class: "vae-picture",
      style: "width: 100%; height: auto; aspect-ratio: 1",
    });
    const context = canvas.getContext("2d", { alpha: false });
    const picture = context.createImageData(SIDE, SIDE);
    return {
      node: make("div", {},
        make("p", { "aria-hidden": "true" }, name), canvas),
      show(x) {
        if (!x) {
          canvas.setAttribute("aria-label", `${name}: its weights are being loaded`);
          return;
        }
        context.putImageData(fillGrey(picture, x), 0, 0);
        const code = z.length > 4 ? `${z.length} numbers` : z.map(showNumber).join(", ");
        canvas.setAttribute("aria-label", `${name}: the image decoded at z = (${code})`);
      },
    };
  });
  const sliders = z.map((_, i) => makeRange({
    label: symbol("z", i + 1), min: -range, max: range, step, origin: 0,
    onInput: (value) => choose(z.map((old, j) => (j === i ? value : old))),
  }));

  function show() {
    sliders.forEach((slider, i) => slider.show(z[i]));
    views.forEach((view, i) => view.show(networks?.[i].decode(z)));
  }

  function choose(code) {
    z = code;
    show();
    onChange({ z });
  }

  const buttons = make("div", { class: "vae-buttons" },
    makeButton("Random z", () => {
      choose(z.map(() => clamp(toStep(normal(), step), range)));
      frame.say("A random code, the same for all.");
    }),
    makeButton("All zero", () => {
      choose(z.map(() => 0));
      frame.say("The code is zero.");
    }));
  const frame = makeFrame({
    title,
    parts: [
      make("div", { class: "vae-same" }, ...views.map((view) => view.node)), buttons,
      make("div", { class: "vae-sliders" }, ...sliders.map((slider) => slider.node)),
    ],
  });

  show();
  return {
    node: frame.node,
    start(bytes) {
      networks = networksOf(bytes);
      show();
    },
    update(next) {
      z = Array.from(next.z);
      show();
    },
    destroy() {},
  };
}

explorables["same-code"] = buildSameCode;
