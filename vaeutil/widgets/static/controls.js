// The small parts that explorables are built from: elements, sliders, buttons, pictures.

// Each explorable registers here: tag name → build({options, state, onChange}), which returns
// {node, start(bytes), update(state), destroy()}. The node has its final size before it starts.
const explorables = {};

const SIDE = 28;

// JupyterLab in command mode takes the arrow keys from whatever is focused, unless the focused
// element itself carries this attribute.
const KEEPS_ITS_KEYS = { "data-lm-suppress-shortcuts": "true" };

let counter = 0;
const newId = () => `vae-${++counter}-${Math.random().toString(36).slice(2, 8)}`;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const format = (value) => {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && text !== "0.00" ? `\u2212${text}` : text;
};

const clamp = (value, limit) => Math.min(limit, Math.max(-limit, value));

/** The nearest whole number of steps, without the dust of binary fractions (0.15000000000000002). */
const toStep = (value, step) => Number((Math.round(value / step) * step).toFixed(9));

/** A labelled slider over [-range, range] that shows its value. */
function makeSlider({ letter, index, range, step, onInput }) {
  const id = newId();
  const input = make("input", {
    type: "range", id, min: -range, max: range, step, ...KEEPS_ITS_KEYS,
  });
  const label = make("label", { for: id }, make("i", {}, letter), make("sub", {}, index));
  // An <output> is a live region by default; the slider already speaks its own value.
  const value = make("output", { for: id, "aria-live": "off" });
  input.addEventListener("input", () => onInput(Number(input.value)));
  const percent = (v) => `${50 + (50 * clamp(v, range)) / range}%`;
  return {
    node: make("div", { class: "vae-slider" }, label, input, value),
    show(v) {
      input.value = v;
      input.setAttribute("aria-valuetext", format(v));
      input.style.setProperty("--from", percent(Math.min(v, 0)));
      input.style.setProperty("--to", percent(Math.max(v, 0)));
      value.textContent = format(v);
    },
  };
}

function makeButton(text, onClick) {
  const button = make("button", { type: "button", class: "vae-button", ...KEEPS_ITS_KEYS }, text);
  button.addEventListener("click", onClick);
  return button;
}

/** A labelled choice of one of `count` classes. */
function makeSelect(text, count, onInput) {
  const id = newId();
  const select = make("select", { id, ...KEEPS_ITS_KEYS });
  for (let i = 0; i < count; i++) select.append(make("option", { value: i }, i));
  select.addEventListener("input", () => onInput(Number(select.value)));
  return { node: make("div", { class: "vae-select" }, make("label", { for: id }, text), select), select };
}

/** Pixel means in [0, 1] → grey pixels of an ImageData (its array clamps and rounds). */
function fillGrey(picture, means) {
  const { data } = picture;
  for (let i = 0, at = 0; i < means.length; i++, at += 4) {
    data[at] = data[at + 1] = data[at + 2] = 255 * means[i];
    data[at + 3] = 255;
  }
  return picture;
}

/** Standard normal draws that are the same for every reader: mulberry32, then Box–Muller. */
function makeNormal(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
