// What stands beside the maps: the legend, the face, its neighbours, curves, the selection.

const SVG = "http://www.w3.org/2000/svg", MOST_ROWS = 300;
const CURVES = { identity: { color: "#0072b2", dash: "", shape: "circle" }, expression: { color: "#c04f00", dash: "6 3", shape: "square" } };

// An element with attributes and children; text is text, whatever it holds.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// ------------------------------------------------------------------------------- faces and labels

function facePicture(set, i, size, words) {
  const canvas = make("canvas", { width: THUMBNAIL * 2, height: THUMBNAIL * 2, role: "img", "aria-label": words });
  canvas.dataset.face = i;
  canvas.style.width = canvas.style.height = `${size}px`;
  const again = () => drawFace(canvas.getContext("2d"), set, i, 0, 0, THUMBNAIL * 2, again);
  again();
  return canvas;
}

function inWords(set, i) {
  const words = Object.keys(set.labels).map((name) => valueOf(label(set, name), i) && `${name} ${valueOf(label(set, name), i)}`);
  return [set.ids[i], ...words.filter(Boolean)].join(", ");
}

function showFace(root, set, i, recordings, layer, look) {
  if (i < 0) return root.replaceChildren(make("p", { class: "small" }, "Point at a face, or go to the map with Tab and use the arrow keys."));
  const list = make("dl", {}, make("dt", {}, "picture"), make("dd", {}, set.ids[i]));
  const add = (name, one) => {
    const value = one && valueOf(one, i);
    if (!value) return;
    const source = one.source ? make("span", { class: "small" }, ` (${one.source})`) : "";
    list.append(make("dt", {}, name), make("dd", {}, value, source));
  };
  for (const name of Object.keys(set.labels)) add(name, label(set, name));
  for (const recording of recordings) {
    const answers = label(set, "answer", recording);
    add(`answer of ${recording.label}`, answers && { ...answers, source: "" });
  }
  const k = recordings[0].neighbours, near = nearest(recordings[0], layer).subarray(i * k, i * k + Math.min(k, 12));
  const beside = make("div", { class: "beside", role: "group", "aria-label": "Nearest in this layer" }, make("span", { class: "small" }, "nearest in this layer"));
  for (const j of near) beside.append(neighbour(set, i, j, 28, look));
  root.replaceChildren(make("div", { class: "picture" }, facePicture(set, i, 96, inWords(set, i)), beside), list);
}

function isSame(one, i, j) {
  return Boolean(one && one.codes[i] && one.codes[j] === one.codes[i]);
}

// A face as a button, framed by what it shares with another.
function neighbour(set, i, j, size, look) {
  const shared = ["identity", "expression"].filter((name) => isSame(label(set, name), i, j));
  const button = make("button", { type: "button", class: ["near", ...shared.map((name) => (name === "identity" ? "person" : name))].join(" "), onclick: () => look(j, true) });
  button.append(facePicture(set, j, size, inWords(set, j)));
  return button;
}

// For each network and layer the nearest faces, framed by what they share with this one.
function showNear(root, set, i, recordings, layers, look) {
  if (i < 0) return root.replaceChildren(make("p", { class: "small" }, "The faces nearest to a face in each layer stand here."));
  const labels = [["person", label(set, "identity")], ["expression", label(set, "expression")]].filter(([, one]) => one?.codes[i]);
  const key = make("p", { class: "small" }, ...labels.map(([word]) => make("span", { class: `key ${word}` }, `same ${word}`)));
  if (labels.length === 2) key.append(make("span", { class: "key both" }, "both"));
  key.append(" Distances are those of the layer's full space; the nearest face stands first.");
  const columns = recordings.map((recording, number) => make("div", {}, make("h3", {}, title(recording)),
    ...recording.layers.map((_, layer) => strip(set, i, recording, layer, labels, layer === layers[number], recordings.length > 1 ? 28 : 44, look))));
  root.replaceChildren(key, make("div", { class: "columns" }, ...columns));
}

function strip(set, i, recording, layer, labels, isNow, size, look) {
  const k = recording.neighbours, near = nearest(recording, layer).subarray(i * k, i * k + k);
  const counts = labels.map(([word, one]) => {
    const n = near.reduce((sum, j) => sum + isSame(one, i, j), 0), alike = one.codes.reduce((sum, code) => sum + (code === one.codes[i]), 0) - 1;
    return `${word} ${n} (by chance ${((k * alike) / (one.codes.length - 1)).toFixed(1)})`;
  });
  const name = make("div", { class: "name" }, make("b", {}, layerName(recording.layers[layer])), make("br"), make("span", { class: "small" }, counts.join("; ")));
  return make("div", { class: isNow ? "strip now" : "strip" }, name, make("div", { class: "faces" }, ...Array.from(near, (j) => neighbour(set, i, j, size, look))));
}

function layerName(layer) {
  return layer.stage ? `${layer.name} (${layer.stage})` : layer.name;
}

// ------------------------------------------------------------------------------------ legend

// Categories with a box each, which filters; or a scale of colours.
function showLegend(root, one, name, hidden, change) {
  if (!one) return root.replaceChildren(make("p", { class: "small" }, `This run has no ${name} here.`));
  const source = make("p", { class: "small" }, one.source ? `Source: ${one.source}` : "");
  if (one.kind === "number") {
    const [low, high] = range(one.numbers);
    const bar = make("div", { class: "bar", role: "img", "aria-label": `Colours of ${name} from ${low.toFixed(2)} to ${high.toFixed(2)}` });
    bar.style.background = `linear-gradient(to right, ${Array.from({ length: 11 }, (_, i) => numberColor(i / 10))})`;
    const ends = make("div", { class: "ends" }, make("span", {}, low.toFixed(2)), make("span", {}, high.toFixed(2)));
    return root.replaceChildren(bar, ends, source);
  }
  const counts = new Map();
  for (const code of one.codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const box = make("fieldset", {}, make("legend", { class: "unseen" }, `Show ${name}`));
  for (const [code, count] of [...counts].sort((a, b) => a[0] - b[0])) {
    const input = make("input", { type: "checkbox", onchange: () => change(code, input.checked) });
    input.checked = !hidden.has(code);
    const icon = glyph(code ? categoryLook(code) : UNKNOWN, RADIUS + 1, 2), copy = make("canvas", { width: icon.width, height: icon.height, "aria-hidden": "true" });
    copy.getContext("2d").drawImage(icon, 0, 0);
    copy.style.width = `${icon.width / 2}px`;
    const words = code ? one.categories[code - 1] : "not known";
    box.append(make("label", {}, input, copy, make("span", {}, `${words} `, make("span", { class: "small" }, `${count}`))));
  }
  const all = make("button", { type: "button", onclick: () => change(null, true) }, "All");
  const none = make("button", { type: "button", onclick: () => change(null, false) }, "None");
  root.replaceChildren(box, all, " ", none, source);
}

// ------------------------------------------------------------------------------------ curves

// A small chart of one measure by layer, with intervals, chance if it is not 0, and a mark at the layer that
// is shown. Charts of several networks have one scale. A label without values has a line that says why.
function curve(recording, recordings, measure, words, layer, go) {
  const names = Object.keys(CURVES).filter((name) => recording.layers.some((one) => one[measure][name]?.[0] != null));
  const why = (name) => recording.layers.map((one) => one[measure][name]?.[4]).find(Boolean);
  const absent = Object.keys(CURVES).filter((name) => !names.includes(name) && why(name)).map((name) => make("div", {}, `No ${name}: ${why(name)}`));
  const caption = make("figcaption", {}, words, ...absent);
  if (!names.length) return absent.length ? make("figure", {}, caption) : null;
  const chance = (values) => (measure === "decoding" ? 0 : values[3] ?? 0);
  const width = 440, height = 150, left = 34, right = 74, bottom = 22, top = 8, n = recording.layers.length;
  const cells = Object.keys(CURVES).flatMap((name) => recordings.flatMap((of) => of.layers.map((one) => one[measure][name])).filter((v) => v?.[0] != null).flatMap((v) => [v[0], v[1] ?? v[0], v[2] ?? v[0], v[3] ?? 0].map((x) => x - chance(v))));
  const low = Math.min(0, ...cells), high = Math.max(0.1, ...cells);
  const x = (i) => left + (n > 1 ? (i * (width - left - right)) / (n - 1) : (width - left - right) / 2);
  const y = (v) => top + ((high - v) / (high - low)) * (height - top - bottom);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${words} by layer of ${recording.label}: ${names.join(" and ")}` });
  svg.append(draw("line", { x1: x(layer), x2: x(layer), y1: top, y2: height - bottom, stroke: "#222", "stroke-width": 8, opacity: 0.15 }));
  svg.append(draw("line", { x1: left, x2: width - right, y1: y(0), y2: y(0), stroke: "#999", "stroke-width": 0.8 }));
  for (const value of [low, 0, high].filter((v, i) => i === 1 || Math.abs(y(v) - y(0)) > 12))
    svg.append(draw("text", { x: left - 4, y: y(value) + 4, "text-anchor": "end", "font-size": 11 }, value.toFixed(1).replace("-", "\u2212")));
  svg.append(draw("text", { x: x(layer), y: height - 6, "text-anchor": "middle", "font-size": 11 }, recording.layers[layer].stage || recording.layers[layer].name));
  let last = -99;
  for (const name of names) {
    const { color, dash, shape } = CURVES[name];
    const dots = recording.layers.map((one, i) => [one[measure][name], i]).filter(([v]) => v?.[0] != null);
    if (measure === "decoding") svg.append(draw("path", { d: "M" + dots.map(([v, i]) => `${x(i)},${y(v[3])}`).join("L"), fill: "none", stroke: color, "stroke-dasharray": "1 3" }));
    svg.append(draw("path", { d: "M" + dots.map(([v, i]) => `${x(i)},${y(v[0] - chance(v))}`).join("L"), fill: "none", stroke: color, "stroke-width": 1.6, "stroke-dasharray": dash }));
    for (const [v, i] of dots) {
      if (v[1] != null) svg.append(draw("line", { x1: x(i), x2: x(i), y1: y(v[1] - chance(v)), y2: y(v[2] - chance(v)), stroke: color }));
      svg.append(draw("path", { d: outline(shape, 3), transform: `translate(${x(i)} ${y(v[0] - chance(v))})`, fill: color }));
    }
    const [v, i] = dots[dots.length - 1], wanted = y(v[0] - chance(v)) + 4;
    last = Math.abs(wanted - last) < 12 ? last + 12 : wanted;
    svg.append(draw("text", { x: x(i) + 7, y: last, fill: color, "font-size": 12 }, name));
  }
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect(), at = ((event.clientX - box.left) / box.width) * width;
    go(Math.min(n - 1, Math.max(0, Math.round(((at - left) / (width - left - right)) * (n - 1)))));
  });
  return make("figure", {}, caption, svg);
}

function showCurves(root, recordings, layers, several, go) {
  const charts = recordings.flatMap((recording, pane) => {
    const of = recordings.length > 1 ? `${title(recording, several)}: ` : "", space = DATA.components === "all" ? "full space" : `${DATA.components} components`;
    return [
      curve(recording, recordings, "silhouette", `${of}silhouettes less chance, ${space}; bars: 95 % intervals over people`, layers[pane], go),
      curve(recording, recordings, "decoding", `${of}decoding, balanced accuracy, ${space}; dotted: chance`, layers[pane], go),
    ];
  });
  root.replaceChildren(...charts.filter(Boolean));
}

// --------------------------------------------------------------------------------- selection

function rowsOf(set, rows, recordings) {
  const labels = Object.keys(set.labels).map((name) => [name, label(set, name)]);
  for (const recording of recordings) labels.push([`answer of ${recording.label}`, label(set, "answer", recording)]);
  const kept = labels.filter(([, one]) => one);
  return [["picture", ...kept.map(([name]) => name)], ...rows.map((i) => [set.ids[i], ...kept.map(([, one]) => valueOf(one, i))])];
}

function showSelection(root, set, selection, recordings) {
  const rows = [...selection].sort((a, b) => a - b);
  if (!rows.length) return root.replaceChildren(make("p", { class: "small" }, "Nothing is selected. Draw a lasso or a rectangle, or press Enter on a face."));
  const [head, ...body] = rowsOf(set, rows.slice(0, MOST_ROWS), recordings);
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head.map((word) => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...body.map((row) => make("tr", {}, ...row.map((word) => make("td", {}, word))))));
  const more = rows.length > MOST_ROWS ? ` The first ${MOST_ROWS} are listed; the CSV has all.` : "";
  root.replaceChildren(make("p", {}, `${rows.length} of ${set.ids.length} faces.${more}`), table);
}

// A cell that a spreadsheet takes for a formula gets a mark before it.
function csv(rows) {
  const cell = (word) => {
    const text = /^[=+\-@\t\r]/.test(word) && Number.isNaN(Number(word)) ? `'${word}` : String(word);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
