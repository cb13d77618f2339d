// The state of the page, its controls, and the address that holds it.

const $ = (id) => document.getElementById(id);
const LABELS = ["expression", "identity", "sex", "valence", "arousal", "intensity", "session", "angle", "split"];
const PLAY_MS = 1500;

const state = {
  set: DATA.sets[0], shown: [], step: 0, map: "pca", color: "", hidden: new Map(), selection: new Set(),
  face: -1, isHeld: false, tool: "pan", withFaces: false,
};
let panes = [], isShown = new Uint8Array(0), timer = null, isWriting = null, isShowing = null;

// -------------------------------------------------------------------------------- what follows

function several(recording) {
  return state.set.recordings.some((other) => other.network === recording.network && other.seed !== recording.seed);
}

function key(recording) {
  return `${recording.network}.${recording.seed}`;
}

// The layer of a pane: that of the slider in the first, in the other the same stage or depth.
function layerOf(pane) {
  const [first, other] = [state.shown[0], state.shown[pane]], last = first.layers.length - 1;
  if (pane === 0) return state.step;
  const stage = first.layers[state.step].stage, same = stage ? other.layers.findIndex((one) => one.stage === stage) : -1;
  return same >= 0 ? same : Math.round((last ? state.step / last : 0) * (other.layers.length - 1));
}

function colorLabel(pane) {
  return label(state.set, state.color, state.shown[pane]);
}

function filter() {
  const n = state.set.ids.length;
  isShown = new Uint8Array(n).fill(1);
  for (const [name, codes] of state.hidden) {
    const one = label(state.set, name, state.shown[0]);
    if (one?.codes && codes.size) for (let i = 0; i < n; i++) if (codes.has(one.codes[i])) isShown[i] = 0;
  }
}

function pageOf(pane) {
  return {
    get set() { return state.set; },
    get n() { return state.set.ids.length; },
    get recording() { return state.shown[pane]; },
    get layer() { return layerOf(pane); },
    get map() { return state.map; },
    get selection() { return state.selection; },
    get face() { return state.face; },
    get tool() { return state.tool; },
    get withFaces() { return state.withFaces; },
    get isShown() { return isShown; },
    looks: null, look, select, toggle,
  };
}

// ------------------------------------------------------------------------------------- changes

function chooseSet(name) {
  state.set = DATA.sets.find((one) => one.name === name) ?? DATA.sets[0];
  Object.assign(state, { selection: new Set(), face: -1, isHeld: false, hidden: new Map() });
  const set = state.set, found = set.labels.identity?.categories ?? [];
  fill($("network"), set.recordings.map((one) => [key(one), title(one, several(one))]));
  fill($("beside"), [["", "nothing"], ...set.recordings.map((one) => [key(one), title(one, several(one))])]);
  const answers = set.recordings.some((one) => one.answers) ? ["answer", ...(set.labels.expression ? ["answer is right"] : [])] : [];
  const colors = [...LABELS.filter((one) => set.labels[one]), ...answers];
  fill($("color"), [...colors.map((one) => [one, one]), ["", "none"]]);
  if (!colors.includes(state.color)) state.color = colors[0] ?? "";
  $("names").replaceChildren(...[...found, ...set.ids.slice(0, 3000)].map((value) => make("option", { value })));
  chooseNetworks(key(set.recordings.find((one) => one.network === state.shown[0]?.network) ?? set.recordings[0]), "");
}

function chooseNetworks(first, second) {
  const of = (name) => state.set.recordings.find((one) => key(one) === name), before = state.shown[0]?.layers[state.step];
  state.shown = [of(first) ?? state.set.recordings[0], of(second)].filter(Boolean);
  const layers = state.shown[0].layers, stage = before ? layers.findIndex((one) => one.stage && one.stage === before.stage) : -1;
  state.step = stage >= 0 ? stage : Math.min(state.step, layers.length - 1);
  const maps = [["pca", "PCA"], ...(state.shown.some((one) => one.maps.umap) ? [["umap", "UMAP"]] : [])];
  fill($("map"), maps);
  if (!maps.some(([name]) => name === state.map)) state.map = "pca";
  while (panes.length < state.shown.length) panes.push(addPane(panes.length));
  while (panes.length > state.shown.length) panes.pop().root.remove();
  refresh();
}

function addPane(pane) {
  const canvas = make("canvas", { tabindex: 0, role: "application", "aria-describedby": "keys" });
  const root = make("section", { class: "pane" }, make("h2", {}), canvas);
  $("panes").append(root);
  const added = new Pane(root, pageOf(pane));
  canvas.addEventListener("pointerleave", () => !state.isHeld && look(-1));
  return added;
}

function refresh() {
  filter();
  panes.forEach((pane, i) => {
    pane.page.looks = looksOf(colorLabel(i), state.set.ids.length);
    pane.go();
  });
  showAll();
}

function goTo(step) {
  state.step = Math.min(state.shown[0].layers.length - 1, Math.max(0, step));
  panes.forEach((pane) => pane.go());
  showAll();
  announce(`Layer ${layerName(state.shown[0].layers[state.step])}`);
}

// A face under the pointer; one that was clicked is held until another is.
function look(i, hold = false) {
  if (!hold && (state.isHeld || i === state.face)) return;
  if (hold) state.isHeld = i >= 0;
  state.face = i;
  if (hold && i >= 0) announce(inWords(state.set, i));
  panes.forEach((pane) => pane.ask());
  // A pointer crosses many faces in the time of one frame.
  isShowing ??= requestAnimationFrame(showPanels);
}

function select(rows, add) {
  state.selection = new Set(add ? [...state.selection, ...rows] : rows);
  showChosen();
}

function toggle(i) {
  if (!state.selection.delete(i)) state.selection.add(i);
  showChosen();
}

function showChosen() {
  announce(`${state.selection.size} faces selected`);
  panes.forEach((pane) => pane.ask());
  showSelection($("selection"), state.set, state.selection, state.shown);
  write();
}

function hide(code, isVisible) {
  const one = colorLabel(0), codes = new Set(state.hidden.get(state.color) ?? []);
  for (const each of code === null ? [0, ...one.categories.map((_, i) => i + 1)] : [code])
    isVisible ? codes.delete(each) : codes.add(each);
  state.hidden.set(state.color, codes);
  filter();
  panes.forEach((pane) => pane.ask());
  showAll();
}

function findFace(words) {
  const wanted = words.trim().toLowerCase(), people = label(state.set, "identity");
  if (!wanted) return;
  const person = people ? people.categories.findIndex((one) => one.toLowerCase() === wanted) + 1 : 0;
  const rows = [];
  state.set.ids.forEach((id, i) => {
    if (person ? people.codes[i] === person : id.toLowerCase().includes(wanted)) rows.push(i);
  });
  if (!rows.length) return announce(`No face of ${words}`);
  look(rows[0], true);
  select(rows, false);
}

// ------------------------------------------------------------------------------------ what shows

function showPanels() {
  isShowing = null;
  showFace($("face"), state.set, state.face, state.shown, state.step, look);
  showNear($("near"), state.set, state.face, state.shown, state.shown.map((_, pane) => layerOf(pane)), look);
  write();
}

function showAll() {
  const { set, shown } = state, layers = shown.map((_, pane) => layerOf(pane));
  $("set").value = set.name;
  $("network").value = key(shown[0]);
  $("beside").value = shown[1] ? key(shown[1]) : "";
  $("map").value = state.map;
  $("color").value = state.color;
  $("faces").checked = state.withFaces;
  document.querySelectorAll("[data-tool]").forEach((one) => one.setAttribute("aria-pressed", one.dataset.tool === state.tool));
  const hidden = set.hidden ? ` ${set.hidden} of ${set.ids.length} faces may not be shown, and are drawn as a placeholder.` : "";
  $("about").textContent = `${set.label}: ${set.count}${set.rendered ? ", all RENDERED, not photographs" : ""}.${hidden}`;
  const slider = $("step"), layer = shown[0].layers[state.step];
  slider.max = shown[0].layers.length - 1;
  slider.value = state.step;
  slider.setAttribute("aria-valuetext", layerName(layer));
  $("layer").textContent = `${layerName(layer)}, ${state.step + 1} of ${shown[0].layers.length}`;
  panes.forEach((pane, i) => {
    const one = shown[i].layers[layers[i]], axes = state.map === "pca" ? `; PC1 ${percent(one.variance[0])}, PC2 ${percent(one.variance[1])}` : "";
    pane.heading.textContent = `${title(shown[i], several(shown[i]))}: ${layerName(one)}`;
    pane.heading.append(make("span", { class: "small" }, ` ${one.shape}${axes}`));
    pane.canvas.setAttribute("aria-label", `Map of ${set.ids.length} faces in ${layerName(one)} of ${title(shown[i])}`);
  });
  showLegend($("legend"), state.color ? colorLabel(0) : null, state.color || "label", state.hidden.get(state.color) ?? new Set(), hide);
  showCurves($("curves"), shown, layers, several(shown[0]), goTo);
  showSelection($("selection"), set, state.selection, shown);
  $("notes").textContent = notes().join(" ");
  showPanels();
}

function percent(share) {
  return share == null ? "none" : `${Math.round(100 * share)} %`;
}

function notes() {
  const { set, shown } = state;
  return [
    "Each map is turned and mirrored to lie as the next layer's does (Procrustes), and scaled to fill the view; distances within a map keep their proportions.",
    state.map === "umap" ? "UMAP keeps which faces are near, not how far apart the others are." : "A map of two components shows a part of the variance; neighbours are those of the full space.",
    set.rendered ? "All faces are RENDERED, not photographs." : "",
    ...shown.filter((one) => one.circular).map((one) => `CIRCULAR: ${one.label} is shown with its own answers as expressions.`),
    ...shown.map((one) => `${title(one)}: weights: ${one.weights.join("; trained on ")}.`),
    `Made by facestages ${DATA.version}.`,
  ].filter(Boolean);
}

function announce(text) {
  $("live").textContent = text;
}

// --------------------------------------------------------------------------------- the address

// Written a moment after the last change; browsers refuse many writes a second.
function write() {
  clearTimeout(isWriting);
  isWriting = setTimeout(() => history.replaceState(null, "", `#${address()}`), 300);
}

function address() {
  const { set, shown } = state, words = new URLSearchParams({ set: set.name, network: key(shown[0]) });
  if (shown[1]) words.set("beside", key(shown[1]));
  words.set("layer", shown[0].layers[state.step].name);
  words.set("map", state.map);
  words.set("color", state.color);
  if (state.withFaces) words.set("faces", 1);
  if (state.face >= 0 && state.isHeld) words.set("face", set.ids[state.face]);
  for (const [name, codes] of state.hidden) if (codes.size) words.append("hide", `${name}:${[...codes].join(".")}`);
  if (state.selection.size) words.set("selection", ranges([...state.selection].sort((a, b) => a - b)));
  return words.toString();
}

// 1 to 4 and 9 as "1-4.9".
function ranges(rows) {
  const parts = [];
  for (const row of rows) {
    const last = parts[parts.length - 1];
    if (last && last[1] === row - 1) last[1] = row;
    else parts.push([row, row]);
  }
  return parts.map(([a, b]) => (a === b ? a : `${a}-${b}`)).join(".");
}

function read() {
  const words = new URLSearchParams(location.hash.slice(1)), n = () => state.set.ids.length;
  chooseSet(words.get("set"));
  if (words.get("network")) chooseNetworks(words.get("network"), words.get("beside") ?? "");
  const layer = state.shown[0].layers.findIndex((one) => one.name === words.get("layer"));
  state.step = Math.max(layer, 0);
  if ([...$("map").options].some((one) => one.value === words.get("map"))) state.map = words.get("map");
  if (words.has("color") && [...$("color").options].some((one) => one.value === words.get("color"))) state.color = words.get("color");
  state.withFaces = words.has("faces");
  for (const text of words.getAll("hide")) {
    const cut = text.lastIndexOf(":");
    state.hidden.set(text.slice(0, cut), new Set(text.slice(cut + 1).split(".").map(Number)));
  }
  for (const part of (words.get("selection") ?? "").split(".").filter(Boolean)) {
    const [a, b = a] = part.split("-").map(Number);
    for (let i = a; i <= Math.min(b, n() - 1); i++) state.selection.add(i);
  }
  state.face = state.set.ids.indexOf(words.get("face"));
  state.isHeld = state.face >= 0;
  refresh();
}

// ---------------------------------------------------------------------------------- downloads

function save(name, content, type) {
  const link = make("a", { download: name, href: URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function fileName(ending) {
  const { set, shown, step } = state;
  return [set.name, shown[0].network, shown[0].layers[step].name].join("-").replace(/[^\w.-]+/g, "_") + ending;
}

function savePictures() {
  const space = 30, canvases = panes.map((pane) => pane.canvas), whole = make("canvas");
  const density = devicePixelRatio || 1;
  whole.width = canvases.reduce((sum, one) => sum + one.width, 0);
  whole.height = canvases[0].height + space * density;
  const context = whole.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, whole.width, whole.height);
  context.fillStyle = "#000";
  context.font = `${14 * density}px sans-serif`;
  canvases.reduce((x, one, i) => {
    context.fillText(viewTitle(i), x + 8 * density, 20 * density);
    context.drawImage(one, x, space * density);
    return x + one.width;
  }, 0);
  whole.toBlob((blob) => save(fileName(".png"), blob));
}

function viewTitle(pane) {
  const rendered = state.set.rendered ? " (rendered)" : "";
  return `${state.set.label}${rendered}, ${title(state.shown[pane])}, ${state.shown[pane].layers[layerOf(pane)].name}`;
}

function viewSvg() {
  const width = panes.reduce((sum, pane) => sum + pane.size.width, 0), height = panes[0].size.height + 30;
  const svg = draw("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "sans-serif" });
  panes.reduce((left, pane, number) => {
    svg.append(draw("text", { x: left + 8, y: 20, "font-size": 14 }, viewTitle(number)));
    const { looks, codes } = pane.page.looks;
    for (let i = 0; pane.now && i < state.set.ids.length; i++) {
      if (!isShown[i]) continue;
      const [x, y] = pane.place(i), look = looks[codes[i]], isRing = look.shape === "ring";
      if (x < 0 || y < 0 || x > pane.size.width || y > pane.size.height) continue;
      svg.append(draw("path", {
        d: outline(look.shape, RADIUS), transform: `translate(${(left + x).toFixed(1)} ${(y + 30).toFixed(1)})`,
        fill: isRing ? "none" : look.color, stroke: isRing ? look.color : "#fff", "stroke-width": 0.6,
        opacity: state.selection.size && !state.selection.has(i) ? 0.2 : 1,
      }));
    }
    return left + pane.size.width;
  }, 0);
  return new XMLSerializer().serializeToString(svg);
}

// ----------------------------------------------------------------------------------- controls

function fill(menu, pairs) {
  menu.replaceChildren(...pairs.map(([value, words]) => make("option", { value }, words)));
}

function play() {
  if (timer) timer = clearInterval(timer);
  else timer = setInterval(() => goTo((state.step + 1) % state.shown[0].layers.length), PLAY_MS);
  $("play").textContent = timer ? "Stop" : "Play";
}

function listen() {
  const change = (id, then) => $(id).addEventListener("change", () => then($(id).value));
  const click = (id, then) => $(id).addEventListener("click", then);
  change("set", chooseSet);
  change("network", (value) => chooseNetworks(value, $("beside").value));
  change("beside", (value) => chooseNetworks($("network").value, value));
  change("map", (value) => { state.map = value; refresh(); });
  change("color", (value) => { state.color = value; refresh(); });
  change("find", findFace);
  change("faces", () => { state.withFaces = $("faces").checked; panes.forEach((pane) => pane.ask()); write(); });
  $("step").addEventListener("input", () => goTo(Number($("step").value)));
  click("back", () => goTo(state.step - 1));
  click("on", () => goTo(state.step + 1));
  click("play", play);
  click("clear", () => select([], false));
  click("whole", () => panes.forEach((pane) => pane.whole()));
  click("csv", () => save(fileName(".csv"), csv(rowsOf(state.set, [...state.selection].sort((a, b) => a - b), state.shown)), "text/csv"));
  click("png", savePictures);
  click("svg", () => save(fileName(".svg"), viewSvg(), "image/svg+xml"));
  document.querySelectorAll("[data-tool]").forEach((one) => one.addEventListener("click", () => { state.tool = one.dataset.tool; showAll(); }));
  document.addEventListener("keydown", (event) => {
    if (["INPUT", "SELECT"].includes(event.target.tagName) && event.target.type !== "range") return;
    if (event.key === "[") goTo(state.step - 1);
    if (event.key === "]") goTo(state.step + 1);
  });
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
}

fill($("set"), DATA.sets.map((one) => [one.name, one.label]));
listen();
read();
