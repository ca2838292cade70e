// A small chart: curves, dots and rules over two axes, as SVG in the page's own text colour.

const MARGIN = { left: 48, right: 14, top: 24, bottom: 38 };
const FAR = 1e5; // pixels: what lies further out is cut off anyway

function makeSvg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Round numbers from lo to hi: about `count` of them, or the powers of ten. */
function tickValues([lo, hi], log, count) {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(lo) - 1e-9), Math.floor(Math.log10(hi) + 1e-9)];
    const stride = Math.max(1, Math.ceil((last - first) / 6));
    const powers = [];
    for (let power = first; power <= last; power += stride) powers.push(10 ** power);
    return powers;
  }
  const rough = (hi - lo) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough);
  const ticks = [];
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + 1e-9 * step; i++) ticks.push(i * step);
  return ticks;
}

function tickText(value) {
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-3)) {
    return value.toExponential(0).replace("e+", "e").replaceAll("-", "\u2212");
  }
  const text = Number(size.toPrecision(6)).toLocaleString("en-GB", { maximumFractionDigits: 4 });
  return value < 0 ? `\u2212${text}` : text;
}

/**
 * x, y: [lo, hi]; label: what a screen reader says of it (describe(text) changes it).
 * What is drawn: curve({series, dashed, fill, name}).set(xs, ys), dots({series, size, name})
 * .set(xs, ys), dot({…}).set(x, y), rule({axis, series, dashed, name}).set(value). A name puts the
 * series into the legend. setX(lo, hi), setY(lo, hi) move the axes. onDrag(f) calls f([x, y])
 * where the reader drags; give her sliders as well, for the keyboard.
 */
function makePlot({ x, y, xLabel, yLabel, label, height = 220, xLog = false, yLog = false }) {
  const clip = newId();
  const clipBox = makeSvg("rect");
  const axes = makeSvg("g", { "aria-hidden": "true" });
  const marks = makeSvg("g", { "clip-path": `url(#${clip})` });
  const svg = makeSvg("svg", { role: "img", "aria-label": label, height, class: "vae-chart" },
    makeSvg("clipPath", { id: clip }, clipBox), axes, marks);
  const legend = make("div", { class: "vae-legend" });
  const node = make("div", { class: "vae-plot" }, svg, legend);
  let width = 560;
  const items = [];

  const along = (v, [lo, hi], log) => (log ? Math.log(v / lo) / Math.log(hi / lo) : (v - lo) / (hi - lo));
  const near = (pixel) => Math.min(FAR, Math.max(-FAR, pixel));
  const inner = () => [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  const toX = (v) => near(MARGIN.left + inner()[0] * along(v, x, xLog));
  const toY = (v) => near(height - MARGIN.bottom - inner()[1] * along(v, y, yLog));
  const text = (at, words, extra = {}) => makeSvg("text", { ...at, ...extra }, words);

  function drawAxes() {
    const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
    const parts = [
      makeSvg("path", { class: "vae-axes", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}` }),
      text({ x: 4, y: 13 }, yLabel),
      text({ x: right, y: height - 4 }, xLabel, { "text-anchor": "end" }),
    ];
    for (const v of tickValues(x, xLog, Math.max(2, width / 90))) {
      parts.push(text({ x: toX(v), y: bottom + 15 }, tickText(v), { "text-anchor": "middle" }));
      parts.push(makeSvg("path", { class: "vae-grid", d: `M${toX(v)} ${MARGIN.top}V${bottom}` }));
    }
    for (const v of tickValues(y, yLog, height / 50)) {
      parts.push(text({ x: MARGIN.left - 6, y: toY(v) + 4 }, tickText(v), { "text-anchor": "end" }));
      parts.push(makeSvg("path", { class: "vae-grid", d: `M${MARGIN.left} ${toY(v)}H${right}` }));
    }
    axes.replaceChildren(...parts);
    const box = { x: MARGIN.left, y: MARGIN.top, width: inner()[0], height: inner()[1] };
    for (const [name, value] of Object.entries(box)) clipBox.setAttribute(name, Math.max(0, value));
  }

  function layout() {
    svg.setAttribute("width", width);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawAxes();
    for (const item of items) item();
  }

  /** A path of the series that path(...data) describes, again at every layout. */
  function add(kind, { series = 1, dashed = false, name = "" }, path) {
    const style = `vae-${kind} vae-series-${series}${dashed ? " vae-dashed" : ""}`;
    const mark = makeSvg("path", { class: style });
    let data = null;
    const draw = () => mark.setAttribute("d", data ? path(...data) : "");
    marks.append(mark);
    items.push(draw);
    if (name) {
      legend.append(make("span", {}, make("span", { class: `vae-key ${style}` }), ...[name].flat()));
    }
    return {
      set(...values) {
        data = values;
        draw();
      },
      mark,
    };
  }

  /** "M x y L x y …", broken where a value is not a number. */
  function trace(xs, ys) {
    let path = "";
    let pen = "M";
    for (let i = 0; i < xs.length; i++) {
      if (Number.isNaN(ys[i])) {
        pen = "M";
        continue;
      }
      path += `${pen}${toX(xs[i]).toFixed(2)} ${toY(ys[i]).toFixed(2)}`;
      pen = "L";
    }
    return path;
  }

  const points = (xs, ys) => {
    let path = "";
    for (let i = 0; i < xs.length; i++) path += `M${toX(xs[i]).toFixed(1)} ${toY(ys[i]).toFixed(1)}h0`;
    return path;
  };

  new ResizeObserver(([entry]) => {
    if (!entry.contentRect.width) return;
    width = entry.contentRect.width;
    layout();
  }).observe(node);
  layout();

  return {
    node,
    curve(options = {}) {
      const ground = options.fill
        ? add("area", { ...options, name: "" }, (xs, ys) => (
          `${trace(xs, Array.from(ys, (v) => (Number.isNaN(v) ? y[0] : v)))}L${toX(xs[xs.length - 1])} ${toY(y[0])}L${toX(xs[0])} ${toY(y[0])}Z`))
        : null;
      const line = add("line", options, trace);
      return {
        set(xs, ys) {
          ground?.set(xs, ys);
          line.set(xs, ys);
        },
      };
    },
    dots({ size = 4, ...options } = {}) {
      const handle = add("dots", options, points);
      handle.mark.style.strokeWidth = `${size}px`;
      return handle;
    },
    dot({ size = 11, ...options } = {}) {
      const handle = this.dots({ size, ...options });
      return { set: (px, py) => handle.set([px], [py]) };
    },
    rule({ axis = "x", ...options } = {}) {
      return add("line", options, (v) => (axis === "x"
        ? `M${toX(v)} ${MARGIN.top}V${height - MARGIN.bottom}`
        : `M${MARGIN.left} ${toY(v)}H${width - MARGIN.right}`));
    },
    setX(lo, hi) {
      x = [lo, hi];
      layout();
    },
    setY(lo, hi) {
      y = [lo, hi];
      layout();
    },
    describe(words) { svg.setAttribute("aria-label", words); },
    onDrag(listener) {
      const value = (share, [lo, hi], log) => (log ? lo * (hi / lo) ** share : lo + share * (hi - lo));
      const tell = (event) => {
        const box = svg.getBoundingClientRect();
        const share = [
          (event.clientX - box.left - MARGIN.left) / inner()[0],
          (box.bottom - event.clientY - MARGIN.bottom) / inner()[1],
        ].map((part) => Math.min(1, Math.max(0, part)));
        listener([value(share[0], x, xLog), value(share[1], y, yLog)]);
      };
      svg.classList.add("vae-draggable");
      svg.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        svg.setPointerCapture(event.pointerId);
        tell(event);
      });
      svg.addEventListener("pointermove", (event) => {
        if (svg.hasPointerCapture(event.pointerId)) tell(event);
      });
    },
  };
}
