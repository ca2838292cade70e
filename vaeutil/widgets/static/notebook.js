// The live notebook's adapter: an anywidget module. The page draws at once and tells Python at
// most every 50 ms; it never waits for Python.

const TELL_MS = 50;

export default {
  render({ model, el }) {
    const names = model.get("moves");
    let ours = false;
    let timer = 0;
    const read = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const tell = () => {
      timer = 0;
      model.save_changes();
    };
    const view = explorables[model.get("tag")]({
      options: model.get("options"),
      state: read(),
      onChange(state) {
        ours = true;
        for (const name of names) model.set(name, state[name]);
        ours = false;
        timer ||= setTimeout(tell, TELL_MS);
      },
    });
    el.replaceChildren(view.node);
    view.start(model.get("weights"));
    const follow = () => {
      if (!ours) view.update(read());
    };
    for (const name of names) model.on(`change:${name}`, follow);
    return () => {
      for (const name of names) model.off(`change:${name}`, follow);
      if (timer) {
        clearTimeout(timer);
        tell();
      }
      view.destroy();
    };
  },
};
