// What the page holds, decoded when it is first needed.

const DATA = JSON.parse(document.getElementById("data").textContent);
const THUMBNAIL = 48, PAGE_COLUMNS = 32;
const decoded = new Map();

function decode(text, Type) {
  if (!decoded.has(text)) {
    const raw = atob(text), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    decoded.set(text, new Type(bytes.buffer));
  }
  return decoded.get(text);
}

// A label of a face set as {kind, categories, codes} or {kind, numbers}; codes start at 1, and 0 is
// "not known". `answer` and `answer is right` are of a recording.
function label(set, name, recording) {
  if (name === "answer" || name === "answer is right") return answerLabel(set, name, recording);
  const one = set.labels[name];
  if (!one) return null;
  return one.numbers
    ? { kind: "number", numbers: decode(one.numbers, Float32Array), source: one.source }
    : { kind: "category", categories: one.categories, codes: decode(one.codes, Uint16Array), source: one.source };
}

function answerLabel(set, name, recording) {
  const answers = recording?.answers, truth = set.labels.expression;
  if (!answers) return null;
  const codes = decode(answers.codes, Uint16Array), source = `answers of ${recording.label}`;
  if (name === "answer") return { kind: "category", categories: answers.categories, codes, source };
  if (!truth) return null;
  recording.isRight ??= Uint16Array.from(decode(truth.codes, Uint16Array), (code, i) => {
    const expression = truth.categories[code - 1];
    // A network cannot name an expression that it never learned.
    if (!answers.categories.includes(expression)) return 0;
    return answers.categories[codes[i] - 1] === expression ? 1 : 2;
  });
  return { kind: "category", categories: ["right", "wrong"], codes: recording.isRight, source };
}

function valueOf(one, i) {
  if (one.kind === "number") return Number.isNaN(one.numbers[i]) ? "" : one.numbers[i].toFixed(2);
  return one.codes[i] ? one.categories[one.codes[i] - 1] : "";
}

// Coordinates of a layer's map, x and y by turns; most are between -1 and 1.
function points(recording, map, layer) {
  const one = recording.maps[map], text = one?.layers[layer];
  return text ? Float32Array.from(decode(text, Int16Array), (v) => v / one.unit) : null;
}

function nearest(recording, layer) {
  return decode(recording.layers[layer].nearest, Uint16Array);
}

function title(recording, several) {
  return several ? `${recording.label}, instance ${recording.seed}` : recording.label;
}

// Small pictures: a page of them is decoded when a face of it is first drawn.
const pages = new Map();

function drawFace(context, set, i, x, y, size, whenLoaded) {
  const number = Math.floor(i / PAGE_COLUMNS ** 2), place = i % PAGE_COLUMNS ** 2;
  const address = set.thumbnails[number];
  let page = pages.get(address);
  if (!page) {
    page = { image: new Image(), waiting: new Set(), ready: false };
    pages.set(address, page);
    page.image.src = address;
    page.image.decode().then(() => {
      page.ready = true;
      page.waiting.forEach((again) => again());
      page.waiting.clear();
    });
  }
  if (!page.ready) {
    page.waiting.add(whenLoaded);
    return false;
  }
  const left = (place % PAGE_COLUMNS) * THUMBNAIL, top = Math.floor(place / PAGE_COLUMNS) * THUMBNAIL;
  context.drawImage(page.image, left, top, THUMBNAIL, THUMBNAIL, x, y, size, size);
  return true;
}
