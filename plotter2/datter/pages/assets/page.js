(function () {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // A page that is opened to be printed: light, without tools, in vectors, nothing wider or higher than the paper.
  const onPaper = window.location.hash === "#paper";
  const NARROW = 520;
  const KEPT = 60;
  const coarse = window.matchMedia("(pointer: coarse)").matches;
  const paper = { width: 960, height: 1200, frame_width: 780, frame_height: 1100 };
  const isNight = dark.matches && !onPaper;
  const printed = window.matchMedia("print");
  const shades = JSON.parse(text("shades"))[isNight ? "night" : "day"];
  // Browsers print by day: what was drawn at night keeps its ground on paper, and is not loaded anew meanwhile.
  if (isNight || onPaper) document.documentElement.classList.add(isNight ? "night" : "paper");
  dark.addEventListener("change", () => {
    if (!onPaper && !printed.matches && dark.matches !== isNight) window.location.reload();
  });

  // Numbers at axes: as they are from a ten thousandth to a thousand million, else with a power of ten; `ticks.py` says
  // the same for pictures that no browser draws.
  const POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  function plain(value, digits) { return value.toLocaleString("en-US", { maximumFractionDigits: digits }).replace("-", "−"); }
  window.plotter2Tick = (tick, ticks) => {
    if (tick === 0) return "0";
    const sizes = ticks.map(Math.abs);
    const top = Math.max(...sizes);
    const steps = ticks.slice(1).map((one, at) => Math.abs(one - ticks[at])).filter((one) => one > 0);
    const fine = Math.floor(Math.log10(steps.length ? Math.min(...steps) : top) + 1e-9);
    const power = Math.floor(Math.log10(Math.abs(tick)) + 1e-9);
    const digits = Math.max(power - fine, 0);
    if ((top >= 1e-4 && top < 1e9) || digits > 5) return plain(tick, Math.min(Math.max(-fine, 0), 15));
    const raised = [...String(Math.abs(power))].map((one) => POWERS[one]).join("");
    return plain(tick / 10 ** power, digits) + "×10" + (power < 0 ? "⁻" : "") + raised;
  };
  window.plotter2Value = (value) => {
    if (typeof value !== "number" || !Number.isFinite(value)) return String(value);
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e12)) return String(Number(value.toPrecision(7)).toExponential());
    return value.toLocaleString("en-US", { maximumSignificantDigits: Number.isInteger(value) ? 15 : 7 });
  };

  // Milliseconds since midnight as a clock shows them; what is less than a minute only where there is some.
  window.plotter2Clock = (value) => {
    if (typeof value !== "number" || !Number.isFinite(value)) return String(value);
    const [whole, left] = [Math.floor(value / 1000), Math.round(value % 1000)];
    const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60].map((one) => String(one).padStart(2, "0"));
    if (whole % 60 || left) parts.push(String(whole % 60).padStart(2, "0") + (left ? "." + String(left).padStart(3, "0") : ""));
    return (value < 0 ? "−" : "") + parts.join(":");
  };

  function text(id) { return document.getElementById(id).textContent; }

  async function inflated(packed) {
    const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  }

  function find(name) {
    for (const one of Bokeh.documents) {
      const model = one.get_model_by_name(name);
      if (model) return model;
    }
    return null;
  }

  // The frames of an animation, chunk by chunk; the last few that were wanted stay unpacked.
  function reel(about, lines) {
    const kept = new Map();
    const Whole = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }[about.bits];

    async function unpack(number) {
      const planes = new Uint8Array(await inflated(lines[number]));
      const values = new Whole(planes.length * 8 / about.bits);
      for (let from = 0, up = 0; from < planes.length; from += values.length, up += 8) {
        for (let at = 0; at < values.length; at += 1) values[at] |= planes[from + at] << up;
      }
      for (let at = about.size; at < values.length; at += 1) values[at] += values[at - about.size];
      return about.bits === 32 ? new Float32Array(values.buffer) : values;
    }
    function chunk(number) {
      const found = kept.get(number) || unpack(number);
      kept.delete(number);
      kept.set(number, found);
      if (kept.size > 4) kept.delete(kept.keys().next().value);
      return found;
    }
    return async function frame(place) {
      const number = Math.floor(place / about.each);
      const values = await chunk(number);
      if (number + 1 < lines.length) chunk(number + 1);
      const from = (place - number * about.each) * about.size;
      return values.subarray(from, from + about.size);
    };
  }

  function copy(target, part, ends) {
    if (!ends) { target.set(part); return; }
    const none = part instanceof Uint8Array ? 255 : 65535;
    const step = (ends[1] - ends[0]) / (none - 1);
    for (let at = 0; at < part.length; at += 1) target[at] = part[at] === none ? NaN : ends[0] + part[at] * step;
  }

  async function animate(box) {
    const about = JSON.parse(box.querySelector(".about").textContent);
    const frame = reel(about, box.querySelector(".frames").textContent.split("\n"));
    const space = window.plotter2Spaces && await window.plotter2Spaces[about.name];
    const source = space || find(about.name);
    const targets = space ? space.targets : about.column === "image" ? [source.data.image[0]]
      : about.column === "place" ? [source.data.x, source.data.y] : [source.data.y];
    const [button, slider, label, speed] = ["button", "input", "output", "select"].map((one) => box.querySelector(one));
    let [wanted, isBusy, since] = [0, false, null];

    async function show(place) {
      wanted = place;
      if (isBusy) return;
      isBusy = true;
      for (let shown = -1; shown !== wanted;) {
        shown = wanted;
        const values = await frame(shown);
        let from = 0;
        targets.forEach((target, part) => {
          copy(target, values.subarray(from, from + target.length), about.ends[part]);
          from += target.length;
        });
        if (space) space.draw();
        else source.change.emit();
        slider.value = shown;
        label.textContent = (about.axis ? about.axis + " " : "") + about.labels[shown];
      }
      isBusy = false;
    }
    function pause() {
      since = null;
      button.textContent = "▶";
    }
    // The clock decides which frame is due, so a slow machine leaves frames out and does not fall behind.
    function play() {
      const [begun, first] = [performance.now(), Number(slider.value)];
      since = begun;
      button.textContent = "❚❚";
      function tick(now) {
        if (since !== begun) return;
        const place = (first + Math.floor(Math.max(now - begun, 0) / 1000 * Number(speed.value))) % about.count;
        if (place !== wanted) show(place);
        window.requestAnimationFrame(tick);
      }
      window.requestAnimationFrame(tick);
    }
    button.addEventListener("click", () => (since === null ? play() : pause()));
    slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
    speed.addEventListener("change", () => { if (since !== null) play(); });
    show(0);
  }

  async function load() {
    const packed = document.getElementById("bokeh");
    if (!packed) return;
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(await inflated(packed.textContent));
    document.head.append(script);
  }

  // What stretches is given its width: nobody waits for a page to be measured once more before it is printed.
  function forPaper(root) {
    const made = root.attributes;
    if (made.sizing_mode === "stretch_width") {
      made.width = document.getElementById("p-" + root.id).clientWidth;
      delete made.sizing_mode;
    }
    const scale = Math.min(1, ...Object.keys(paper).map((side) => paper[side] / (made[side] || 1)));
    for (const side of Object.keys(paper)) if (made[side]) made[side] *= scale;
    // Beside vectors Bokeh measures a legend far too wide; such a figure stays a picture, a fine one.
    const sides = [...(made.right || []), ...(made.below || [])];
    if (!sides.some((one) => one.name === "Legend")) made.output_backend = "svg";
    made.toolbar_location = null;
  }

  // Words side by side that the width has no room for stand aslant, of very many upright.
  function tilt(axis, factors, room) {
    const look = axis.attributes;
    const named = look.major_label_overrides;
    const words = named ? named.entries.map((one) => String(one[1])) : factors || [];
    if (words.length < 2 || look.major_label_orientation) return;
    if ((Math.max(...words.map((one) => one.length)) + 1) * 7 * words.length <= room) return;
    look.major_label_orientation = words.length * 14 > room ? 1.57 : 0.8;
  }

  // At night the colours of a density, which are mixed in its pixels, are as light as those of points.
  function lighten(made) {
    for (const one of made._all_models.values()) {
      if (one.type !== "GlyphRenderer" || one.glyph.type !== "ImageRGBA" || !one.data_source.data.count) continue;
      for (const image of one.data_source.data.image) {
        const pixels = new Uint8Array(image.buffer, image.byteOffset, image.byteLength);
        for (let at = 0; at < pixels.length; at += 1) if (at % 4 !== 3) pixels[at] += (255 - pixels[at]) * 0.3;
      }
      one.data_source.change.emit();
    }
  }

  // A narrow page: legends go under the drawings, what has a fixed size shrinks to what there is.
  function forRoom(root) {
    const made = root.attributes;
    const room = document.getElementById("p-" + root.id).clientWidth;
    let margins = 100 + 75 * (made.right || []).some((one) => one.name === "ColorBar");
    if (room < NARROW && (made.right || []).some((one) => one.name === "Legend")) {
      const legends = made.right.filter((one) => one.name === "Legend");
      made.right = made.right.filter((one) => one.name !== "Legend");
      made.below = [...(made.below || []), ...legends];
      for (const one of legends) {
        one.attributes.margin = 4;
        if (made.height) made.height += 24 * (one.attributes.items.length + (one.attributes.title ? 1 : 0));
      }
    } else if (room < NARROW && made.height) made.height = Math.min(made.height, Math.max(room, 260));
    if (room < NARROW) {
      for (const axis of made.below) if (axis.name.endsWith("Axis")) tilt(axis, made.x_range.attributes.factors, room - 70);
    }
    for (const one of made.right || []) {
      if (one.name === "Legend") margins += 50 + 7 * Math.max(...one.attributes.items.map((item) => item.attributes.label.value.length));
    }
    if (made.frame_width && made.frame_width + margins > room) {
      const least = (made.tags || []).includes("keeps its width") ? 560 : 60;
      const share = Math.min(Math.max(room - margins, least) / made.frame_width, 1);
      made.frame_width *= share;
      made.frame_height *= share;
    }
    // A finger that moves over a figure moves the page; the tools above the figure say otherwise.
    if (coarse) made.toolbar.attributes.active_drag = null;
  }

  async function start() {
    await load();
    if (typeof Bokeh === "undefined") {
      for (const plot of document.querySelectorAll(".plot")) {
        plot.innerHTML = '<p class="error">The folder "_assets" must lie beside this page; copy it along.</p>';
      }
      return;
    }
    let written = text("doc");
    const roles = Object.keys(shades);
    if (roles.length > 0) written = written.replace(new RegExp(roles.join("|"), "g"), (one) => shades[one]);
    const whole = JSON.parse(written);
    whole.roots.forEach(onPaper ? forPaper : forRoom);
    for (const box of document.querySelectorAll("[data-motion]")) if (!box.parentElement.querySelector(".plot")) animate(box);
    if (onPaper) for (const root of whole.roots) await draw(whole, root);
    else whenSeen(whole);
  }

  function place(root) { return document.getElementById("p-" + root.id); }

  async function draw(whole, root) {
    const items = [{ docid: root.id, roots: { [root.id]: "p-" + root.id }, root_ids: [root.id] }];
    const known = new Set(Bokeh.documents);
    await Bokeh.embed.embed_items({ [root.id]: { version: whole.version, title: whole.title, roots: [root] } }, items);
    const made = Bokeh.documents.find((one) => !known.has(one) && one.get_model_by_id(root.id));
    if (isNight) lighten(made);
    place(root).parentElement.querySelectorAll("[data-motion]").forEach(animate);
    return made;
  }

  // A figure is drawn when it comes near what is seen, one after the other; of very many the ones left long ago are let
  // go again, but animations. Until then its room is kept, so that nothing moves under the reader.
  function whenSeen(whole) {
    const [near, drawn, wanted] = [new Set(), new Map(), []];
    let isBusy = false;
    const roots = new Map(whole.roots.map((root) => [place(root), root]));
    for (const [box, root] of roots) {
      const made = root.attributes;
      box.style.minHeight = (made.height || made.frame_height + 90) + "px";
    }
    async function work() {
      if (isBusy) return;
      isBusy = true;
      while (wanted.length > 0) {
        const box = wanted.shift();
        if (!near.has(box) || drawn.has(box)) continue;
        drawn.set(box, await draw(whole, roots.get(box)));
        box.style.minHeight = "";
        letGo();
        await new Promise((done) => setTimeout(done));
      }
      isBusy = false;
    }
    function letGo() {
      for (const [box, made] of drawn) {
        if (drawn.size <= KEPT) return;
        if (near.has(box) || box.parentElement.querySelector("[data-motion]")) continue;
        drawn.delete(box);
        box.style.minHeight = box.clientHeight + "px";
        made.clear();
        Bokeh.documents.splice(Bokeh.documents.indexOf(made), 1);
        box.replaceChildren();
      }
    }
    const watch = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        near[isIntersecting ? "add" : "delete"](target);
        if (isIntersecting && !drawn.has(target)) wanted.push(target);
      }
      work();
    }, { rootMargin: "600px 0px" });
    for (const box of roots.keys()) watch.observe(box);
  }
  start();
})();
