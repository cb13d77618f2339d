// How points look: a colour and a shape for each category, a scale of colours for numbers.

const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a4fa3", "#6b5b2a"];
const SHAPES = ["circle", "triangle", "square", "diamond", "cross", "down", "star", "hexagon"];
const UNKNOWN = { color: "#9a9a9a", shape: "ring" };
const STEPS = 21;

// Up to eight categories differ in colour and shape, up to sixty-four in one of them.
function categoryLook(code) {
  if (!code) return UNKNOWN;
  const i = code - 1, round = Math.floor(i / COLORS.length);
  return { color: COLORS[i % COLORS.length], shape: SHAPES[(i + round) % SHAPES.length] };
}

// From blue through grey to orange, which also differ in lightness.
function numberColor(share) {
  const stops = [[0, 66, 140], [120, 170, 215], [222, 222, 222], [235, 150, 70], [150, 60, 0]];
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
  const mixed = stops[low].map((v, c) => Math.round(v + (stops[low + 1][c] - v) * (at - low)));
  return `rgb(${mixed})`;
}

// Look of each face, as a number, and the list of looks.
function looksOf(one, n) {
  const codes = new Uint16Array(n);
  if (!one) return { codes, looks: [UNKNOWN] };
  if (one.kind === "category") {
    codes.set(one.codes);
    return { codes, looks: [UNKNOWN, ...one.categories.map((_, i) => categoryLook(i + 1))] };
  }
  const [low, high] = range(one.numbers);
  for (let i = 0; i < n; i++) {
    const share = high > low ? (one.numbers[i] - low) / (high - low) : 0.5;
    codes[i] = Number.isNaN(one.numbers[i]) ? 0 : 1 + Math.round(share * (STEPS - 1));
  }
  const looks = Array.from({ length: STEPS }, (_, i) => ({ color: numberColor(i / (STEPS - 1)), shape: "circle" }));
  return { codes, looks: [UNKNOWN, ...looks] };
}

function range(numbers) {
  let low = Infinity, high = -Infinity;
  for (const value of numbers) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// The outline of a shape around (0, 0), as text of an SVG path.
function outline(shape, r) {
  const corners = (count, turn, radii = [r]) =>
    "M" + Array.from({ length: count }, (_, i) => {
      const angle = turn + (2 * Math.PI * i) / count, radius = radii[i % radii.length];
      return `${(radius * Math.cos(angle)).toFixed(2)},${(radius * Math.sin(angle)).toFixed(2)}`;
    }).join("L") + "Z";
  const up = -Math.PI / 2;
  switch (shape) {
    case "triangle": return corners(3, up, [r * 1.25]);
    case "down": return corners(3, -up, [r * 1.25]);
    case "square": return corners(4, Math.PI / 4, [r * 1.2]);
    case "diamond": return corners(4, 0, [r * 1.25]);
    case "star": return corners(10, up, [r * 1.4, r * 0.6]);
    case "hexagon": return corners(6, 0, [r * 1.1]);
    case "cross": {
      const a = r * 0.4, b = r * 1.15;
      return `M${-a},${-b}H${a}V${-a}H${b}V${a}H${a}V${b}H${-a}V${a}H${-b}V${-a}H${-a}Z`;
    }
    default: return `M${-r},0A${r},${r} 0 1 1 ${r},0A${r},${r} 0 1 1 ${-r},0Z`;
  }
}

// A drawn point on a small canvas, kept.
const glyphs = new Map();

function glyph(look, r, density) {
  const key = `${look.color} ${look.shape} ${r} ${density}`;
  if (!glyphs.has(key)) {
    const side = 2 * Math.ceil((r * 1.4 + 1.5) * density) + 1, canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.translate(side / 2, side / 2);
    context.scale(density, density);
    const path = new Path2D(outline(look.shape, r));
    if (look.shape === "ring") {
      context.strokeStyle = look.color;
      context.lineWidth = 1.2;
    } else {
      context.fillStyle = look.color;
      context.fill(path);
      context.strokeStyle = "rgba(255,255,255,.75)";
      context.lineWidth = 0.7;
    }
    context.stroke(path);
    glyphs.set(key, canvas);
  }
  return glyphs.get(key);
}

// The pixels of a drawn point that are not clear: where, and which colour with its opacity. Written
// into a picture one by one they take a tenth of the time in which a canvas copies the point.
const stamps = new Map();

function stamp(look, r, density, opacity) {
  const key = `${look.color} ${look.shape} ${r} ${density} ${opacity}`;
  if (!stamps.has(key)) {
    const canvas = glyph(look, r, density), side = canvas.width, half = (side - 1) / 2;
    const data = canvas.getContext("2d").getImageData(0, 0, side, side).data, x = [], y = [], colors = [], covers = [];
    for (let i = 0; i < side * side; i++) {
      const alpha = data[4 * i + 3];
      if (alpha < 8) continue;
      x.push((i % side) - half);
      y.push(Math.floor(i / side) - half);
      colors.push(((Math.round(alpha * opacity) << 24) | (data[4 * i + 2] << 16) | (data[4 * i + 1] << 8) | data[4 * i]) >>> 0);
      covers.push(alpha > 127 && opacity === 1 ? 1 : 0);
    }
    stamps.set(key, { x: Int16Array.from(x), y: Int16Array.from(y), colors: Uint32Array.from(colors), covers: Uint8Array.from(covers), half });
  }
  return stamps.get(key);
}
