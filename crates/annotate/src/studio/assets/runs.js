// Curves of runs, drawn from their events while these come.

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 640, HEIGHT = 240, LEFT = 48, RIGHT = 10, TOP = 10, BOTTOM = 26;
// More points than pixels cannot be seen.
const MOST = 400;

// A run as its events tell it: its losses and its scores, each a list of [step, value].
class Run {
  constructor(element, position) {
    this.name = element.dataset.run;
    this.position = position;
    this.loss = [];
    this.score = [];
    this.isGoing = false;
    this.source = new EventSource(element.dataset.events);
    this.source.addEventListener("message", message => this.take(JSON.parse(message.data)));
    this.source.addEventListener("over", () => {
      this.source.close();
      // What there is to see of a run that has ended, such as its errors, the server writes.
      if (element.dataset.going === "yes") location.reload();
      draw();
    });
    // A connection that comes again begins with the first event again.
    this.source.addEventListener("open", () => { this.loss = []; this.score = []; });
  }

  take(event) {
    if (event.event === "step") this.loss.push([event.step, event.loss]);
    if (event.event === "evaluation" && typeof event.ents_f === "number") this.score.push([event.step, event.ents_f]);
    soon();
  }
}

const runs = [...document.querySelectorAll("[data-run]")].map((element, position) => new Run(element, position));

let isDue = false;
function soon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => { isDue = false; draw(); }, 200);
}

function draw() {
  for (const element of document.querySelectorAll("[data-chart]")) {
    const kind = element.dataset.chart;
    const lines = runs.map(run => ({ name: run.name, position: run.position, points: run[kind] })).filter(line => line.points.length);
    element.replaceChildren(lines.length ? chart(lines, kind === "score") : words("Nothing yet"));
  }
  if (runs.length === 1) tell(runs[0]);
}

// The figures of the one run that a page is about.
function tell(run) {
  const say = (name, value) => {
    const element = document.querySelector(`[data-live="${name}"]`);
    if (element && value !== undefined) element.textContent = value;
  };
  const last = run.loss.at(-1);
  say("step", last && String(last[0]).replace(/\B(?=(\d{3})+$)/g, "\u202f"));
  say("loss", last?.[1].toFixed(4));
  if (run.score.length) say("best", Math.max(...run.score.map(point => point[1])).toFixed(4));
}

function words(text) {
  const element = document.createElement("p");
  element.className = "quiet";
  element.textContent = text;
  return element;
}

function node(name, attributes, text) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Means of neighbours, so that there are no more points than can be seen.
function thinned(points) {
  const group = Math.ceil(points.length / MOST);
  if (group <= 1) return points;
  const means = [];
  for (let from = 0; from < points.length; from += group) {
    const part = points.slice(from, from + group);
    means.push([part.at(-1)[0], part.reduce((sum, point) => sum + point[1], 0) / part.length]);
  }
  return means;
}

function chart(lines, isShare) {
  const drawn = lines.map(line => ({ ...line, points: thinned(line.points) }));
  const all = drawn.flatMap(line => line.points);
  const steps = Math.max(1, ...all.map(point => point[0]));
  const low = 0;
  const high = isShare ? 1 : Math.max(1e-6, ...all.map(point => point[1]));
  const x = step => LEFT + (step / steps) * (WIDTH - LEFT - RIGHT);
  const y = value => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const picture = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", "aria-hidden": "true" });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + share * (high - low);
    picture.append(
      node("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
      node("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(2)),
    );
  }
  picture.append(
    node("text", { x: LEFT, y: HEIGHT - 6 }, "0"),
    node("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `step ${steps}`),
  );
  for (const line of drawn) {
    const path = line.points.map(point => `${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`).join(" ");
    picture.append(node("polyline", { points: path, class: `curve curve-${line.position % 8}` }));
    if (line.points.length < 60) {
      for (const point of line.points) picture.append(node("circle", { cx: x(point[0]), cy: y(point[1]), r: 2.5, class: `dot curve-${line.position % 8}` }));
    }
  }
  const box = document.createElement("div");
  box.append(picture);
  if (lines.length > 1) {
    const names = document.createElement("p");
    names.className = "legend";
    for (const line of drawn) {
      const name = document.createElement("span");
      name.className = `curve-${line.position % 8}`;
      name.textContent = line.name;
      names.append(name, " ");
    }
    box.append(names);
  }
  return box;
}

draw();
