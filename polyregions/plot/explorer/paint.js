// The map itself, painted in slices: a frame never waits for more than BUDGET ms, however many regions there are.
// Meanwhile the last finished map is shown, moved and scaled to where it belongs now.

const BUDGET = 9; // ms of painting a frame
const SLICE = 1500; // polygons or segments between two looks at the clock
const SPECK = 1.2; // pixels: what is smaller is a dot

class Painter {
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
    this.front = document.createElement("canvas");
    this.back = document.createElement("canvas");
    this.shown = null; // the view of `front`
    this.work = null;
    this.finished = 0; // ms that the last whole map took
  }

  // Start a new map; the one being painted is given up.
  begin(view, state, ratio) {
    this.ratio = ratio;
    this.wanted = view;
    for (const canvas of [this.back, this.canvas]) {
      const width = Math.max(1, Math.round(view.width * ratio)), height = Math.max(1, Math.round(view.height * ratio));
      if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    }
    this.spent = 0;
    this.work = this.strokes(this.back.getContext("2d", { alpha: false }), view, state, ratio);
  }

  // Go on for one frame; whether there is more to do.
  frame(paper) {
    const start = performance.now();
    while (this.work && performance.now() - start < BUDGET) if (this.work.next().done) this.finish(start);
    if (this.work) this.spent += performance.now() - start;
    this.present(paper);
    return this.work !== null;
  }

  finish(start) {
    this.finished = this.spent + performance.now() - start;
    [this.front, this.back] = [this.back, this.front];
    this.shown = this.wanted;
    this.work = null;
  }

  present(paper) {
    const context = this.canvas.getContext("2d", { alpha: false }), { shown, wanted, ratio } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (!shown || !shown.same(wanted)) { context.fillStyle = paper; context.fillRect(0, 0, this.canvas.width, this.canvas.height); }
    if (!shown) return;
    const left = wanted.sx(shown.px(0)), top = wanted.sy(shown.py(0));
    const width = (shown.width * wanted.perX) / shown.perX, height = (shown.height * wanted.perY) / shown.perY;
    context.drawImage(this.front, left * ratio, top * ratio, width * ratio, height * ratio);
  }

  // The map on any context, some strokes at a time.
  *strokes(context, view, state, ratio) {
    const inks = INKS[state.theme], { data } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = inks.paper;
    context.fillRect(0, 0, view.width, view.height);
    yield* this.fills(context, view, fillOf(data, state));
    if (state.lines) yield* this.lines(context, view, state, inks);
    if (state.boundary && state.layer === data.layers.length) yield* this.boundary(context, view, inks, boundaryInk(state));
    if (state.points) yield* this.points(context, view);
    this.frameOf(context, view, inks);
  }

  *fills(context, view, fill) {
    const { data } = this;
    const own = fill.cells ? (i) => data.classOf[i] >= 0 : () => true;
    yield* this.polygons(context, view, data.offsets, data.corners, data.boxes, fill.key, fill.styles, own);
    if (fill.cells) {
      yield* this.polygons(context, view, data.cellOffsets, data.cellCorners, data.cellBoxes, fill.cellKey, fill.styles, () => true);
    }
  }

  // All polygons in the window, those of one colour as one path.
  *polygons(context, view, offsets, corners, boxes, key, styles, own) {
    const groups = styles.map(() => []), [a, b, c, d] = view.window;
    for (let i = 0; i + 1 < offsets.length; i++) {
      if (boxes[4 * i] <= c && boxes[4 * i + 2] >= a && boxes[4 * i + 1] <= d && boxes[4 * i + 3] >= b && own(i)) {
        groups[key[i]].push(i);
      }
    }
    yield;
    for (let g = 0; g < groups.length; g++) {
      context.fillStyle = context.strokeStyle = styles[g];
      context.lineWidth = 0.6;
      for (let at = 0; at < groups[g].length; at += SLICE) {
        context.beginPath();
        const end = Math.min(at + SLICE, groups[g].length);
        for (let k = at; k < end; k++) outline(context, view, offsets, corners, boxes, groups[g][k]);
        context.fill();
        if (groups[g].length < 3 * SLICE) context.stroke(); // closes the hairlines between neighbours
        yield;
      }
    }
  }

  *lines(context, view, state, inks) {
    const { data } = this, byLayer = state.colour === "layer", seen = this.edgesByLayer(view, state.layer);
    yield;
    const crowd = Math.min(1, Math.max(0.25, 900 / (1 + seen.reduce((sum, list) => sum + list.length, 0)) + 0.35));
    for (let l = seen.length - 1; l >= 0; l--) {
      context.strokeStyle = byLayer ? pick(data.schemes.layer, l) : inks.ink;
      context.lineWidth = Math.max(0.5, (byLayer ? 1.7 : 1.1) * 0.78 ** l) * crowd;
      yield* segments(context, view, data.edgeEnds, seen[l]);
    }
  }

  edgesByLayer(view, layers) {
    const { data } = this, seen = data.layers.slice(0, layers).map(() => []), ends = data.edgeEnds;
    const [a, b, c, d] = view.window;
    for (let e = 0; e < data.edgeLayer.length; e++) {
      if (data.edgeLayer[e] >= layers) continue;
      const x = ends[4 * e], y = ends[4 * e + 1], u = ends[4 * e + 2], v = ends[4 * e + 3];
      if (Math.min(x, u) <= c && Math.max(x, u) >= a && Math.min(y, v) <= d && Math.max(y, v) >= b) seen[data.edgeLayer[e]].push(e);
    }
    return seen;
  }

  // Data points in the colours of their labels, smaller where they are many.
  *points(context, view) {
    const { points, pointLabels, schemes } = this.data, radius = pointRadius(this.data), [a, b, c, d] = view.window;
    context.strokeStyle = "#1a1a1a";
    context.lineWidth = 0.8;
    for (const label of new Set(pointLabels)) {
      context.fillStyle = label < 0 ? "#ffffff" : pick(schemes.class, label);
      for (let i = 0; i < pointLabels.length; i++) {
        const x = points[2 * i], y = points[2 * i + 1];
        if (pointLabels[i] !== label || x < a || x > c || y < b || y > d) continue;
        context.beginPath(); // each by itself, so that none hides the outline of another
        context.arc(view.sx(x), view.sy(y), radius, 0, 7);
        context.fill();
        context.stroke();
        if (i % SLICE === 0) yield;
      }
      yield;
    }
  }

  *boundary(context, view, inks, ink) {
    const { boundaryEnds } = this.data, all = Array.from({ length: boundaryEnds.length / 4 }, (_, i) => i);
    for (const [width, colour] of [[4, inks.halo], [2.2, ink]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.lineCap = "round";
      yield* segments(context, view, boundaryEnds, all);
    }
  }

  frameOf(context, view, inks) {
    const [[a, b], [c, d]] = this.data.view;
    context.strokeStyle = INKS.light === inks ? "#1a1a1a" : "#9aa4b0";
    context.lineWidth = 1;
    if (this.data.isCut) context.setLineDash([5, 4]);
    context.strokeRect(view.sx(a), view.sy(d), (c - a) * view.perX, (d - b) * view.perY);
    context.setLineDash([]);
  }
}

function pointRadius(data) {
  return Math.max(1.8, Math.min(4.2, 60 / Math.sqrt(1 + data.pointLabels.length)));
}

// Add a polygon to the path; coordinates far outside are cut, for a canvas rounds them badly.
function outline(context, view, offsets, corners, boxes, i) {
  const start = offsets[i], end = offsets[i + 1];
  if (boxes) {
    const width = (boxes[4 * i + 2] - boxes[4 * i]) * view.perX, height = (boxes[4 * i + 3] - boxes[4 * i + 1]) * view.perY;
    if (width < SPECK && height < SPECK && !context.isVector) {
      context.rect(view.sx(boxes[4 * i]), view.sy(boxes[4 * i + 3]), Math.max(width, 0.6), Math.max(height, 0.6));
      return;
    }
    if (width > 20000 || height > 20000) { outlineClipped(context, view, corners, start, end); return; }
  }
  for (let k = start; k < end; k++) {
    const x = view.sx(corners[2 * k]), y = view.sy(corners[2 * k + 1]);
    if (k === start) context.moveTo(x, y); else context.lineTo(x, y);
  }
  context.closePath();
}

// The part of a polygon near the window (Sutherland and Hodgman), in pixels.
function outlineClipped(context, view, corners, start, end) {
  let points = [];
  for (let k = start; k < end; k++) points.push([view.sx(corners[2 * k]), view.sy(corners[2 * k + 1])]);
  const margin = 50;
  for (const [axis, sign, limit] of [[0, 1, -margin], [0, -1, -view.width - margin], [1, 1, -margin], [1, -1, -view.height - margin]]) {
    const depth = (p) => sign * p[axis] - limit, kept = [];
    points.forEach((p, k) => {
      const q = points[(k + 1) % points.length], here = depth(p), there = depth(q);
      if (here >= 0) kept.push(p);
      if (here >= 0 !== there >= 0) {
        const t = here / (here - there);
        kept.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
      }
    });
    points = kept;
  }
  points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (points.length) context.closePath();
}

function* segments(context, view, ends, chosen) {
  for (let at = 0; at < chosen.length; at += SLICE) {
    context.beginPath();
    const end = Math.min(at + SLICE, chosen.length);
    for (let k = at; k < end; k++) segment(context, view, ends, 4 * chosen[k]);
    context.stroke();
    yield;
  }
}

// One segment, cut to near the window (Liang and Barsky).
function segment(context, view, ends, at) {
  const x = view.sx(ends[at]), y = view.sy(ends[at + 1]), u = view.sx(ends[at + 2]), v = view.sy(ends[at + 3]);
  if (Math.abs(u - x) + Math.abs(v - y) < 0.4) return;
  if (Math.max(Math.abs(x), Math.abs(y), Math.abs(u), Math.abs(v)) < 20000) { context.moveTo(x, y); context.lineTo(u, v); return; }
  let low = 0, high = 1;
  for (const [step, room] of [[x - u, x + 50], [u - x, view.width + 50 - x], [y - v, y + 50], [v - y, view.height + 50 - y]]) {
    if (step === 0) { if (room < 0) return; } else if (step < 0) low = Math.max(low, room / step); else high = Math.min(high, room / step);
  }
  if (!(low < high)) return;
  context.moveTo(x + low * (u - x), y + low * (v - y));
  context.lineTo(x + high * (u - x), y + high * (v - y));
}
