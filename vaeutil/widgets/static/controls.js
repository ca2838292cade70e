// The small parts that explorables are built from: elements, sliders, buttons, pictures.

// Each explorable registers here: tag name → build({options, state, onChange}), which returns
// {node, start(bytes), update(state), destroy()}. The node has its final size before it starts.
const explorables = {};

const SIDE = 28;
const LOG_STEPS = 200;

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

/** Two decimals, a true minus sign, never −0.00; ∞ for what is infinite. */
const showNumber = (value) => {
  const text = Number.isFinite(value) ? Math.abs(value).toFixed(2) : "∞";
  if (Number.isNaN(value)) return "not a number";
  return value < 0 && text !== "0.00" ? `\u2212${text}` : text;
};

const clamp = (value, limit) => Math.min(limit, Math.max(-limit, value));

/** The nearest whole number of steps, without the dust of binary fractions (0.15000000000000002). */
const toStep = (value, step) => Number((Math.round(value / step) * step).toFixed(9));

/**
 * A labelled slider from min to max that shows its value. label: a string, or nodes. log: steps of
 * equal ratio. origin: where the coloured part of the track begins (min, if not given).
 * onInput(value) is called with the reader's value; show(value) sets it.
 */
function makeRange({
  label, min, max, step = (max - min) / 200, log = false, origin = min, format = showNumber, onInput,
}) {
  const id = newId();
  // On a logarithmic scale the control counts whole steps, so that its ends are hit exactly.
  const place = (v) => (log ? (LOG_STEPS * Math.log(v / min)) / Math.log(max / min) : v);
  const input = make("input", {
    type: "range", id, min: place(min), max: place(max), step: log ? 1 : step, ...KEEPS_ITS_KEYS,
  });
  // An <output> is a live region by default; the slider already speaks its own value.
  const value = make("output", { for: id, "aria-live": "off" });
  input.addEventListener("input", () => {
    const v = Number(input.value);
    onInput(log ? min * (max / min) ** (v / LOG_STEPS) : v);
  });
  const percent = (v) => {
    const share = (place(v) - place(min)) / (place(max) - place(min));
    return `${100 * Math.min(1, Math.max(0, share))}%`;
  };
  return {
    node: make("div", { class: "vae-slider" }, make("label", { for: id }, ...[label].flat()), input, value),
    show(v) {
      input.value = place(v);
      input.setAttribute("aria-valuetext", format(v));
      input.style.setProperty("--from", percent(Math.min(v, origin)));
      input.style.setProperty("--to", percent(Math.max(v, origin)));
      value.textContent = format(v);
    },
  };
}

/** A letter with an index, as in z₁. */
const symbol = (letter, index) => [make("i", {}, letter), make("sub", {}, index)];

function makeButton(text, onClick) {
  const button = make("button", { type: "button", class: "vae-button", ...KEEPS_ITS_KEYS }, text);
  button.addEventListener("click", onClick);
  return button;
}

/** A labelled choice of one of the options; onInput(index), show(index). */
function makeChoice({ label, options, onInput }) {
  const id = newId();
  const select = make("select", { id, ...KEEPS_ITS_KEYS });
  options.forEach((text, i) => select.append(make("option", { value: i }, text)));
  select.addEventListener("input", () => onInput(Number(select.value)));
  return {
    node: make("div", { class: "vae-select" }, make("label", { for: id }, label), select),
    show(index) { select.value = index; },
  };
}

/** Live numbers with names: [{name, label, series, unit}]; set({name: number or text}). */
function makeReadout(rows) {
  const cells = {};
  const node = make("dl", { class: "vae-readout" });
  for (const { name, label, series, unit = "" } of rows) {
    cells[name] = make("span", { "data-value": name });
    const key = series ? [make("span", { class: `vae-key vae-series-${series}` })] : [];
    node.append(make("div", {}, make("dt", {}, ...key, ...[label].flat()),
      make("dd", {}, cells[name], unit ? `\u00a0${unit}` : "")));
  }
  return {
    node,
    set(values) {
      for (const [name, value] of Object.entries(values)) {
        cells[name].textContent = typeof value === "number" ? showNumber(value) : value;
      }
    },
  };
}

/**
 * Horizontal bars from min to max, with their numbers: set([{label, value, series, from}]). A bar
 * runs from `from` (0 if not given) to from + value, so that bars can be seen to add up.
 */
function makeBars({ label, min, max, unit }) {
  const node = make("div", { class: "vae-bars", role: "group", "aria-label": label });
  const percent = (v) => 100 * Math.min(1, Math.max(0, (v - min) / (max - min)));
  return {
    node,
    set(bars) {
      node.replaceChildren(...bars.map((bar) => {
        const from = bar.from ?? 0;
        const ends = [percent(from), percent(from + bar.value)];
        const left = Math.min(...ends);
        const fill = make("span", {
          class: `vae-bar vae-series-${bar.series ?? 1}`,
          style: `left: ${left}%; width: ${Math.max(...ends) - left}%`,
        });
        return make("div", { class: "vae-bar-row" },
          make("span", {}, ...[bar.label].flat()),
          make("span", { class: "vae-bar-track", "aria-hidden": "true" }, fill),
          make("span", { class: "vae-bar-value" }, `${showNumber(bar.value)}\u00a0${unit}`));
      }));
    },
  };
}

/** The box of an explorable: a titled group; say(text) speaks to a screen reader. */
function makeFrame({ title, parts }) {
  const name = make("p", { class: "vae-title", id: newId() }, title);
  const spoken = make("p", { role: "status", class: "vae-spoken" });
  return {
    node: make("div", { class: "vae-explorer", role: "group", "aria-labelledby": name.id },
      name, ...parts, spoken),
    say(text) { spoken.textContent = text; },
  };
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
