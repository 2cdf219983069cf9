(function () {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const night = { "#1c2733": "#e6eaf0", "#5b6875": "#9aa7b5", "#e4e8ed": "#2c343d" };
  dark.addEventListener("change", () => window.location.reload());

  function text(id) { return document.getElementById(id).textContent; }

  async function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  function find(name) {
    for (const one of Bokeh.documents) {
      const model = one.get_model_by_name(name);
      if (model) return model;
    }
    return null;
  }

  async function animate(box) {
    const about = JSON.parse(box.querySelector(".about").textContent);
    const buffer = await unpack(box.querySelector(".frames").textContent);
    const quantised = about.span.length > 0;
    const all = quantised ? new Uint8Array(buffer) : new Float32Array(buffer);
    const size = all.length / about.count;
    const source = find(about.name);
    const targets = about.column === "image" ? [source.data.image[0]]
      : about.column === "place" ? [source.data.x, source.data.y] : [source.data.y];
    const [button, slider, label, speed] = ["button", "input", "output", "select"].map((one) => box.querySelector(one));
    let timer = null;

    function show(place) {
      const frame = all.subarray(place * size, (place + 1) * size);
      let from = 0;
      for (const target of targets) {
        const part = frame.subarray(from, from + target.length);
        from += target.length;
        if (quantised) {
          const step = (about.span[1] - about.span[0]) / 254;
          for (let at = 0; at < part.length; at += 1) target[at] = part[at] === 255 ? NaN : about.span[0] + part[at] * step;
        } else {
          target.set(part);
        }
      }
      source.change.emit();
      slider.value = place;
      label.textContent = (about.axis ? about.axis + " " : "") + about.labels[place];
    }
    function pause() {
      clearInterval(timer);
      timer = null;
      button.textContent = "▶";
    }
    function play() {
      button.textContent = "❚❚";
      timer = setInterval(() => show((Number(slider.value) + 1) % about.count), 1000 / Number(speed.value));
    }
    button.addEventListener("click", () => (timer === null ? play() : pause()));
    slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
    speed.addEventListener("change", () => { if (timer !== null) { pause(); play(); } });
    show(0);
  }

  async function start() {
    if (typeof Bokeh === "undefined") {
      for (const plot of document.querySelectorAll(".plot")) {
        plot.innerHTML = '<p class="error">The folder "_assets" must lie beside this page; copy it along.</p>';
      }
      return;
    }
    let written = text("doc");
    if (dark.matches) for (const day of Object.keys(night)) written = written.replaceAll(day, night[day]);
    const items = JSON.parse(text("items"));
    if (items[0].root_ids.length > 0) await Bokeh.embed.embed_items({ d: JSON.parse(written) }, items);
    document.querySelectorAll("[data-motion]").forEach(animate);
  }
  start();
})();
