// What was typed into the search box: a point, a region, or a pattern.

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const POINT = new RegExp(String.raw`^\(?\s*(${NUMBER})\s*[,;\s]\s*(${NUMBER})\s*\)?$`);

function parseQuery(text) {
  const query = text.trim();
  if (!query) return { kind: "nothing" };
  if (/^#\s*\d+$/.test(query)) return { kind: "region", region: Number(query.slice(1)) };
  const bare = query.replace(/[\s|]/g, "");
  const point = POINT.exec(query);
  if (point && !/^[01?*]+$/.test(bare)) return { kind: "point", x: Number(point[1]), y: Number(point[2]) };
  if (/^[01?*]+$/.test(bare)) return { kind: "pattern", pattern: bare };
  return { kind: "unknown", query };
}

// The regions of a pattern; ? is any bit, * any number of them, and one that is too short is a beginning.
function searchPattern(data, pattern) {
  const fixed = pattern.replace(/\*/g, "").length;
  if (fixed > data.neurons) return [];
  return pattern.includes("*") ? searchWild(data, pattern) : searchPrefix(data, pattern);
}

function searchPrefix(data, pattern) {
  const found = [];
  regions: for (let i = 0; i < data.regions; i++) {
    for (let n = 0; n < pattern.length; n++) {
      if (pattern[n] !== "?" && bit(data, i, n) !== (pattern[n] === "1")) continue regions;
    }
    found.push(i);
  }
  return found;
}

// The usual matching with one step back to the last *, in time linear in bits and pattern for each *.
function searchWild(data, pattern) {
  const found = [];
  for (let i = 0; i < data.regions; i++) if (matchesWild(patternText(data, i), pattern)) found.push(i);
  return found;
}

function matchesWild(text, pattern) {
  let t = 0, p = 0, star = -1, mark = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "*") { star = p++; mark = t; }
    else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) { p++; t++; }
    else if (star >= 0) { p = star + 1; t = ++mark; }
    else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
