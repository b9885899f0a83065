// State, events, and one loop that draws only what has changed.

function start() {
  const $ = (id) => document.getElementById(id);
  const data = readData($("data").textContent);
  const locator = new Locator(data), painter = new Painter($("map"), data), overlay = new Overlay($("overlay"), data);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const state = {
    theme: dark.matches ? "dark" : "light", colour: "class", layer: data.layers.length, lines: true, boundary: true, points: true,
    hover: -1, selected: -1, start: -1, path: null, noPath: false, matches: [], pin: null, aiming: false,
  };
  let view = null, fitted = true, stale = true, dirty = true, running = false, remembering = 0;
  const frames = { last: 0, worst: 0, count: 0 };

  // ------------------------------------------------------------ drawing

  function ask(scene = false) {
    stale = stale || scene;
    dirty = true;
    if (!remembering) remembering = setTimeout(remember, 300);
    if (!running) { running = true; requestAnimationFrame(frame); }
  }

  function frame() {
    const begun = performance.now(), ratio = Math.min(2, window.devicePixelRatio || 1);
    if (view && view.width > 1) {
      if (stale) { painter.begin(view, state, ratio); stale = false; }
      const more = painter.frame(INKS[state.theme].paper);
      if (dirty) { overlay.paint(view, state, ratio); dirty = false; }
      running = more || stale || dirty;
    } else running = false;
    frames.last = performance.now() - begun;
    frames.worst = Math.max(frames.worst, frames.last);
    frames.count++;
    if (running) requestAnimationFrame(frame);
  }

  function setView(next) {
    const [[a, b], [c, d]] = data.view;
    const least = Math.min(next.width / (c - a), next.height / (d - b)) / 4;
    if (Math.max(next.perX, next.perY) < least || Math.max(next.perX, next.perY) > largestScale()) return;
    view = next;
    fitted = false;
    ask(true);
  }

  // Beyond this the places of pixels are no longer told apart by float64.
  function largestScale() { return 1e13 / Math.max(...data.view.flat().map(Math.abs)); }

  function fit() {
    setView(View.fitting(data.view, $("stage").clientWidth, $("stage").clientHeight));
    fitted = true;
  }

  new ResizeObserver(() => {
    const { clientWidth, clientHeight } = $("stage");
    if (!clientWidth || !clientHeight) return;
    if (!view) { fit(); restore(); } else if (fitted) fit(); else setView(view.resized(clientWidth, clientHeight));
  }).observe($("stage"));

  // ------------------------------------------------------------ what is shown

  function recolour() {
    const fill = fillOf(data, state);
    showLegend($("legend"), fill);
    showSigns($("signs"), signsOf(data, state, fill));
    ask(true);
  }

  function setColour(colour) {
    state.colour = colour;
    $("colour").value = colour;
    recolour();
  }

  function setTheme(theme) {
    state.theme = theme;
    document.documentElement.dataset.theme = theme;
    $("theme").setAttribute("aria-pressed", String(theme === "dark"));
    $("theme").textContent = theme === "dark" ? "Light" : "Dark";
    recolour();
  }

  function setLayer(layer) {
    state.layer = Math.max(0, Math.min(data.layers.length, layer));
    $("layer").value = String(state.layer);
    const all = state.layer === data.layers.length;
    $("layer-name").textContent = all ? "all" : `${state.layer} of ${data.layers.length}`;
    const text = `after ${state.layer} layers: ${data.regionsAfter[state.layer]} regions`;
    $("layer").setAttribute("aria-valuetext", text);
    $("layer").title = text;
    recolour();
  }

  function show(name, on) {
    state[name] = on;
    $(name).checked = on;
    recolour();
  }

  // ------------------------------------------------------------ selecting

  function say(text) { $("live").textContent = text; }

  function select(region, keepPath = false) {
    state.selected = region;
    if (state.start >= 0 && region >= 0 && !keepPath) findPath();
    showDetails($("details"), data, region, (r) => { select(r); refocus(r); }, startPath, zoomTo);
    showPath($("path"), data, state, select, endPath);
    say(region < 0 ? "Nothing selected" : spoken(data, region) + (state.path ? `, path of ${state.path.length - 1} steps` : ""));
    ask();
  }

  // A neighbour was chosen in the list, which is a new list now: go on from its first button.
  function refocus() {
    const first = $("details").querySelector(".facets button");
    if (first) first.focus();
    bringIntoView(state.selected);
  }

  function bringIntoView(region) {
    const x = data.centres[2 * region], y = data.centres[2 * region + 1], [a, b, c, d] = view.window;
    if (x < a || x > c || y < b || y > d) setView(view.centredOn(x, y));
  }

  // Show a region so that it takes a good part of the map, however small it is.
  function zoomTo(region) {
    if (region < 0 || data.offsets[region] === data.offsets[region + 1]) return;
    const [a, b, c, d] = data.boxes.subarray(4 * region, 4 * region + 4), part = 0.4;
    const most = largestScale(), aspect = view.perY / view.perX;
    const perX = Math.min(most, most / aspect, (part * view.width) / (c - a), (part * view.height) / (d - b) / aspect);
    setView(new View(view.width, view.height, (a + c) / 2, (b + d) / 2, perX, perX * aspect));
  }

  function findPath() {
    state.path = shortestPath(data, state.start, state.selected);
    state.noPath = state.path === null;
  }

  function startPath(region) {
    state.start = region;
    state.path = null;
    state.noPath = false;
    showPath($("path"), data, state, select, endPath);
    say(`Path from region ${region}: select where it ends`);
    ask();
  }

  function endPath() {
    state.start = -1;
    state.path = null;
    state.noPath = false;
    showPath($("path"), data, state, select, endPath);
    ask();
  }

  function choose(x, y, end = false) {
    const found = locator.at(x, y);
    if (end && state.start < 0 && state.selected >= 0) state.start = state.selected;
    if (found.region >= 0) select(found.region);
    else if (found.near) nearBoundary(found.near);
  }

  // ------------------------------------------------------------ searching

  function report(text, regions = []) {
    $("found").textContent = text;
    $("matches").replaceChildren(...regions.slice(0, 200).map((r) => element("li", {}, regionButton(r, goTo))));
  }

  function goTo(region) {
    select(region);
    if (data.offsets[region] < data.offsets[region + 1]) bringIntoView(region);
  }

  function nearBoundary(near) {
    const names = near.length === 1 ? `region #${near[0]}` : `regions ${near.map((r) => `#${r}`).join(", ")}`;
    report(`On a boundary, or too close to one for float64 to tell: ${names}.`, near);
    say($("found").textContent);
  }

  function search(text) {
    const query = parseQuery(text);
    state.pin = null;
    state.matches = [];
    report("");
    if (query.kind === "point") searchPoint(query.x, query.y);
    else if (query.kind === "region") searchNumber(query.region);
    else if (query.kind === "pattern") searchBits(query.pattern);
    else if (query.kind === "unknown") report("Write a point (0.3, -1), a pattern (10?1*) or a number (#7).");
    ask();
  }

  function searchPoint(x, y) {
    const found = locator.at(x, y);
    state.pin = [x, y];
    if (found.near) nearBoundary(found.near);
    else if (found.region === undefined) report(data.isCut ? "The point is outside the picture." : "The point is outside the domain.");
    else {
      report(`The point is inside region #${found.region}.`);
      select(found.region);
      const [a, b, c, d] = view.window;
      if (x < a || x > c || y < b || y > d) setView(view.centredOn(x, y));
    }
  }

  function searchNumber(region) {
    if (region >= data.regions) { report(`There are ${data.regions} regions, counted from #0.`); return; }
    report(`Region #${region}.`);
    goTo(region);
  }

  function searchBits(pattern) {
    const found = searchPattern(data, pattern), bits = pattern.replace(/\*/g, "").length;
    if (bits > data.neurons) { report(`The pattern has ${bits} bits, the network ${data.neurons} neurons.`); return; }
    if (found.length === 1) { report(`One region: #${found[0]}.`); goTo(found[0]); return; }
    state.matches = found;
    const more = found.length > 200 ? ", the first 200 of them listed" : "";
    report(found.length ? `${found.length} regions${more}.` : "No region has this pattern.", found);
  }

  $("search").addEventListener("submit", (event) => { event.preventDefault(); search($("query").value); });

  // ------------------------------------------------------------ links and files

  function preferred() { return dark.matches ? "dark" : "light"; }

  // Write what is shown into the address, so that it is there after a reload and for others.
  function remember() {
    clearTimeout(remembering);
    remembering = 0;
    const hash = hashOf(data, state, fitted || !view ? null : view.window, preferred());
    if (hash === window.location.hash.slice(1)) return;
    try { history.replaceState(null, "", `#${hash}`); } catch { /* a page inside another one has no address */ }
  }

  // Show what the address says.
  function restore() {
    const said = stateOf(window.location.hash, data, colourings.map(([value]) => value));
    setColour(said.colour ?? "class");
    setLayer(said.layer ?? data.layers.length);
    SWITCHES.forEach((name) => show(name, !said.hide.includes(name)));
    if ((said.theme ?? preferred()) !== state.theme) setTheme(said.theme ?? preferred());
    endPath();
    if (said.from !== null) startPath(said.from);
    state.pin = said.point;
    select(said.region ?? -1);
    if (said.missing !== null) report(`The link is to region #${said.missing}; there are ${data.regions} regions, counted from #0.`);
    if (said.window) setView(View.showing(said.window, View.fitting(data.view, view.width, view.height))); else fit();
    say("");
    remember();
  }

  function copyLink() {
    remember();
    const link = window.location.href, copied = navigator.clipboard ? navigator.clipboard.writeText(link) : Promise.reject();
    copied.then(() => report("The link to this view is copied."), () => report(`The link to this view: ${link}`));
  }

  function save(suffix) {
    const picture = new Picture(data, painter, overlay, view, state), name = `${data.name.replace(/[^\w.-]+/g, "_") || "regions"}.${suffix}`;
    if (suffix === "svg") download(picture.svg(), name); else picture.png((blob) => download(blob, name));
  }

  window.addEventListener("hashchange", () => { if (view) restore(); });

  // ------------------------------------------------------------ pointer

  const pointers = new Map();
  let moved = 0;

  function place(event) {
    const box = $("map").getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  $("map").addEventListener("pointerdown", (event) => {
    $("map").setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    state.aiming = false;
    moved = 0;
  });

  $("map").addEventListener("pointermove", (event) => {
    const now = place(event), before = pointers.get(event.pointerId);
    if (!before) { hover(now, event); return; }
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (pointers.size === 2) pinch(event.pointerId, now);
    else if (moved > 4) {
      $("map").classList.add("dragging");
      unhover();
      setView(view.panned(now[0] - before[0], now[1] - before[1]));
    }
    if (moved > 4 || pointers.size === 2) pointers.set(event.pointerId, now);
  });

  function pinch(id, now) {
    const other = [...pointers].find(([key]) => key !== id)[1], before = pointers.get(id);
    const distance = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);
    setView(view.zoomed(distance(now, other) / Math.max(1, distance(before, other)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2));
    moved = 100;
  }

  for (const name of ["pointerup", "pointercancel"]) {
    $("map").addEventListener(name, (event) => {
      const was = pointers.delete(event.pointerId);
      $("map").classList.remove("dragging");
      if (!was || moved > 4 || name === "pointercancel") return;
      const [sx, sy] = place(event);
      choose(view.px(sx), view.py(sy), event.shiftKey);
    });
  }

  $("map").addEventListener("wheel", (event) => {
    event.preventDefault();
    const [sx, sy] = place(event), step = event.deltaMode === 1 ? 30 * event.deltaY : event.deltaY;
    setView(view.zoomed(Math.exp(-Math.max(-300, Math.min(300, step)) * 0.0016), sx, sy));
  }, { passive: false });

  $("map").addEventListener("pointerleave", unhover);

  function unhover() {
    $("tip").hidden = true;
    $("where").textContent = "";
    if (state.hover >= 0) { state.hover = -1; ask(); }
  }

  function hover([sx, sy]) {
    const x = view.px(sx), y = view.py(sy), found = locator.at(x, y), region = found.region ?? -1;
    const span = view.width / view.perX, names = data.axes;
    $("where").textContent = `${names[0]} ${shortNumber(x, span / 50)}, ${names[1]} ${shortNumber(y, span / 50)}`;
    if (region !== state.hover) { state.hover = region; ask(); }
    $("tip").hidden = region < 0;
    if (region < 0) return;
    const text = patternText(data, region), outputs = outputsAt(data, region, x, y).slice(0, 4).map(number);
    const lines = [
      `#${region}: ${classesOf(data, region).map((k) => className(data, k)).join(", ")}`,
      text.length > 40 ? `${text.slice(0, 40)}\u2026` : text,
      `output ${outputs.join(", ")}${data.outputs > 4 ? ", \u2026" : ""}`,
    ];
    const near = state.points ? pointAt(data, view, sx, sy) : -1;
    if (near >= 0) lines.push(`data point ${near}${data.hasLabels ? `: ${className(data, data.pointLabels[near])}` : ""}`);
    $("tip").replaceChildren(...lines.map((line) => element("div", {}, line)));
    $("tip").style.left = `${Math.min(sx + 14, view.width - 250)}px`;
    $("tip").style.top = `${sy + 90 > view.height ? sy - 80 : sy + 16}px`;
  }

  // ------------------------------------------------------------ keys

  const STEP = 60;
  const onMap = {
    ArrowLeft: () => setView(view.panned(STEP, 0)),
    ArrowRight: () => setView(view.panned(-STEP, 0)),
    ArrowUp: () => setView(view.panned(0, STEP)),
    ArrowDown: () => setView(view.panned(0, -STEP)),
    Enter: () => choose(view.x, view.y),
  };
  const anywhere = {
    "+": () => setView(view.zoomed(1.4)),
    "=": () => setView(view.zoomed(1.4)),
    "-": () => setView(view.zoomed(1 / 1.4)),
    0: fit,
    "/": () => { $("query").focus(); $("query").select(); },
    "[": () => setLayer(state.layer - 1),
    "]": () => setLayer(state.layer + 1),
    z: () => zoomTo(state.selected),
    p: () => { if (state.selected >= 0) startPath(state.selected); },
    l: copyLink,
    d: () => setTheme(state.theme === "dark" ? "light" : "dark"),
    "?": () => $("help-box").showModal(),
    Escape: escape,
  };

  function escape() {
    if (document.activeElement === $("query")) $("map").focus();
    else if (state.start >= 0) endPath();
    else if (state.matches.length || state.pin) { state.matches = []; state.pin = null; report(""); ask(); }
    else select(-1);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help-box").open) return;
    const typing = event.target.matches("input[type=text], select"), focused = event.target === $("map");
    if (typing && event.key !== "Escape") return;
    const action = (focused && onMap[event.key]) || anywhere[event.key];
    if (!action) return;
    if (focused && event.key in onMap && !state.aiming) { state.aiming = true; ask(); }
    event.preventDefault();
    action();
  });

  $("map").addEventListener("blur", () => { if (state.aiming) { state.aiming = false; ask(); } });

  // ------------------------------------------------------------ controls

  $("zoom-in").addEventListener("click", anywhere["+"]);
  $("zoom-out").addEventListener("click", anywhere["-"]);
  $("fit").addEventListener("click", fit);
  $("theme").addEventListener("click", anywhere.d);
  $("help").addEventListener("click", anywhere["?"]);
  $("help-close").addEventListener("click", () => $("help-box").close());
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  $("colour").addEventListener("change", () => setColour($("colour").value));
  $("layer").addEventListener("input", () => setLayer(Number($("layer").value)));
  SWITCHES.forEach((name) => $(name).addEventListener("change", () => show(name, $(name).checked)));
  $("link").addEventListener("click", copyLink);
  $("svg").addEventListener("click", () => save("svg"));
  $("png").addEventListener("click", () => save("png"));

  const colourings = [["class", "class"], ["region", "region"], ["slope", "slope"], ["layer", "layer that made the facet"]];
  data.layers.forEach((_, l) => colourings.push([`rank${l}`, `rank of layer ${l + 1}`]));
  colourings.forEach(([value, name]) => $("colour").append(element("option", { value }, name)));
  $("layer").max = String(data.layers.length);
  $("boundary").checked = state.boundary;
  $("points-label").hidden = !data.points.length;
  $("title").textContent = data.name;
  $("summary").textContent = data.summary;
  $("map").setAttribute("aria-label", `Map of ${data.regions} regions of ${data.name}`);
  setLayer(data.layers.length);
  setTheme(state.theme);
  select(-1);
  say("");

  return {
    data, state, search, select, setLayer, setTheme, startPath, frames, remember, save,
    locate: (x, y) => locator.at(x, y),
    find: (pattern) => searchPattern(data, pattern),
    path: (a, b) => shortestPath(data, a, b),
    screen: (x, y) => [view.sx(x), view.sy(y)],
    zoom: (factor) => setView(view.zoomed(factor)),
    isIdle: () => !running,
    paintTime: () => painter.finished,
  };
}

window.explorer = start();
