// What colours, lines and points mean: as elements beside the map, and drawn below a picture that is saved.

const SHADES = "shades tell regions apart", BOUNDARY = "decision boundary", DATA = "data";

// { name, colours } of areas, { name, line } of lines, { name, dot } of points.
function signsOf(data, state, fill) {
  const signs = [], whole = state.layer === data.layers.length;
  if (fill.shades && fill.shades.length > 1) signs.push({ name: SHADES, colours: fill.shades });
  if (state.boundary && whole && data.boundaryEnds.length) signs.push({ name: BOUNDARY, line: boundaryInk(state) });
  if (state.points && data.points.length) signs.push(...pointSigns(data, whole && state.colour === "class"));
  return signs;
}

// One for all labels whose colours are explained already, else one for each.
function pointSigns(data, byClass) {
  const labels = [...new Set(data.pointLabels)].sort((a, b) => a - b);
  const named = labels.filter((k) => k < 0 || (byClass && data.classesSeen.includes(k)));
  const signs = named.length ? [{ name: DATA, dot: "#ffffff" }] : [];
  const others = labels.filter((k) => !named.includes(k));
  return [...signs, ...others.map((k) => ({ name: `${DATA}, ${className(data, k)}`, dot: pick(data.schemes.class, k) }))];
}

function scaleTexts({ low, high, goes_below, goes_beyond }) {
  const text = (value) => number(Number(value.toPrecision(4)));
  return [`${goes_below ? "\u2264 " : ""}${text(low)}`, `${goes_beyond ? "\u2265 " : ""}${text(high)}`];
}

function showLegend(box, fill) {
  box.replaceChildren();
  for (const { name, colour } of fill.legend) box.append(element("span", {}, swatch("area", colour), name));
  if (!fill.scale) return;
  const bar = element("canvas", { width: String(fill.styles.length), height: "1", "aria-hidden": "true" });
  fill.styles.forEach((style, i) => { const c = bar.getContext("2d"); c.fillStyle = style; c.fillRect(i, 0, 1, 1); });
  const [low, high] = scaleTexts(fill.scale);
  box.append(element("span", {}, `${fill.scale.label}: ${low} `, bar, ` ${high}`));
}

function showSigns(box, signs) {
  box.replaceChildren(...signs.map(({ name, colours, line, dot }) => {
    const marks = colours ? colours.map((colour) => swatch("area part", colour)) : [line ? swatch("line", line) : swatch("dot", dot)];
    return element("span", {}, ...marks, name);
  }));
}

function swatch(kind, colour) {
  const made = element("span", { class: `swatch ${kind}` });
  made.style.backgroundColor = colour;
  return made;
}
