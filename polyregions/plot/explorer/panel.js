// The texts beside the map. Everything goes in as text, never as HTML: names come from files.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (name === "class") made.className = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function number(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e6 ? String(Number(value.toPrecision(7))) : value.toExponential(5);
}

function regionButton(region, go, text = `#${region}`) {
  return element("button", { type: "button", "data-region": region, onclick: () => go(region) }, text);
}

function patternCell(data, region, start, end) {
  const cell = element("td", { class: "bits" });
  for (let n = start; n < end; n += 8) {
    if (n > start) cell.append(" ");
    for (let k = n; k < Math.min(n + 8, end); k++) {
      const on = bit(data, region, k);
      cell.append(on ? element("b", {}, "1") : "0");
    }
  }
  return cell;
}

function patternTable(data, region) {
  const table = element("table", { "aria-label": "Pattern and rank of each layer" });
  table.append(element("tr", {}, element("th", { scope: "col" }, "layer"), element("th", { scope: "col" }, "pattern"), element("th", { scope: "col" }, "rank")));
  data.layers.forEach(([start, end], l) => {
    const rank = data.ranks[region * data.layers.length + l];
    table.append(element("tr", {}, element("th", { scope: "row" }, String(l + 1)), patternCell(data, region, start, end), element("td", {}, String(rank))));
  });
  return table;
}

const MOST_OUTPUTS = 30;

function mapTable(data, region) {
  const table = element("table", { "aria-label": "Affine map" });
  const names = ["", ...data.axes, "1"].map((name) => element("th", { scope: "col", class: "number" }, name));
  table.append(element("tr", {}, ...names));
  for (let j = 0; j < Math.min(MOST_OUTPUTS, data.outputs); j++) {
    const at = 3 * (region * data.outputs + j), cells = [0, 1, 2].map((c) => {
      const value = data.maps[at + c];
      return element("td", { class: "number", title: String(value) }, number(value));
    });
    table.append(element("tr", {}, element("th", { scope: "row" }, `y${j}`), ...cells));
  }
  if (data.outputs > MOST_OUTPUTS) table.append(element("caption", {}, `the first ${MOST_OUTPUTS} of ${data.outputs} outputs`));
  return table;
}

function neuronName(data, neuron) {
  const layer = layerOf(data, neuron);
  return `neuron ${neuron} (layer ${layer + 1})`;
}

function inequality(data, region, side) {
  if (side < 0) return "";
  const parts = [];
  [data.axes[0], data.axes[1], ""].forEach((name, c) => {
    const value = data.rows[3 * side + c];
    if (value === 0) return;
    const size = number(Math.abs(value)), sign = value < 0 ? "\u2212" : parts.length ? "+" : "";
    parts.push(`${sign}${parts.length ? " " : ""}${name && size === "1" ? name : name ? `${size} ${name}` : size}`);
  });
  const open = data.rowKind[side] === NEURON && bit(data, region, data.rowCarrier[side]);
  return `${parts.join(" ") || "0"} ${open ? ">" : "\u2265"} 0`;
}

function facetItem(data, region, facet, go) {
  const item = element("li");
  const flips = facet.flips.map((n) => `${neuronName(data, n)} ${bit(data, region, n) ? "on \u2192 off" : "off \u2192 on"}`);
  const what = facet.edge < 0 ? `domain: ${data.labels[facet.wall]}` : flips.join(", ");
  const line = element("div", { class: "what" }, element("span", {}, what));
  if (facet.neighbour >= 0) line.append(regionButton(facet.neighbour, go, `#${facet.neighbour}`));
  item.append(line);
  const text = inequality(data, region, facet.side);
  if (text) item.append(element("code", {}, text));
  return item;
}

function classBadges(data, region) {
  return classesOf(data, region).map((k) => {
    const badge = element("span", { class: "badge" }, className(data, k));
    badge.style.backgroundColor = mixed(pick(data.schemes.class, k), "#ffffff", 0.35);
    return badge;
  });
}

function showDetails(box, data, region, go, startPath, zoomTo) {
  if (region < 0) {
    box.replaceChildren(element("p", { class: "empty" }, "Click a region, or search. Shift-click a second one for the path between them."));
    return;
  }
  const facets = facetsOf(data, region), list = element("ul", { class: "facets", "aria-label": "Facets and neighbours" });
  facets.forEach((facet) => list.append(facetItem(data, region, facet, go)));
  const neighbours = facets.filter((f) => f.neighbour >= 0).length;
  const parts = [
    element("div", { class: "head" }, element("h2", {}, `Region #${region}`), ...classBadges(data, region)),
    element(
      "div", { class: "row" },
      element("button", { type: "button", id: "zoom-to", title: "Zoom to it (z)", onclick: () => zoomTo(region) }, "Zoom to it"),
      element("button", { type: "button", id: "path-start", title: "Start a path (p)", onclick: () => startPath(region) }, "Path from here"),
    ),
    element("h3", {}, "Pattern and rank"),
    patternTable(data, region),
    element("h3", {}, "Affine map"),
    mapTable(data, region),
    element("h3", {}, `${facets.length} facets, ${neighbours} neighbours`),
    list,
  ];
  if (data.offsets[region] === data.offsets[region + 1]) {
    parts.splice(1, 0, element("p", { class: "empty" }, "This region lies outside the picture."));
  }
  box.replaceChildren(...parts);
}

function showPath(box, data, state, go, clear) {
  box.hidden = state.start < 0;
  if (box.hidden) return;
  const end = element("button", { type: "button", onclick: clear }, "End");
  if (!state.path) {
    const text = state.noPath ? `No path from #${state.start} to #${state.selected}.` : `From #${state.start}: select where it ends.`;
    box.replaceChildren(element("div", { class: "head" }, element("h2", {}, "Path"), end), element("p", { class: "empty" }, text));
    return;
  }
  const steps = element("ol", { class: "steps" });
  state.path.forEach((region, k) => {
    const item = element("li", {}, regionButton(region, (r) => go(r, true)));
    if (k) {
      const edge = edgeBetween(data, state.path[k - 1], region);
      const flips = Array.from(data.flips.subarray(data.flipOffsets[edge], data.flipOffsets[edge + 1]));
      item.append(" ", flips.map((n) => neuronName(data, n)).join(", "));
    }
    steps.append(item);
  });
  const length = state.path.length - 1;
  const title = `Path of ${length} ${length === 1 ? "step" : "steps"}`;
  box.replaceChildren(element("div", { class: "head" }, element("h2", { id: "path-title" }, title), end), steps);
}

function spoken(data, region) {
  const classes = classesOf(data, region).map((k) => className(data, k)).join(" and ");
  const neighbours = facetsOf(data, region).filter((f) => f.neighbour >= 0).length;
  return `Region ${region}, ${classes}, ${neighbours} neighbours`;
}
