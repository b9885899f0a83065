// Colours in light and dark; the schemes come with the data, which are those of the plots.

const INKS = {
  light: { paper: "#ffffff", ink: "#1a1a1a", halo: "#ffffff", accent: "#0b57a4", way: "#111111", found: "#ffe03d", plain: "#f2f2ef", dim: 0 },
  dark: { paper: "#14171b", ink: "#0d0f12", halo: "#0d0f12", accent: "#ffffff", way: "#ffffff", found: "#ffe03d", plain: "#39414b", dim: 0.34 },
};

function channels(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

function mixed(hex, other, share) {
  const a = channels(hex), b = channels(other);
  return `#${a.map((v, i) => Math.round(v + (b[i] - v) * share).toString(16).padStart(2, "0")).join("")}`;
}

function pick(colours, i) {
  return colours[i % colours.length];
}

// Matplotlib's viridis at nine places, in between linearly.
const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#fde725"];
const LEVELS = 64;

function viridis(share) {
  const at = Math.max(0, Math.min(1, share)) * (VIRIDIS.length - 1), low = Math.min(VIRIDIS.length - 2, Math.floor(at));
  return mixed(VIRIDIS[low], VIRIDIS[low + 1], at - low);
}

// What each region (or decision cell) is filled with: { key: (P,) which of `styles` each has, styles, cells, legend }.
function fillOf(data, state) {
  const inks = INKS[state.theme];
  const darker = (colour) => mixed(colour, inks.paper, inks.dim);
  if (state.layer < data.layers.length || state.colour === "region") {
    const start = state.layer * data.regions, key = data.layerColours.subarray(start, start + data.regions);
    return { key, styles: data.schemes.region.map(darker), cells: false, legend: [] };
  }
  if (state.colour === "class") return classFill(data, darker, inks);
  if (state.colour === "slope") return numberFill(data.slopes, data.slopeScale);
  if (state.colour.startsWith("rank")) return rankFill(data, Number(state.colour.slice(4)));
  return { key: new Uint8Array(data.regions), styles: [inks.plain], cells: false, legend: layerLegend(data) };
}

function layerLegend(data) {
  return data.layers.map((_, l) => ({ name: `layer ${l + 1}`, colour: pick(data.schemes.layer, l) }));
}

function boundaryInk(state) {
  return state.theme === "dark" ? "#ffffff" : INKS.light.ink;
}

function classFill(data, darker, inks) {
  const { dim } = inks, shades = 1 + data.shades.reduce((a, b) => Math.max(a, b), 0), styles = [], legend = [];
  for (let k = 0; k < data.nClasses; k++) {
    const base = pick(data.schemes.class, k);
    for (let s = 0; s < shades; s++) {
      styles.push(mixed(base, dim ? inks.paper : "#ffffff", shades === 1 ? 0.35 : 0.18 + (0.44 * s) / (shades - 1)));
    }
    if (data.classesSeen.includes(k)) legend.push({ name: className(data, k), colour: darker(base) });
  }
  const key = new Uint32Array(data.regions), cellKey = new Uint32Array(data.cellLabel.length);
  for (let i = 0; i < data.regions; i++) {
    if (data.classOf[i] >= 0) key[i] = data.classOf[i] * shades + data.shades[i];
    for (let k = data.mixedOffsets[i]; k < data.mixedOffsets[i + 1]; k++) {
      cellKey[k] = data.cellLabel[k] * shades + data.shades[i];
    }
  }
  const first = data.classesSeen.length ? data.classesSeen[0] * shades : 0;
  return { key, cellKey, styles, cells: true, legend, shades: styles.slice(first, first + shades) };
}

function numberFill(values, scale) {
  const span = scale.high - scale.low || 1, key = new Uint8Array(values.length), styles = [];
  for (let i = 0; i < values.length; i++) key[i] = Math.max(0, Math.min(LEVELS - 1, Math.floor(((values[i] - scale.low) / span) * LEVELS)));
  for (let s = 0; s < LEVELS; s++) styles.push(viridis((s + 0.5) / LEVELS));
  return { key, styles, cells: false, legend: [], scale };
}

function rankFill(data, layer) {
  const n = data.layers.length, key = new Uint16Array(data.regions), seen = new Set();
  for (let i = 0; i < data.regions; i++) { key[i] = data.ranks[i * n + layer]; seen.add(key[i]); }
  const most = Math.max(...seen, 0), styles = [];
  for (let r = 0; r <= most; r++) styles.push(viridis(most ? 0.1 + (0.9 * r) / most : 0.5));
  const legend = [...seen].sort((a, b) => a - b).map((r) => ({ name: `rank ${r}`, colour: styles[r] }));
  return { key, styles, cells: false, legend };
}
