// What lies over the map: axes, what is hovered, found and selected, the path.

const MEASURE = document.createElement("canvas").getContext("2d");

class Overlay {
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
  }

  paint(view, state, ratio) {
    const width = Math.max(1, Math.round(view.width * ratio)), height = Math.max(1, Math.round(view.height * ratio));
    if (this.canvas.width !== width || this.canvas.height !== height) { this.canvas.width = width; this.canvas.height = height; }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    this.draw(context, view, state);
  }

  // The same on any context.
  draw(context, view, state) {
    const inks = INKS[state.theme];
    this.axes(context, view, state);
    if (state.matches.length) this.shade(context, view, state.matches, inks);
    if (state.hover >= 0) this.ring(context, view, state.hover, inks, 1.6);
    if (state.start >= 0) this.ring(context, view, state.start, { ...inks, accent: inks.way }, 2);
    if (state.path) this.path(context, view, state.path, inks);
    if (state.selected >= 0) this.ring(context, view, state.selected, inks, 3);
    if (state.pin) this.pin(context, view, state.pin, inks);
    if (state.aiming) this.cross(context, view, inks);
  }

  ring(context, view, region, inks, width) {
    context.beginPath();
    outline(context, view, this.data.offsets, this.data.corners, this.data.boxes, region);
    context.lineJoin = "round";
    context.strokeStyle = inks.halo;
    context.lineWidth = width + 2.5;
    context.stroke();
    context.strokeStyle = inks.accent;
    context.lineWidth = width;
    context.stroke();
  }

  shade(context, view, regions, inks) {
    const { boxes } = this.data, [a, b, c, d] = view.window;
    context.beginPath();
    for (const i of regions) {
      if (boxes[4 * i] <= c && boxes[4 * i + 2] >= a && boxes[4 * i + 1] <= d && boxes[4 * i + 3] >= b) {
        outline(context, view, this.data.offsets, this.data.corners, boxes, i);
      }
    }
    context.globalAlpha = 0.7;
    context.fillStyle = inks.found;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = inks.ink;
    context.lineWidth = 0.8;
    context.stroke();
  }

  // From middle to middle through the facets that are crossed.
  path(context, view, path, inks) {
    const { centres, edgeEnds } = this.data;
    context.beginPath();
    path.forEach((region, k) => {
      const x = view.sx(centres[2 * region]), y = view.sy(centres[2 * region + 1]);
      if (k) {
        const e = 4 * edgeBetween(this.data, path[k - 1], region);
        context.lineTo(view.sx((edgeEnds[e] + edgeEnds[e + 2]) / 2), view.sy((edgeEnds[e + 1] + edgeEnds[e + 3]) / 2));
        context.lineTo(x, y);
      } else context.moveTo(x, y);
    });
    for (const [colour, width] of [[inks.halo, 6], [inks.way, 2.6]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.lineJoin = "round";
      context.stroke();
    }
    context.fillStyle = inks.way;
    for (const region of path) this.dot(context, view.sx(centres[2 * region]), view.sy(centres[2 * region + 1]), 3.5);
  }

  dot(context, x, y, radius) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
  }

  pin(context, view, [x, y], inks) {
    context.fillStyle = inks.halo;
    this.dot(context, view.sx(x), view.sy(y), 6);
    context.fillStyle = inks.way;
    this.dot(context, view.sx(x), view.sy(y), 4);
  }

  cross(context, view, inks) {
    const x = view.width / 2, y = view.height / 2;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 3 * dx, y + 3 * dy);
      context.lineTo(x + 10 * dx, y + 10 * dy);
    }
    context.strokeStyle = inks.halo;
    context.lineWidth = 4;
    context.stroke();
    context.strokeStyle = inks.accent;
    context.lineWidth = 1.6;
    context.stroke();
  }

  // Where the name of the first axis begins, at the right end of the axis.
  nameStart(context, view) {
    MEASURE.font = context.font;
    return view.width - 18 - MEASURE.measureText(this.data.axes[0]).width;
  }

  axes(context, view, state) {
    const dark = state.theme === "dark", [a, b, c, d] = view.window;
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 3;
    context.strokeStyle = dark ? "#14171b" : "#ffffff";
    context.fillStyle = dark ? "#e8eaed" : "#333333";
    const label = (text, x, y) => { context.strokeText(text, x, y); context.fillText(text, x, y); };
    context.textAlign = "center";
    for (const t of ticks(a, c, view.width / 90)) {
      const x = view.sx(t);
      if (x > 40 && x < this.nameStart(context, view) - 24) { label(shortNumber(t, c - a), x, view.height - 8); context.fillRect(x - 0.5, view.height - 5, 1, 5); }
    }
    context.textAlign = "left";
    label(this.data.axes[0], this.nameStart(context, view), view.height - 8);
    for (const t of ticks(b, d, view.height / 70)) {
      const y = view.sy(t);
      if (y > 24 && y < view.height - 24) { label(shortNumber(t, d - b), 8, y + 4); context.fillRect(0, y - 0.5, 5, 1); }
    }
    label(this.data.axes[1], 8, 16);
  }
}

// About n round numbers between two ends.
function ticks(low, high, n) {
  const rough = (high - low) / Math.max(1, n), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  if (!(step > 0) || high + step === high) return found; // zoomed in to the last digit
  for (let k = Math.ceil(low / step); k * step <= high && found.length < 50; k++) found.push(k * step);
  return found;
}

// A number with as many digits as the span on the screen needs.
function shortNumber(value, span) {
  const digits = Math.max(0, Math.min(15, 1 - Math.floor(Math.log10(span / 4))));
  return Math.abs(value) < span * 1e-9 ? "0" : Math.abs(value) >= 1e6 ? value.toPrecision(6) : String(Number(value.toFixed(digits)));
}
