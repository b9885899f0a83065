// The map with its key as a file: SVG, and PNG with twice the pixels.

const PNG_RATIO = 2, LINE = 20, MARGIN = 12, SWATCH = 12;
const TEXT = "12px system-ui, sans-serif", STRONG = "600 14px system-ui, sans-serif";

class Picture {
  constructor(data, painter, overlay, view, state) {
    Object.assign(this, { data, painter, overlay, view, state, fill: fillOf(data, state) });
    this.measure = document.createElement("canvas").getContext("2d");
    this.measure.font = TEXT;
    this.rows = this.rowsOf(this.entries());
    this.notes = this.wrapped(data.summary);
    this.width = view.width;
    this.height = view.height + 3 * MARGIN + LINE * (1 + this.rows.length + this.notes.length);
  }

  svg() {
    const context = new SvgContext();
    this.draw(context, 1);
    return new Blob([context.file(this.width, this.height, this.data.name)], { type: "image/svg+xml" });
  }

  // Calls back with the file, as canvases do.
  png(done) {
    const canvas = element("canvas", { width: String(Math.round(this.width * PNG_RATIO)), height: String(Math.round(this.height * PNG_RATIO)) });
    this.draw(canvas.getContext("2d"), PNG_RATIO);
    canvas.toBlob(done, "image/png");
  }

  draw(context, ratio) {
    const { view, state } = this, work = this.painter.strokes(context, view, state, ratio);
    while (!work.next().done);
    this.overlay.draw(context, view, { ...state, hover: -1, aiming: false });
    this.key(context);
  }

  // Below the map, over what reaches beyond its edge.
  key(context) {
    const { view, state, width, height } = this, dark = state.theme === "dark";
    context.fillStyle = INKS[state.theme].paper;
    context.fillRect(0, view.height, width, height - view.height);
    const ink = dark ? "#e8eaed" : "#1c1f24";
    let y = view.height + MARGIN + LINE * 0.7;
    const line = (text, font, colour) => {
      Object.assign(context, { font, fillStyle: colour, textAlign: "left" });
      context.fillText(text, MARGIN, y);
      y += LINE;
    };
    line(this.data.name, STRONG, ink);
    for (const row of this.rows) {
      let x = MARGIN;
      for (const entry of row) { this.entry(context, entry, x, y, ink); x += entry.width; }
      y += LINE;
    }
    for (const note of this.notes) line(note, TEXT, dark ? "#a3acb8" : "#5b6470");
  }

  entries() {
    const { legend, scale, styles } = this.fill;
    const shown = legend.map(({ name, colour }) => ({ name, colours: [colour] }));
    if (scale) {
      const [low, high] = scaleTexts(scale);
      shown.push({ name: `${scale.label}: ${low} to ${high}`, colours: styles.filter((_, i) => i % 2 === 0), thin: true });
    }
    return [...shown, ...signsOf(this.data, this.state, this.fill)].map((entry) => {
      const marks = this.marksWidth(entry);
      return { ...entry, marks, width: marks + 6 + this.measure.measureText(entry.name).width + 18 };
    });
  }

  marksWidth({ colours, line, thin }) {
    return colours ? colours.length * (thin ? 4 : SWATCH) : line ? 20 : SWATCH;
  }

  rowsOf(entries) {
    const rows = [];
    let room = 0;
    for (const entry of entries) {
      if (entry.width > room) { rows.push([]); room = this.view.width - 2 * MARGIN; }
      rows[rows.length - 1].push(entry);
      room -= entry.width;
    }
    return rows;
  }

  entry(context, { name, colours, line, dot, marks, thin }, x, y, ink) {
    const middle = y - 4;
    if (colours) {
      colours.forEach((colour, i) => {
        context.fillStyle = colour;
        const step = thin ? 4 : SWATCH;
        context.fillRect(x + i * step, middle - SWATCH / 2, step, SWATCH);
      });
    } else if (line) {
      context.fillStyle = line;
      context.fillRect(x, middle - 1, marks, 2.2);
    } else {
      context.beginPath();
      context.arc(x + SWATCH / 2, middle, 4, 0, 7);
      Object.assign(context, { fillStyle: dot, strokeStyle: "#1a1a1a", lineWidth: 0.8 });
      context.fill();
      context.stroke();
    }
    Object.assign(context, { font: TEXT, fillStyle: ink, textAlign: "left" });
    context.fillText(name, x + marks + 6, y);
  }

  wrapped(text) {
    const lines = [];
    for (const word of text.split(" ")) {
      const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
      if (lines.length && this.measure.measureText(longer).width <= this.view.width - 2 * MARGIN) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }
}

// Hand a file to whoever looks at the page.
function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
