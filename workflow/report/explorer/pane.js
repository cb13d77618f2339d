// A map of one layer: points on a canvas that can be moved, zoomed, hovered and selected.

const RADIUS = 4, MARGIN = 28, MOVE_MS = 700, FACE = 36, MOST_FACES = 250;
const isStill = matchMedia("(prefers-reduced-motion: reduce)");

class Pane {
  // `page` answers what the pane asks: set, recording, layer, map, looks, isShown, selection, face.
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.heading = root.querySelector("h2");
    this.canvas = root.querySelector("canvas");
    this.context = this.canvas.getContext("2d");
    this.pointers = new Map();
    this.path = null;
    this.again = () => this.ask();
    this.whole();
    new ResizeObserver(() => this.ask()).observe(this.canvas);
    this.listen();
  }

  whole() {
    this.view = { zoom: 1, x: 0, y: 0 };
    this.ask();
  }

  // Points go to where the layer has them; from a map of other faces they jump.
  go() {
    const target = points(this.page.recording, this.page.map, this.page.layer);
    const canMove = this.target && target && this.target.length === target.length && !isStill.matches;
    this.origin = canMove ? this.now.slice() : null;
    this.target = target;
    this.now = canMove ? this.now : target?.slice() ?? null;
    this.since = performance.now();
    this.ask();
  }

  // One frame at a time, however often it is asked for.
  ask() {
    this.frame ??= requestAnimationFrame((time) => {
      this.frame = null;
      this.advance(time);
      this.draw();
    });
  }

  advance(time) {
    if (!this.origin) return;
    const t = Math.min(1, Math.max(0, (time - this.since) / MOVE_MS)), eased = t * t * (3 - 2 * t);
    for (let i = 0; i < this.now.length; i++) this.now[i] = this.origin[i] + (this.target[i] - this.origin[i]) * eased;
    if (t >= 1) this.origin = null;
    else this.ask();
  }

  // Pixels of the screen for 1 on the map.
  get scale() {
    const { width, height } = this.size;
    return (Math.min(width, height) / 2 - MARGIN) * this.view.zoom;
  }

  get size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  place(i) {
    const { width, height } = this.size, scale = this.scale;
    return [width / 2 + this.view.x + this.now[2 * i] * scale, height / 2 + this.view.y - this.now[2 * i + 1] * scale];
  }

  draw() {
    const { width, height } = this.size, density = devicePixelRatio || 1, { context, page } = this;
    if (!width) return;
    if (this.canvas.width !== Math.round(width * density) || this.canvas.height !== Math.round(height * density)) {
      this.canvas.width = Math.round(width * density);
      this.canvas.height = Math.round(height * density);
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.now) return this.say(`No ${page.map.toUpperCase()} of this layer in this run`);
    const faint = [], strong = [];
    for (let i = 0; i < page.n; i++)
      if (page.isShown[i]) (page.selection.size === 0 || page.selection.has(i) ? strong : faint).push(i);
    this.drawPoints([[faint, 0.25], [strong, 1]], density);
    this.drawLines();
    if (page.withFaces) this.drawFaces(strong, width, height);
    if (page.face >= 0) this.drawRing(page.face, "#000", RADIUS + 4);
    if (this.path) this.drawPath();
    if (!faint.length && !strong.length) this.say("All faces are filtered out");
  }

  // Points of several opacities, those of the last over the others.
  drawPoints(parts, density) {
    const { page, now } = this, { width, height } = this.canvas;
    if (this.image?.width !== width || this.image?.height !== height) this.image = this.context.createImageData(width, height);
    const pixels = new Uint32Array(this.image.data.buffer), { codes, looks } = page.looks;
    const scale = this.scale * density, dx = width / 2 + this.view.x * density, dy = height / 2 + this.view.y * density;
    const r = page.n > 8000 ? RADIUS * 0.6 : RADIUS;
    pixels.fill(0);
    for (const [rows, opacity] of parts) {
      const drawn = looks.map((look) => stamp(look, r, density, opacity));
      for (const i of rows) {
        const x = Math.round(dx + now[2 * i] * scale), y = Math.round(dy - now[2 * i + 1] * scale), one = drawn[codes[i]];
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        const isInside = x >= one.half && y >= one.half && x < width - one.half && y < height - one.half;
        for (let j = 0; j < one.x.length; j++) {
          if (!isInside && (x + one.x[j] < 0 || x + one.x[j] >= width || y + one.y[j] < 0 || y + one.y[j] >= height)) continue;
          const at = (y + one.y[j]) * width + x + one.x[j];
          if (one.covers[j] || pixels[at] === 0) pixels[at] = one.colors[j];
        }
      }
    }
    this.context.putImageData(this.image, 0, 0);
  }

  // From the face to its nearest in this layer.
  drawLines() {
    const { context, page } = this;
    if (page.face < 0) return;
    const k = page.recording.neighbours, near = nearest(page.recording, page.layer), [x, y] = this.place(page.face);
    context.strokeStyle = "rgba(0,0,0,.35)";
    context.lineWidth = 1;
    context.beginPath();
    for (let j = 0; j < k; j++) {
      context.moveTo(x, y);
      context.lineTo(...this.place(near[page.face * k + j]));
    }
    context.stroke();
  }

  // Small pictures at points, one in each cell of a grid: the first of the faces there.
  drawFaces(rows, width, height) {
    const taken = new Set(), cell = FACE + 2;
    for (const i of rows) {
      const [x, y] = this.place(i);
      if (x <= 0 || y <= 0 || x >= width || y >= height) continue;
      const key = `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
      if (taken.has(key) || taken.size >= MOST_FACES) continue;
      taken.add(key);
      const left = Math.floor(x / cell) * cell, top = Math.floor(y / cell) * cell;
      if (!drawFace(this.context, this.page.set, i, left, top, FACE, this.again)) continue;
      this.context.strokeStyle = this.page.looks.looks[this.page.looks.codes[i]].color;
      this.context.lineWidth = 2;
      this.context.strokeRect(left, top, FACE, FACE);
    }
  }

  drawRing(i, color, radius) {
    const [x, y] = this.place(i);
    this.context.strokeStyle = color;
    this.context.lineWidth = 2;
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.context.stroke();
  }

  drawPath() {
    this.context.strokeStyle = "#000";
    this.context.setLineDash([5, 4]);
    this.context.lineWidth = 1;
    this.context.stroke(this.outlinePath());
    this.context.setLineDash([]);
  }

  outlinePath() {
    const path = new Path2D(), points = this.corners();
    points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    path.closePath();
    return path;
  }

  corners() {
    if (this.page.tool === "lasso") return this.path;
    const [[x, y], [X, Y]] = [this.path[0], this.path[this.path.length - 1]];
    return [[x, y], [X, y], [X, Y], [x, Y]];
  }

  say(text) {
    this.context.fillStyle = "#555";
    this.context.font = "15px sans-serif";
    this.context.textAlign = "center";
    this.context.fillText(text, this.size.width / 2, this.size.height / 2);
  }

  // The face nearest to a place, if one is near enough; with a direction, the nearest that way.
  find(x, y, most = 14, direction = null) {
    if (!this.now) return -1;
    let best = -1, least = most * most;
    for (let i = 0; i < this.page.n; i++) {
      if (!this.page.isShown[i] || (direction && i === this.page.face)) continue;
      const [px, py] = this.place(i);
      let dx = px - x, dy = py - y, distance = dx * dx + dy * dy;
      if (direction) {
        const along = dx * direction[0] + dy * direction[1], across = Math.abs(dx * direction[1]) + Math.abs(dy * direction[0]);
        if (along <= 0 || across > along) continue;
        distance = (along + 2 * across) ** 2;
      }
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  zoomAt(x, y, factor) {
    const { width, height } = this.size, zoom = Math.min(60, Math.max(0.5, this.view.zoom * factor));
    const ratio = zoom / this.view.zoom, dx = x - width / 2, dy = y - height / 2;
    this.view = { zoom, x: dx - (dx - this.view.x) * ratio, y: dy - (dy - this.view.y) * ratio };
    this.ask();
  }

  inside() {
    const path = this.outlinePath(), found = [];
    for (let i = 0; i < this.page.n; i++)
      if (this.page.isShown[i] && this.context.isPointInPath(path, ...this.place(i).map((v) => v * (devicePixelRatio || 1)))) found.push(i);
    return found;
  }

  listen() {
    const canvas = this.canvas, at = (event) => [event.offsetX, event.offsetY];
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, at(event));
      this.moved = 0;
      if (this.page.tool !== "pan" && this.pointers.size === 1) this.path = [at(event)];
    });
    canvas.addEventListener("pointermove", (event) => this.pointerMoves(event, at(event)));
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, (event) => this.pointerLeaves(event, at(event)));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomAt(...at(event), Math.exp(-event.deltaY * 0.0015));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  pointerMoves(event, [x, y]) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.page.look(this.find(x, y));
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const spread = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
      this.zoomAt(other[0], other[1], spread([x, y]) / spread(before));
    } else if (this.path) {
      this.path.push([x, y]);
    } else {
      this.view.x += x - before[0];
      this.view.y += y - before[1];
    }
    this.moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
    this.pointers.set(event.pointerId, [x, y]);
    this.ask();
  }

  pointerLeaves(event, [x, y]) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.path && this.moved > 6) this.page.select(this.inside(), event.shiftKey);
    else if (this.moved <= 6) {
      const found = this.find(x, y);
      this.page.look(found, true);
      if (found >= 0 && event.shiftKey) this.page.toggle(found);
    }
    this.path = null;
    this.ask();
  }

  key(event) {
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { width, height } = this.size, middle = [width / 2, height / 2], way = directions[event.key];
    if (way && this.now) {
      const start = this.page.face;
      const found = start < 0 ? this.find(...middle, Infinity) : this.find(...this.place(start), Infinity, way);
      if (found >= 0) this.page.look(found, true);
    } else if (event.key === "Enter" && this.page.face >= 0) this.page.toggle(this.page.face);
    else if (event.key === "+" || event.key === "=") this.zoomAt(...middle, 1.3);
    else if (event.key === "-") this.zoomAt(...middle, 1 / 1.3);
    else if (event.key === "0") this.whole();
    else if (event.key === "Escape") this.page.select([], false);
    else return;
    event.preventDefault();
  }
}
