// What a canvas' context does, written down as SVG: the same drawing makes the picture on the screen and the file.

const SVG_NAMES = "http:" + "//www.w3.org/2000/svg"; // a name, which nobody looks up

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

class SvgContext {
  constructor() {
    Object.assign(this, { fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, lineCap: "butt", lineJoin: "miter", globalAlpha: 1, font: "", textAlign: "left" });
    this.isVector = true; // even the smallest polygon keeps its shape
    this.dash = [];
    this.path = [];
    this.parts = [];
    this.filled = -1; // the part that fills the path at hand, which its stroke is added to
  }

  setTransform() {}
  clearRect() {}
  setLineDash(dash) { this.dash = dash; }

  beginPath() { this.path = []; this.filled = -1; }
  moveTo(x, y) { this.path.push(`M${places(x)} ${places(y)}`); }
  lineTo(x, y) { this.path.push(`L${places(x)} ${places(y)}`); }
  closePath() { this.path.push("Z"); }
  rect(x, y, w, h) { this.path.push(`M${places(x)} ${places(y)}h${places(w)}v${places(h)}h${places(-w)}Z`); }

  // Whole circles only.
  arc(x, y, r) {
    const d = places(2 * r), half = `a${places(r)} ${places(r)} 0 1 0`;
    this.path.push(`M${places(x - r)} ${places(y)}${half} ${d} 0${half} -${d} 0Z`);
  }

  fill() {
    if (!this.path.length) return;
    this.filled = this.parts.length;
    this.parts.push(`<path d="${this.path.join("")}" fill="${this.fillStyle}"${this.alpha()}/>`);
  }

  stroke() {
    if (!this.path.length) return;
    const style = this.pen();
    if (this.filled >= 0) {
      this.parts[this.filled] = this.parts[this.filled].replace("/>", ` ${style}/>`);
      this.filled = -1;
    } else this.parts.push(`<path d="${this.path.join("")}" fill="none" ${style}${this.alpha()}/>`);
  }

  fillRect(x, y, w, h) { this.box(x, y, w, h, `fill="${this.fillStyle}"`); }
  strokeRect(x, y, w, h) { this.box(x, y, w, h, `fill="none" ${this.pen()}`); }
  fillText(text, x, y) { this.text(text, x, y, `fill="${this.fillStyle}"`); }
  strokeText(text, x, y) { this.text(text, x, y, `fill="none" ${this.pen()}`); }

  box(x, y, w, h, style) {
    this.parts.push(`<rect x="${places(x)}" y="${places(y)}" width="${places(w)}" height="${places(h)}" ${style}${this.alpha()}/>`);
  }

  text(text, x, y, style) {
    const anchor = this.textAlign === "center" ? ' text-anchor="middle"' : "";
    this.parts.push(`<text x="${places(x)}" y="${places(y)}" style="font:${escaped(this.font)}"${anchor} ${style}>${escaped(text)}</text>`);
  }

  pen() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    return `stroke="${this.strokeStyle}" stroke-width="${places(this.lineWidth)}" stroke-linecap="${this.lineCap}" stroke-linejoin="${this.lineJoin}"${dash}`;
  }

  alpha() { return this.globalAlpha === 1 ? "" : ` opacity="${this.globalAlpha}"`; }

  file(width, height, title) {
    const size = `width="${places(width)}" height="${places(height)}" viewBox="0 0 ${places(width)} ${places(height)}"`;
    return `<svg xmlns="${SVG_NAMES}" ${size}>\n<title>${escaped(title)}</title>\n${this.parts.join("\n")}\n</svg>\n`;
  }
}

// A length in pixels, to a thousandth.
function places(value) {
  return String(Math.round(value * 1000) / 1000);
}
