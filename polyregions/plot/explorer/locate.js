// Which region holds a point: half-planes in float64 with a bound on the rounding, so that "inside" is certain.

// A coefficient is known up to its last rounding, 2^-53 of itself, and what rowDoubt adds anywhere in the picture; two
// products and two sums round again. All roundings together are less than 2^-50 of the sum of the absolute terms.
const ROUNDING = 2 ** -50;

class Locator {
  constructor(data) {
    this.data = data;
    const [[a, b], [c, d]] = data.view;
    this.n = Math.max(1, Math.min(256, Math.round(1.5 * Math.sqrt(data.regions))));
    this.x = a;
    this.y = b;
    this.perX = this.n / (c - a || 1);
    this.perY = this.n / (d - b || 1);
    this.fill();
  }

  // Lists of the regions whose box meets each square of a grid, as values and offsets.
  fill() {
    const { data, n } = this, counts = new Int32Array(n * n + 1);
    this.eachSquare((square) => counts[square + 1]++);
    for (let s = 0; s < n * n; s++) counts[s + 1] += counts[s];
    this.starts = counts;
    this.list = new Int32Array(counts[n * n]);
    const at = counts.slice(0, n * n);
    this.eachSquare((square, region) => { this.list[at[square]++] = region; });
  }

  eachSquare(visit) {
    const { data, n } = this, { boxes } = data;
    for (let i = 0; i < data.regions; i++) {
      if (data.offsets[i] === data.offsets[i + 1]) continue;
      const left = this.column(boxes[4 * i], -1), right = this.column(boxes[4 * i + 2], 1);
      const low = this.row(boxes[4 * i + 1], -1), high = this.row(boxes[4 * i + 3], 1);
      for (let r = low; r <= high; r++) for (let c = left; c <= right; c++) visit(r * n + c, i);
    }
  }

  // The squares are found in rounded numbers, so a box reaches a little farther than it does.
  column(x, reach = 0) { return this.place((x - this.x) * this.perX + 1e-9 * reach * this.n); }
  row(y, reach = 0) { return this.place((y - this.y) * this.perY + 1e-9 * reach * this.n); }
  place(v) { return Math.max(0, Math.min(this.n - 1, Math.floor(v))); }

  // { region } if that is certain, { near: [regions] } on or too close to a boundary, {} outside the picture.
  at(x, y) {
    const square = this.row(y) * this.n + this.column(x), near = [];
    for (let k = this.starts[square]; k < this.starts[square + 1]; k++) {
      const region = this.list[k], side = this.sideOf(region, x, y);
      if (side > 0) return { region };
      if (side === 0) near.push(region);
    }
    return near.length ? { near } : {};
  }

  // 1 if the point is certainly inside a region, -1 if certainly not, 0 if float64 cannot tell.
  sideOf(region, x, y) {
    const { offsets, rows, rowDoubt } = this.data;
    let answer = 1;
    for (let k = offsets[region]; k < offsets[region + 1]; k++) {
      const ax = rows[3 * k] * x, by = rows[3 * k + 1] * y, c = rows[3 * k + 2];
      const value = ax + by + c;
      const doubt = ROUNDING * (Math.abs(ax) + Math.abs(by) + Math.abs(c)) + rowDoubt[k] + 1e-300;
      if (value < -doubt) return -1;
      if (!(value > doubt)) answer = 0;
    }
    return answer;
  }
}
