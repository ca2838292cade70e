// The static page's adapter: each explorable is a custom element, with a picture inside it that
// stays where nothing else can be shown.

const loading = new Map();

/** A bundle's bytes by its id: from a script in the page, or from a script file beside it, which
 * (unlike fetch) also loads from file://. Elements with the same id share one promise. */
function loadWeights(id, source) {
  if (!loading.has(id)) loading.set(id, findWeights(id, source).then(fromBase64));
  return loading.get(id);
}

async function findWeights(id, source) {
  const inline = document.getElementById(id);
  if (inline) return inline.textContent;
  if (!globalThis.__vaeWeights?.[id]) {
    if (!source) throw new Error("this page does not hold the decoder's weights");
    await new Promise((resolve, reject) => {
      const script = make("script", { src: source });
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${source} did not load`));
      document.head.append(script);
    });
  }
  return globalThis.__vaeWeights[id];
}

function fromBase64(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

const whenParsed = new Promise((resolve) => {
  if (document.readyState !== "loading") resolve();
  else document.addEventListener("DOMContentLoaded", resolve, { once: true });
});

function elementFor(build) {
  return class extends HTMLElement {
    connectedCallback() {
      if (this.view) return; // moved within the page
      const { options, state } = this.dataset;
      this.view = build({
        options: JSON.parse(options), state: JSON.parse(state), onChange() {},
      });
      this.reserve();
      const watcher = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watcher.disconnect();
        this.start();
      }, { rootMargin: "400px" });
      watcher.observe(this);
    }

    /** Takes the room that the controls will need, so that nothing below moves when they come.
     * A script in the head, without defer, does this before the first paint. */
    reserve() {
      const measured = make("div", { class: "vae-measured" }, this.view.node);
      this.append(measured);
      this.style.minHeight = `${measured.offsetHeight}px`;
      measured.remove();
    }

    async start() {
      try {
        await whenParsed; // the picture and the weights may still be on their way
        const { weights, weightsSrc } = this.dataset;
        this.view.start(weights ? await loadWeights(weights, weightsSrc) : null);
        this.replaceChildren(this.view.node);
        this.style.minHeight = "";
      } catch (error) {
        const text = `The controls could not start: ${error.message}.`;
        this.append(make("p", { role: "alert" }, text));
        console.error(error);
      }
    }
  };
}

document.head.append(make("style", {}, STYLE));
for (const [tag, build] of Object.entries(explorables)) {
  if (!customElements.get(tag)) customElements.define(tag, elementFor(build));
}
