// A shortest path in the adjacency graph, by breadth-first search; null if there is none.

function shortestPath(data, from, to) {
  const before = new Int32Array(data.regions).fill(-1);
  let front = [to];
  before[to] = to;
  while (front.length && before[from] < 0) {
    const next = [];
    for (const region of front) {
      for (let k = data.facetOffsets[region]; k < data.facetOffsets[region + 1]; k++) {
        const other = data.neighbour[k];
        if (other >= 0 && before[other] < 0) { before[other] = region; next.push(other); }
      }
    }
    front = next;
  }
  if (before[from] < 0) return null;
  const path = [from];
  while (path[path.length - 1] !== to) path.push(before[path[path.length - 1]]);
  return path;
}

function edgeBetween(data, one, other) {
  for (let k = data.facetOffsets[one]; k < data.facetOffsets[one + 1]; k++) {
    if (data.neighbour[k] === other) return data.facetEdge[k];
  }
  return -1;
}
