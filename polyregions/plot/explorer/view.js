// Where on the screen a point of the plane is. All in float64: canvases themselves round to float32.

class View {
  constructor(width, height, x, y, perX, perY) {
    Object.assign(this, { width, height, x, y, perX, perY });
  }

  // The whole picture, both axes with one scale unless the picture is very long.
  static fitting(bounds, width, height) {
    const [[a, b], [c, d]] = bounds, left = 50, right = 54, low = 34, high = 22; // room for the numbers and buttons
    let perX = Math.max(20, width - left - right) / (c - a), perY = Math.max(20, height - low - high) / (d - b);
    if (Math.max((c - a) / (d - b), (d - b) / (c - a)) <= 5) perX = perY = Math.min(perX, perY);
    const x = (a + c) / 2 - (left - right) / 2 / perX, y = (b + d) / 2 - (low - high) / 2 / perY;
    return new View(width, height, x, y, perX, perY);
  }

  // All of a window: lower x, lower y, upper x, upper y; both axes with one scale if `like` has one.
  static showing([a, b, c, d], like) {
    let perX = like.width / (c - a), perY = like.height / (d - b);
    if (like.perX === like.perY) perX = perY = Math.min(perX, perY);
    return new View(like.width, like.height, (a + c) / 2, (b + d) / 2, perX, perY);
  }

  sx(x) { return (x - this.x) * this.perX + this.width / 2; }
  sy(y) { return this.height / 2 - (y - this.y) * this.perY; }
  px(sx) { return this.x + (sx - this.width / 2) / this.perX; }
  py(sy) { return this.y - (sy - this.height / 2) / this.perY; }

  panned(dx, dy) {
    return new View(this.width, this.height, this.x - dx / this.perX, this.y + dy / this.perY, this.perX, this.perY);
  }

  // The point under (sx, sy) stays there.
  zoomed(factor, sx = this.width / 2, sy = this.height / 2) {
    const x = this.px(sx), y = this.py(sy), perX = this.perX * factor, perY = this.perY * factor;
    return new View(this.width, this.height, x - (sx - this.width / 2) / perX, y + (sy - this.height / 2) / perY, perX, perY);
  }

  resized(width, height) { return new View(width, height, this.x, this.y, this.perX, this.perY); }
  centredOn(x, y) { return new View(this.width, this.height, x, y, this.perX, this.perY); }

  // lower x, lower y, upper x, upper y of what is on the screen
  get window() {
    return [this.px(0), this.py(this.height), this.px(this.width), this.py(0)];
  }

  same(other) {
    return other && ["width", "height", "x", "y", "perX", "perY"].every((name) => this[name] === other[name]);
  }
}
