// The number ruler: the reader's own number among those of the same data and measure.

function buildRuler({ options, state, onChange }) {
  const { title, rows, floor, alone, nothing } = options;
  const kinds = {
    data: [["dynamic", "binarised anew (dynamic)"], ["static", "binarised once (static)"]],
    measure: [["negative elbo", "\u2212ELBO"], ["nll", "NLL"]],
  };
  let now = { ...state };

  const id = newId();
  const field = make("input", {
    type: "number", id, min: 0.01, step: "any", inputmode: "decimal", class: "vae-number", ...KEEPS_ITS_KEYS,
  });
  field.addEventListener("input", () => {
    const value = Number(field.value);
    if (field.value !== "" && value > 0 && Number.isFinite(value)) choose({ value });
    else frame.say("A positive number of nats is needed.");
  });
  const choices = Object.entries({ data: "Data", measure: "Measure" }).map(([name, label]) => {
    const choice = makeChoice({
      label, options: kinds[name].map(([, text]) => text),
      onInput: (index) => choose({ [name]: kinds[name][index][0] }),
    });
    return { ...choice, name };
  });
  const bars = makeBars({ label: "Nats per test image, the best first", min: 0, max: 250, unit: "nats" });
  const verdict = make("p", { class: "vae-verdict" });

  const shown = () => [
    { label: "your number", value: now.value, series: 2 },
    ...rows
      .filter((row) => [now.data, "any"].includes(row.data) && [now.measure, "any"].includes(row.measure))
      .map((row) => ({ label: row.label, value: row.value, series: row.data === "any" ? 3 : 1 })),
  ].sort((a, b) => a.value - b.value);

  /** What a number of this size can and cannot be. */
  function judge() {
    const { value } = now;
    const bits = value / Math.LN2;
    const also = `That is ${showNumber(bits)} bits per image, ${(bits / 784).toFixed(4)} bits per pixel.`;
    if (value < 1) {
      return `Smaller than 1: perhaps a mean over pixels. Times 784 it is ${showNumber(784 * value)} nats per image.`;
    }
    if (value < floor) {
      return `Below the floor: the coin tosses of the binarisation alone cost ${showNumber(floor)} nats. This is no `
        + "average over binarised test images: thresholded pixels, training images, another unit, or a bug.";
    }
    if (value > nothing) {
      return `Worse than knowing nothing: a fair coin for each pixel costs ${showNumber(nothing)} nats.`;
    }
    if (value > alone) {
      return `Worse than independent pixels, ${showNumber(alone)} nats: the latents tell nothing yet.`;
    }
    const worse = shown().find((row) => row.value > value && row.label !== "your number");
    const better = shown().findLast((row) => row.value < value && row.series === 1);
    const parts = [`${showNumber(value - floor)} nats above the floor.`];
    if (better) parts.push(`${showNumber(value - better.value)} more than \u201c${better.label}\u201d.`);
    if (worse) parts.push(`${showNumber(worse.value - value)} fewer than \u201c${worse.label}\u201d.`);
    return `${parts.join(" ")} ${also}`;
  }

  function show() {
    if (Number(field.value) !== now.value) field.value = now.value;
    for (const choice of choices) choice.show(kinds[choice.name].findIndex(([key]) => key === now[choice.name]));
    bars.set(shown());
    verdict.textContent = judge();
  }

  function choose(change) {
    now = { ...now, ...change };
    show();
    frame.say(verdict.textContent);
    onChange(now);
  }

  const number = make("div", { class: "vae-select" }, make("label", { for: id }, "Your number, in nats"), field);
  const frame = makeFrame({
    title,
    parts: [make("div", { class: "vae-row" }, number, ...choices.map((choice) => choice.node)), bars.node, verdict],
  });
  show();
  return {
    node: frame.node,
    start() {},
    update(next) {
      now = { ...now, ...next };
      show();
    },
    destroy() {},
  };
}

explorables["number-ruler"] = buildRuler;
