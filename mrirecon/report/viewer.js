// The viewer of images: all methods side by side, two by flicker or by a divider; zoom, window, keys.
// It shows the pictures that the page holds already, so that nothing is in the file twice.
const viewer = document.getElementById("viewer");
const stage = viewer?.querySelector(".stage");
const LARGEST_ZOOM = 32;
const FIRST_LOOK = { zoom: 1, x: 0, y: 0, level: 50, window: 100, gain: 0 };
const look = {
  ...FIRST_LOOK, slice: 0, mode: "grid", shows: "image", a: 0, b: 1, isB: true, split: 50,
};
let slices = [];
let timer = 0;

// What one example of the page shows: its name, and for each method both pictures.
function readExample(article) {
  const methods = [...article.querySelectorAll("figure")].map((figure) => ({
    name: figure.querySelector("b").textContent,
    scores: figure.querySelector("figcaption span").textContent.trim(),
    image: figure.querySelector("img.image"),
    error: figure.querySelector(".frame img.error"),
  }));
  return { title: article.dataset.title, group: article.dataset.group, methods };
}

const element = (id) => document.getElementById(`viewer-${id}`);
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const shown = () => slices[look.slice];

function makeLayer(method, className) {
  const layer = document.createElement("div");
  layer.className = className;
  const source = look.shows === "error" ? method.error : method.image;
  if (source) {
    const image = new Image();
    image.src = source.src;
    image.alt = `${shown().title}: ${look.shows} of ${method.name}`;
    image.classList.toggle("is-error", look.shows === "error");
    image.draggable = false;
    layer.append(image);
  }
  return layer;
}

function makePane(method, over) {
  const pane = document.createElement("figure");
  const plane = document.createElement("div");
  const caption = document.createElement("figcaption");
  pane.className = "pane";
  plane.className = "plane";
  plane.style.aspectRatio = `${method.image.naturalWidth} / ${method.image.naturalHeight}`;
  plane.append(makeLayer(method, "under"));
  if (over) plane.append(makeLayer(over, "over"));
  if (over && look.mode === "slider") {
    const divider = document.createElement("div");
    divider.className = "divider";
    plane.append(divider);
  }
  caption.append(document.createElement("b"), document.createElement("span"));
  pane.append(plane, caption);
  setCaption(pane, method.name, method.scores);
  return pane;
}

function setCaption(pane, name, scores) {
  pane.querySelector("b").textContent = name;
  pane.querySelector("span").textContent = scores;
}

function makePanes() {
  const { methods } = shown();
  if (look.mode !== "grid") return [makePane(methods[look.a], methods[look.b])];
  return methods.filter((m) => look.shows === "image" || m.error).map((m) => makePane(m));
}

// The width at which all panes fit on the stage, by the number of columns that makes it largest.
function fitPanes() {
  const { naturalWidth, naturalHeight } = shown().methods[0].image;
  const count = stage.children.length;
  const gap = 8;
  const caption = 48;
  let best = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const width = (stage.clientWidth - gap * (columns - 1)) / columns;
    const height = stage.clientHeight / Math.ceil(count / columns) - caption - gap;
    best = Math.max(best, Math.min(width, (height * naturalWidth) / naturalHeight));
  }
  best = Math.max(best, 96);
  stage.style.setProperty("--pane", `${Math.floor(best)}px`);
  stage.classList.toggle("is-close", (best * look.zoom) / naturalWidth >= 2);
}

function setFilter(id, slope, intercept) {
  for (const part of document.querySelectorAll(`#${id} [type="linear"]`)) {
    part.setAttribute("slope", slope);
    part.setAttribute("intercept", intercept);
  }
}

// Apply what only changes how the panes look: no pane is made anew.
function applyLook() {
  look.zoom = clamp(look.zoom, 1, LARGEST_ZOOM);
  look.x = clamp(look.x, 1 - look.zoom, 0);
  look.y = clamp(look.y, 1 - look.zoom, 0);
  for (const name of ["x", "y", "zoom", "split"]) stage.style.setProperty(`--${name}`, look[name]);
  stage.classList.toggle("is-a", look.mode === "flicker" && !look.isB);
  setFilter("viewer-grey", 100 / look.window, 0.5 - look.level / look.window);
  setFilter("viewer-error", 2 ** look.gain, 0);
  for (const name of ["level", "window", "gain", "split"]) element(name).value = look[name];
  element("zoom").textContent = `${look.zoom.toFixed(1)}\u00d7`;
  fitPanes();
  tell();
}

function setPressed(attribute, value) {
  for (const button of viewer.querySelectorAll(`[${attribute}]`)) {
    button.setAttribute("aria-pressed", button.getAttribute(attribute) === value);
  }
}

// Say what is seen, under the pane and for those who listen.
function tell() {
  const { title, methods } = shown();
  const [a, b] = [methods[look.a], methods[look.b]];
  const what = look.shows === "error" ? "absolute errors" : "images";
  let seen = "of all methods";
  if (look.mode === "slider") {
    seen = `left ${a.name}, right ${b.name}`;
    setCaption(stage, `${a.name} | ${b.name}`, `${a.scores} | ${b.scores}`);
  } else if (look.mode === "flicker") {
    const one = look.isB ? b : a;
    seen = `${look.isB ? "B" : "A"}, ${one.name}`;
    setCaption(stage, one.name, one.scores);
  }
  const status = viewer.querySelector(".status");
  const text = `${title}: ${what}, ${seen}`;
  if (status.textContent !== text) status.textContent = text;
}

function render() {
  const { methods } = shown();
  look.a = Math.min(look.a, methods.length - 1);
  look.b = Math.min(look.b, methods.length - 1);
  for (const [id, index] of [["a", look.a], ["b", look.b]]) {
    element(id).replaceChildren(...methods.map((m, i) => new Option(m.name, i)));
    element(id).value = index;
  }
  element("slice").value = look.slice;
  setPressed("data-mode", look.mode);
  setPressed("data-shows", look.shows);
  viewer.querySelector(".pair").hidden = look.mode === "grid";
  viewer.querySelector(".for-slider").hidden = look.mode !== "slider";
  for (const part of viewer.querySelectorAll(".for-image")) part.hidden = look.shows !== "image";
  viewer.querySelector(".for-error").hidden = look.shows !== "error";
  stage.replaceChildren(...makePanes());
  applyLook();
}

function change(values) {
  Object.assign(look, values);
  if (look.mode !== "flicker") stopAuto();
  render();
}

function adjust(values) {
  Object.assign(look, values);
  applyLook();
}

// Zoom by a factor about a point, given as a part of the pane, that stays where it is.
function zoomAbout(factor, px = 0.5, py = 0.5) {
  const zoom = clamp(look.zoom * factor, 1, LARGEST_ZOOM);
  const ratio = zoom / look.zoom;
  adjust({ zoom, x: px - (px - look.x) * ratio, y: py - (py - look.y) * ratio });
}

function stopAuto() {
  clearInterval(timer);
  timer = 0;
  viewer.querySelector('[data-do="auto"]').setAttribute("aria-pressed", "false");
}

const swap = () => adjust({ isB: !look.isB });
const step = (by) => change({ slice: (look.slice + by + slices.length) % slices.length });
const actions = {
  previous: () => step(-1),
  next: () => step(1),
  close: () => viewer.close(),
  smaller: () => zoomAbout(1 / 1.5),
  larger: () => zoomAbout(1.5),
  reset: () => adjust(FIRST_LOOK),
  swap: () => (look.mode === "flicker" ? swap() : change({ a: look.b, b: look.a })),
  auto: () => {
    if (timer) return stopAuto();
    change({ mode: "flicker" });
    timer = setInterval(swap, 500);
    viewer.querySelector('[data-do="auto"]').setAttribute("aria-pressed", "true");
  },
  help: () => {
    const help = element("help");
    help.hidden = !help.hidden;
    viewer.querySelector('[data-do="help"]').setAttribute("aria-expanded", !help.hidden);
  },
};
const keys = {
  n: actions.next, p: actions.previous, "?": actions.help, 0: actions.reset, a: actions.auto,
  "+": actions.larger, "=": actions.larger, "-": actions.smaller, " ": actions.swap,
  g: () => change({ mode: "grid" }),
  f: () => change({ mode: "flicker" }),
  s: () => change({ mode: "slider" }),
  e: () => change({ shows: look.shows === "image" ? "error" : "image" }),
  l: () => adjust({ level: clamp(look.level - 5, 0, 100) }),
  L: () => adjust({ level: clamp(look.level + 5, 0, 100) }),
  w: () => adjust({ window: clamp(look.window / 1.2, 2, 200) }),
  W: () => adjust({ window: clamp(look.window * 1.2, 2, 200) }),
  ArrowLeft: () => adjust({ x: look.x + 0.1 }),
  ArrowRight: () => adjust({ x: look.x - 0.1 }),
  ArrowUp: () => adjust({ y: look.y + 0.1 }),
  ArrowDown: () => adjust({ y: look.y - 0.1 }),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isOwn = event.target.closest("select, input") || (event.target.closest("button") && event.key === " ");
  if (isOwn) return; // these have keys of their own
  const number = Number(event.key);
  const action = number >= 1 && number <= shown().methods.length
    ? () => change({ b: number - 1, isB: true })
    : keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// One finger or the mouse moves the images or the divider; two fingers zoom.
const fingers = new Map();

function place(event, plane) {
  const box = plane.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function onPointerDown(event) {
  const plane = event.target.closest(".plane");
  if (!plane) return;
  stage.setPointerCapture(event.pointerId);
  const isDivider = event.target.classList.contains("divider");
  fingers.set(event.pointerId, { plane, isDivider, at: place(event, plane) });
}

function onPointerMove(event) {
  const finger = fingers.get(event.pointerId);
  if (!finger) return;
  const before = finger.at;
  finger.at = place(event, finger.plane);
  if (finger.isDivider) {
    adjust({ split: clamp(100 * finger.at[0], 0, 100) });
  } else if (fingers.size === 1) {
    adjust({ x: look.x + finger.at[0] - before[0], y: look.y + finger.at[1] - before[1] });
  } else {
    const other = [...fingers.values()].find((one) => one !== finger).at;
    const length = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    const middle = [(finger.at[0] + other[0]) / 2, (finger.at[1] + other[1]) / 2];
    zoomAbout(length(finger.at) / Math.max(length(before), 1e-3), ...middle);
  }
}

function onWheel(event) {
  const plane = event.target.closest(".plane");
  if (!plane) return;
  event.preventDefault();
  zoomAbout(Math.exp(-event.deltaY / 300), ...place(event, plane));
}

function openViewer(article) {
  const articles = [...document.querySelectorAll("article.example")];
  look.slice = articles.indexOf(article);
  look.b = Math.max(0, readExample(article).methods.length - 1);
  viewer.showModal();
  render();
  stage.focus();
}

function fillSlices() {
  const groups = new Map();
  slices.forEach((slice, index) => {
    if (!groups.has(slice.group)) {
      const group = document.createElement("optgroup");
      group.label = slice.group;
      groups.set(slice.group, group);
    }
    groups.get(slice.group).append(new Option(slice.title, index));
  });
  element("slice").replaceChildren(...groups.values());
}

if (viewer && document.querySelector("article.example")) {
  slices = [...document.querySelectorAll("article.example")].map(readExample);
  fillSlices();
  document.body.classList.add("has-viewer");
  for (const button of document.querySelectorAll("button.open")) {
    button.hidden = false;
    button.addEventListener("click", () => openViewer(button.closest("article")));
  }
  for (const frame of document.querySelectorAll("article.example .frame")) {
    frame.addEventListener("click", () => openViewer(frame.closest("article")));
  }
  viewer.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.do) actions[button.dataset.do]();
    if (button?.dataset.mode) change({ mode: button.dataset.mode });
    if (button?.dataset.shows) change({ shows: button.dataset.shows });
  });
  for (const id of ["slice", "a", "b"]) {
    element(id).addEventListener("change", () => change({ [id]: Number(element(id).value) }));
  }
  for (const id of ["split", "level", "window", "gain"]) {
    element(id).addEventListener("input", () => adjust({ [id]: Number(element(id).value) }));
  }
  viewer.addEventListener("keydown", onKey);
  viewer.addEventListener("close", stopAuto);
  stage.addEventListener("pointerdown", onPointerDown);
  stage.addEventListener("pointermove", onPointerMove);
  for (const name of ["pointerup", "pointercancel"]) {
    stage.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  stage.addEventListener("wheel", onWheel, { passive: false });
  window.addEventListener("resize", () => viewer.open && applyLook());
}
