// The data of the page: typed arrays, and what is derived from them once.

const BIT = [128, 64, 32, 16, 8, 4, 2, 1]; // the first neuron is the highest bit of the first byte
const NEURON = 0, DOMAIN = 1; // kinds of sides, as Python writes them

function decoded(text, type) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const kinds = { f8: Float64Array, i4: Int32Array, u2: Uint16Array, u1: Uint8Array };
  return new kinds[type](bytes.buffer);
}

function readData(text) {
  const data = JSON.parse(text);
  for (const [name, { type, data: encoded }] of Object.entries(data.arrays)) data[name] = decoded(encoded, type);
  delete data.arrays;
  data.bytesPerPattern = Math.ceil(data.neurons / 8);
  data.boxes = boxesOf(data.offsets, data.corners);
  data.cellBoxes = boxesOf(data.cellOffsets, data.cellCorners);
  data.centres = centresOf(data.offsets, data.corners);
  data.slopes = slopesOf(data);
  return data;
}

// lower x, lower y, upper x, upper y of each polygon; an empty one has no point
function boxesOf(offsets, corners) {
  const boxes = new Float64Array(4 * (offsets.length - 1));
  for (let i = 0; i + 1 < offsets.length; i++) {
    let a = Infinity, b = Infinity, c = -Infinity, d = -Infinity;
    for (let k = offsets[i]; k < offsets[i + 1]; k++) {
      const x = corners[2 * k], y = corners[2 * k + 1];
      if (x < a) a = x;
      if (x > c) c = x;
      if (y < b) b = y;
      if (y > d) d = y;
    }
    boxes.set([a, b, c, d], 4 * i);
  }
  return boxes;
}

function centresOf(offsets, corners) {
  const centres = new Float64Array(2 * (offsets.length - 1)).fill(NaN);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const n = offsets[i + 1] - offsets[i];
    if (!n) continue;
    let x = 0, y = 0;
    for (let k = offsets[i]; k < offsets[i + 1]; k++) { x += corners[2 * k]; y += corners[2 * k + 1]; }
    centres[2 * i] = x / n;
    centres[2 * i + 1] = y / n;
  }
  return centres;
}

function slopesOf(data) {
  const slopes = new Float64Array(data.regions), c = data.outputs;
  for (let i = 0; i < data.regions; i++) {
    let sum = 0;
    for (let j = 0; j < c; j++) sum += data.maps[3 * (i * c + j)] ** 2 + data.maps[3 * (i * c + j) + 1] ** 2;
    slopes[i] = Math.sqrt(sum);
  }
  return slopes;
}

function bit(data, region, neuron) {
  return (data.patterns[region * data.bytesPerPattern + (neuron >> 3)] & BIT[neuron & 7]) !== 0;
}

function patternText(data, region, start = 0, end = data.neurons) {
  let text = "";
  for (let n = start; n < end; n++) text += bit(data, region, n) ? "1" : "0";
  return text;
}

function layerOf(data, neuron) {
  return data.layers.findIndex(([start, end]) => start <= neuron && neuron < end);
}

function outputsAt(data, region, x, y) {
  const values = [];
  for (let j = 0; j < data.outputs; j++) {
    const k = 3 * (region * data.outputs + j);
    values.push(data.maps[k] * x + data.maps[k + 1] * y + data.maps[k + 2]);
  }
  return values;
}

// The classes that win somewhere in a region, ascending.
function classesOf(data, region) {
  if (data.classOf[region] >= 0) return [data.classOf[region]];
  const found = [];
  for (let k = data.mixedOffsets[region]; k < data.mixedOffsets[region + 1]; k++) found.push(data.cellLabel[k]);
  return found;
}

// Labels of data points may be beyond the classes.
function className(data, label) {
  return (data.classNames && data.classNames[label]) ?? `class ${label}`;
}

// The data point that is drawn at a place of the screen, -1 if there is none.
function pointAt(data, view, sx, sy) {
  let best = -1, least = 6;
  for (let i = 0; i < data.pointLabels.length; i++) {
    const distance = Math.hypot(view.sx(data.points[2 * i]) - sx, view.sy(data.points[2 * i + 1]) - sy);
    if (distance < least) { least = distance; best = i; }
  }
  return best;
}

function facetsOf(data, region) {
  const facets = [];
  for (let k = data.facetOffsets[region]; k < data.facetOffsets[region + 1]; k++) {
    const edge = data.facetEdge[k];
    const flips = edge < 0 ? [] : Array.from(data.flips.subarray(data.flipOffsets[edge], data.flipOffsets[edge + 1]));
    facets.push({ neighbour: data.neighbour[k], edge, flips, wall: data.facetWall[k], side: data.facetSide[k] });
  }
  return facets;
}
