// Things in three dimensions: drag turns them, the wheel comes nearer, a double click goes back; arrows do as dragging.
(function () {
  "use strict";
  const START = { azimuth: -60 * Math.PI / 180, elevation: 22 * Math.PI / 180, zoom: 1 };
  const DISTANCE = 6;
  const shown = {};
  const isNight = window.matchMedia("(prefers-color-scheme: dark)").matches && window.location.hash !== "#paper";
  const shades = JSON.parse(document.getElementById("shades").textContent)[isNight ? "night" : "day"];
  window.plotter2Spaces = shown;

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  async function unpacked(packed) {
    const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Float32Array(await new Response(stream).arrayBuffer());
  }

  async function begin(box) {
    const about = JSON.parse(box.querySelector(".about").textContent);
    const canvas = box.querySelector("canvas");
    const tip = box.querySelector(".tip");
    const pen = canvas.getContext("2d");
    const half = about.half;
    const low = about.axes.map((one) => one.low);
    const high = about.axes.map((one) => one.high);
    for (const layer of about.layers) {
      const all = await unpacked(layer.data);
      const count = all.length / (layer.is_shaded ? 4 : 3);
      layer.count = count;
      layer.colour = shades[layer.colour] || layer.colour;
      layer.xyz = [0, 1, 2].map((side) => all.subarray(side * count, (side + 1) * count));
      layer.shade = layer.is_shaded ? all.subarray(3 * count) : null;
      layer.seen = new Float32Array(3 * count);
    }
    const view = { ...START };
    let [width, height, scale, turn, waits] = [0, 0, 1, [], false];

    function look() {
      const [ca, sa] = [Math.cos(view.azimuth), Math.sin(view.azimuth)];
      const [ce, se] = [Math.cos(view.elevation), Math.sin(view.elevation)];
      turn = [[-sa, ca, 0], [-se * ca, -se * sa, ce], [ce * ca, ce * sa, se]];
    }
    function see(x, y, z) {
      const place = [x, y, z].map((one, side) => ((one - low[side]) / (high[side] - low[side]) * 2 - 1) * half[side]);
      const [u, v, near] = turn.map((row) => row[0] * place[0] + row[1] * place[1] + row[2] * place[2]);
      const k = scale * DISTANCE / (DISTANCE - near);
      return [(width - bar()) / 2 + u * k, height * 0.475 - v * k, near];
    }
    function shadeOf(value) {
      const share = (value - about.shades.low) / (about.shades.high - about.shades.low || 1);
      return about.shades.steps[Math.max(0, Math.min(255, Math.round(share * 255)))];
    }
    const bar = () => (about.shades ? 90 : 0);
    function write(words, x, y, size, ink) {
      pen.font = size + "px system-ui, sans-serif";
      pen.fillStyle = ink;
      pen.fillText(words, x, y);
    }

    function drawBox() {
      const behind = turn[2].map((one, side) => (one > 0 ? low[side] : high[side]));
      const before = turn[2].map((one, side) => (one > 0 ? high[side] : low[side]));
      const middle = see(...low.map((one, side) => (one + high[side]) / 2));
      pen.lineWidth = 1;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      about.axes.forEach((axis, side) => {
        let edge = behind.slice();
        if (side < 2) edge[1 - side] = before[1 - side];
        else {
          const both = [[behind[0], before[1], behind[2]], [before[0], behind[1], behind[2]]];
          edge = see(...both[0])[0] < see(...both[1])[0] ? both[0] : both[1];
        }
        function put(value, out, words, size, ink) {
          const at = edge.slice();
          at[side] = value;
          const [x, y] = see(...at);
          const length = Math.hypot(x - middle[0], y - middle[1]) || 1;
          const [dx, dy] = [(x - middle[0]) / length, (y - middle[1]) / length];
          pen.font = size + "px system-ui, sans-serif";
          const wide = pen.measureText(words).width / 2;
          const across = Math.min(Math.max(x + dx * (out + wide), wide + 2), width - bar() - wide - 2);
          write(words, across, y + dy * out, size, ink);
        }
        for (const [value, words] of axis.ticks) {
          pen.strokeStyle = colour("--line");
          for (const other of [0, 1, 2]) {
            if (other === side) continue;
            const third = 3 - side - other;
            const from = behind.slice();
            from[side] = value;
            const to = from.slice();
            to[third] = before[third];
            pen.beginPath();
            pen.moveTo(...see(...from).slice(0, 2));
            pen.lineTo(...see(...to).slice(0, 2));
            pen.stroke();
          }
          put(value, 15, words, 11, colour("--muted"));
        }
        if (side < 2) { put((low[side] + high[side]) / 2, 50, axis.label, 13, colour("--ink")); return; }
        // The name of the upright axis stands on top of it, where nothing else is.
        const [x, y] = see(edge[0], edge[1], high[2]);
        pen.font = "13px system-ui, sans-serif";
        const reach = pen.measureText(axis.label).width / 2;
        write(axis.label, Math.max(x, reach + 2), Math.max(y - 18, 10), 13, colour("--ink"));
      });
    }

    // Everything is put on the paper from the farthest to the nearest.
    function drawLayers() {
      const pieces = [];
      about.layers.forEach((layer, number) => {
        for (let at = 0; at < layer.count; at += 1) {
          layer.seen.set(see(layer.xyz[0][at], layer.xyz[1][at], layer.xyz[2][at]), 3 * at);
        }
        const seen = layer.seen;
        if (layer.mark === "surface") {
          const columns = layer.count / layer.rows;
          for (let row = 0; row + 1 < layer.rows; row += 1) {
            for (let at = row * columns; at + 1 < (row + 1) * columns; at += 1) {
              const corners = [at, at + 1, at + columns + 1, at + columns];
              const near = corners.reduce((sum, one) => sum + seen[3 * one + 2], 0) / 4;
              if (Number.isFinite(near)) pieces.push([near, number, corners]);
            }
          }
        } else {
          const first = layer.mark === "line" ? 1 : 0;
          for (let at = first; at < layer.count; at += 1) {
            const near = seen[3 * at + 2];
            if (Number.isFinite(near + seen[3 * (at - first) + 2])) pieces.push([near, number, at]);
          }
        }
      });
      pieces.sort((one, other) => one[0] - other[0]);
      for (const [near, number, at] of pieces) {
        const layer = about.layers[number];
        const seen = layer.seen;
        pen.globalAlpha = layer.alpha;
        if (layer.mark === "surface") {
          const ink = shadeOf(at.reduce((sum, one) => sum + layer.shade[one], 0) / 4);
          pen.beginPath();
          at.forEach((one, place) => pen[place ? "lineTo" : "moveTo"](seen[3 * one], seen[3 * one + 1]));
          pen.closePath();
          pen.fillStyle = pen.strokeStyle = ink;
          pen.lineWidth = 0.6;
          pen.fill();
          pen.stroke();
        } else if (layer.mark === "line") {
          pen.strokeStyle = layer.shade ? shadeOf(layer.shade[at]) : layer.colour;
          pen.lineWidth = layer.size;
          pen.beginPath();
          pen.moveTo(seen[3 * at - 3], seen[3 * at - 2]);
          pen.lineTo(seen[3 * at], seen[3 * at + 1]);
          pen.stroke();
        } else {
          pen.fillStyle = layer.shade ? shadeOf(layer.shade[at]) : layer.colour;
          pen.beginPath();
          pen.arc(seen[3 * at], seen[3 * at + 1], layer.size / 2 * DISTANCE / (DISTANCE - near), 0, 7);
          pen.fill();
        }
      }
      pen.globalAlpha = 1;
    }

    function drawBar() {
      const bar = about.shades;
      if (!bar) return;
      const [left, top, long] = [width - 74, 34, height - 90];
      bar.steps.forEach((ink, place) => {
        pen.fillStyle = ink;
        pen.fillRect(left, top + long * (1 - (place + 1) / 256), 14, long / 256 + 1);
      });
      pen.textBaseline = "middle";
      pen.textAlign = "left";
      for (const [value, words] of bar.ticks) {
        write(words, left + 19, top + long * (1 - (value - bar.low) / (bar.high - bar.low || 1)), 11, colour("--muted"));
      }
      write(bar.title, left, top - 16, 12, colour("--muted"));
    }

    function draw() {
      waits = false;
      const sharp = Math.max(window.devicePixelRatio || 1, window.location.hash === "#paper" ? 3 : 1);
      [width, height] = [canvas.clientWidth, canvas.clientHeight];
      if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
        canvas.width = Math.round(width * sharp);
        canvas.height = Math.round(height * sharp);
      }
      scale = Math.min(width - (about.shades ? 120 : 40), height) * 0.325 * view.zoom;
      look();
      pen.setTransform(sharp, 0, 0, sharp, 0, 0);
      pen.clearRect(0, 0, width, height);
      drawBox();
      drawLayers();
      drawBar();
    }
    function soon() {
      if (waits) return;
      waits = true;
      window.requestAnimationFrame(draw);
    }
    function turnBy(across, up) {
      view.azimuth -= across * 0.01;
      view.elevation = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, view.elevation + up * 0.01));
      soon();
    }
    function nearer(factor) {
      view.zoom = Math.max(0.3, Math.min(12, view.zoom * factor));
      soon();
    }
    function tell(event) {
      const place = canvas.getBoundingClientRect();
      const [x, y] = [event.clientX - place.left, event.clientY - place.top];
      let best = null;
      let reach = 10;
      for (const layer of about.layers) {
        if (!layer.hover.length) continue;
        for (let at = 0; at < layer.count; at += 1) {
          const away = Math.hypot(layer.seen[3 * at] - x, layer.seen[3 * at + 1] - y) - layer.seen[3 * at + 2] * 0.5;
          if (away < reach) [best, reach] = [[layer, at], away];
        }
      }
      tip.hidden = best === null;
      if (best === null) return;
      const [layer, at] = best;
      const value = { x: layer.xyz[0][at], y: layer.xyz[1][at], z: layer.xyz[2][at], colour: layer.shade && layer.shade[at],
        object: layer.objects && layer.objects[at] };
      const lines = layer.hover.map(([words, name]) =>
        words + ": " + (typeof value[name] === "number" ? Number(value[name].toPrecision(6)) : value[name]));
      tip.textContent = (layer.name ? [layer.name, ...lines] : lines).join("\n");
      tip.style.left = Math.min(x + 14, width - tip.offsetWidth) + "px";
      tip.style.top = Math.max(y - tip.offsetHeight - 8, 0) + "px";
    }

    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
      tip.hidden = true;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) { tell(event); return; }
      turnBy(event.clientX - held[0], event.clientY - held[1]);
      held = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { held = null; });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); nearer(Math.exp(-event.deltaY * 0.001)); },
      { passive: false });
    canvas.addEventListener("dblclick", () => { Object.assign(view, START); soon(); });
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-9, 0], ArrowRight: [9, 0], ArrowUp: [0, -9], ArrowDown: [0, 9] }[event.key];
      if (way) { event.preventDefault(); turnBy(...way); }
      if (event.key === "+" || event.key === "-") nearer(event.key === "+" ? 1.15 : 1 / 1.15);
    });
    new ResizeObserver(draw).observe(canvas);
    draw();
    return { targets: about.layers.length ? about.layers[0].xyz : [], draw: soon, name: about.name };
  }

  for (const one of document.querySelectorAll(".key li")) {
    const mark = one.style.getPropertyValue("--mark").trim();
    if (shades[mark]) one.style.setProperty("--mark", shades[mark]);
  }
  for (const box of document.querySelectorAll("[data-space]")) shown[box.dataset.space] = begin(box);
})();
