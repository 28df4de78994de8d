// What is laid over the drawings: marks at the threshold, and read-outs under the pointer.

const SVG = "http://www.w3.org/2000/svg";
const REACH = 28; // units of the drawing within which a point is read out
const CURVES = {
  roc: (c) => [c.fp / (c.fp + c.tn), c.tp / (c.tp + c.fn)],
  pr: (c) => [c.tp / (c.tp + c.fn), c.tp / (c.tp + c.fp)],
  decision: (c, t) => [t, netBenefit(c, t)],
};
const SPELLED = {
  roc: (x, y) => `1 - specificity ${fixed(x, 3)}, sensitivity ${fixed(y, 3)}`,
  pr: (x, y) => `recall ${fixed(x, 3)}, precision ${fixed(y, 3)}`,
  decision: (x, y) => `net benefit ${fixed(y, 4)}`,
};

function add(parent, name, attributes) {
  const element = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  parent.append(element);
  return element;
}

function place(frame, x, y) {
  const [left, top, right, bottom] = frame.box;
  return [
    left + ((x - frame.x[0]) / (frame.x[1] - frame.x[0])) * (right - left),
    bottom - ((y - frame.y[0]) / (frame.y[1] - frame.y[0])) * (bottom - top),
  ];
}

function inside(frame, [x, y]) {
  const [left, top, right, bottom] = frame.box;
  return x >= left - 1 && x <= right + 1 && y >= top - 1 && y <= bottom + 1;
}

function curvePoints(kind, frame) {
  const points = [];
  DATA.models.forEach((model, m) => {
    DATA.grid.forEach((threshold, i) => {
      if (kind === "decision" && !(threshold > 0 && threshold < 1)) return;
      const [x, y] = CURVES[kind](confusion(ALL, m, i), threshold);
      const at = place(frame, x, y);
      if (!inside(frame, at)) return;
      const name = DATA.models.length > 1 ? `${model.name}\n` : "";
      const text = `${name}threshold ${thresholdText(threshold)}\n${SPELLED[kind](x, y)}`;
      points.push({ at, text, index: i, color: model.color });
    });
  });
  return points;
}

function givenPoints(chart, frames) {
  return (DATA.points[chart] || []).map(([axes, x, y, text]) => ({
    at: place(frames[axes], x, y),
    text,
    index: null,
    color: "#000000",
  }));
}

function markCurve(kind, frame, layer) {
  const marks = DATA.models.map((model) =>
    add(layer, "circle", { r: 4.5, fill: model.color, stroke: "#ffffff", "stroke-width": 1.5 })
  );
  listeners.push(() =>
    marks.forEach((mark, m) => {
      const index = indexOf(m);
      const threshold = DATA.grid[index];
      const [x, y] = CURVES[kind](confusion(ALL, m, index), threshold);
      const at = place(frame, x, y);
      mark.setAttribute("visibility", at.every(Number.isFinite) && inside(frame, at) ? "visible" : "hidden");
      if (at.every(Number.isFinite)) {
        mark.setAttribute("cx", at[0]);
        mark.setAttribute("cy", at[1]);
      }
    })
  );
}

function markLine(model, frames, layer) {
  const lines = frames.map((frame) =>
    add(layer, "line", { y1: frame.box[1], y2: frame.box[3], stroke: "#111111", "stroke-width": 1.6 })
  );
  listeners.push(() =>
    lines.forEach((line, i) => {
      const [x] = place(frames[i], DATA.grid[indexOf(model)], 0);
      const shown = x >= frames[i].box[0] && x <= frames[i].box[2];
      line.setAttribute("visibility", shown ? "visible" : "hidden");
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    })
  );
}

function nearest(points, x, y) {
  let best = null;
  let least = REACH * REACH;
  for (const point of points) {
    const distance = (point.at[0] - x) ** 2 + (point.at[1] - y) ** 2;
    if (distance < least) [best, least] = [point, distance];
  }
  return best;
}

function readOut(figure, svg, layer, points) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  figure.append(tip);
  const dot = add(layer, "circle", { r: 3.5, fill: "none", "stroke-width": 1.6, visibility: "hidden" });
  let shown = null;
  const hide = () => {
    shown = null;
    tip.hidden = true;
    dot.setAttribute("visibility", "hidden");
  };
  const show = (event) => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    shown = nearest(points, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
    if (!shown) return hide();
    dot.setAttribute("visibility", "visible");
    dot.setAttribute("cx", shown.at[0]);
    dot.setAttribute("cy", shown.at[1]);
    dot.setAttribute("stroke", shown.color);
    tip.textContent = shown.text;
    tip.hidden = false;
    const own = figure.getBoundingClientRect();
    const x = box.left - own.left + shown.at[0] / scale;
    const y = box.top - own.top + shown.at[1] / scale;
    const left = x + 14 + tip.offsetWidth > own.width ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${Math.max(0, y - tip.offsetHeight - 8)}px`;
  };
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerdown", show);
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("click", () => {
    if (shown && shown.index !== null) moveTo(shown.index);
  });
}

function makeChart(figure) {
  const frames = JSON.parse(figure.dataset.frames);
  const svg = figure.querySelector("svg");
  const layer = add(svg, "g", { class: "live" });
  const [kind, model] = figure.id.split(/-(?=\d+$)/);
  const name = kind.replace(/^chart-/, "");
  if (CURVES[name]) markCurve(name, frames[0], layer);
  if (name === "calibration" || name === "scores") markLine(Number(model), frames, layer);
  // The read-outs of a curve are many; they are made when the pointer first comes.
  let points = null;
  svg.addEventListener(
    "pointerenter",
    () => {
      if (points) return;
      points = CURVES[name] ? curvePoints(name, frames[0]) : [];
      points.push(...givenPoints(figure.id, frames));
      readOut(figure, svg, layer, points);
    },
    { once: true }
  );
}

function makeToggle() {
  const first = document.querySelector("#pictures .gallery");
  if (!document.querySelector(".overlay") || !first) return;
  const label = document.createElement("label");
  label.className = "toggle";
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", id: "overlays", checked: true });
  box.addEventListener("change", () => document.body.classList.toggle("bare", !box.checked));
  label.append(box, "Show where the model looked");
  first.previousElementSibling.before(label);
}

makeControls();
makePanel();
document.querySelectorAll("figure[data-frames]").forEach(makeChart);
makeToggle();
reset();
document.body.dataset.ready = "yes";
