// What is shown, as the part of the address behind #: only what is not as it was when the page was opened.

const SWITCHES = ["lines", "boundary", "points"];

// An address' part for a state and the window of a view, which is null where everything is shown.
function hashOf(data, state, window, theme) {
  const parts = [];
  if (window) parts.push(["view", window.join(",")]);
  if (state.colour !== "class") parts.push(["colour", state.colour]);
  if (state.layer !== data.layers.length) parts.push(["layer", state.layer]);
  if (state.start >= 0) parts.push(["from", state.start]);
  if (state.selected >= 0) parts.push(["region", state.selected]);
  if (state.pin) parts.push(["point", state.pin.join(",")]);
  const hidden = SWITCHES.filter((name) => !state[name]);
  if (hidden.length) parts.push(["hide", hidden.join(",")]);
  if (state.theme !== theme) parts.push(["theme", state.theme]);
  return parts.map(([name, value]) => `${name}=${value}`).join("&");
}

// What such a part says; what is no number or not of this page is left out.
function stateOf(hash, data, colours) {
  const said = new URLSearchParams(hash.replace(/^#/, "")), found = { hide: [] };
  const numbers = (name, n) => {
    const values = (said.get(name) || "").split(",").map((text) => (text.trim() ? Number(text) : NaN));
    return values.length === n && values.every(Number.isFinite) ? values : null;
  };
  const whole = (name, most) => {
    const [value] = numbers(name, 1) || [];
    return Number.isInteger(value) && value >= 0 && value <= most ? value : null;
  };
  const window = numbers("view", 4);
  if (window && window[0] < window[2] && window[1] < window[3]) found.window = window;
  found.point = numbers("point", 2);
  found.layer = whole("layer", data.layers.length);
  found.from = whole("from", data.regions - 1);
  found.region = whole("region", data.regions - 1);
  found.missing = said.has("region") && found.region === null ? said.get("region") : null;
  if (colours.includes(said.get("colour"))) found.colour = said.get("colour");
  if (["light", "dark"].includes(said.get("theme"))) found.theme = said.get("theme");
  found.hide = SWITCHES.filter((name) => (said.get("hide") || "").split(",").includes(name));
  return found;
}
