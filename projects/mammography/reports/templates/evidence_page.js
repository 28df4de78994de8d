// One threshold moves all tables.

const STATED = "stated";
const SAME = "same threshold";
const RECALL = "same number of recalls";
const state = { index: 0, link: STATED, prevalence: DATA.prevalence, shown: DATA.reference };
const listeners = [];

function sums(steps) {
  let left = steps[0];
  return steps.map((step, i) => (i ? (left -= step) : left));
}

for (const group of DATA.groups) {
  group.tp = group.tp.map(sums);
  group.fp = group.fp.map(sums);
}
const ALL = DATA.groups[0];

function recalls(model, index) {
  return ALL.tp[model][index] + ALL.fp[model][index];
}

function indexOf(model) {
  // Position on the grid of thresholds at which a model works now.
  if (state.link === STATED) return DATA.models[model].stated;
  if (state.link === SAME || model === DATA.reference) return state.index;
  const wanted = recalls(DATA.reference, state.index);
  const found = DATA.grid.findIndex((_, i) => recalls(model, i) <= wanted);
  return found < 0 ? DATA.grid.length - 1 : found;
}

function fill(id, rows) {
  const body = document.querySelector(`#${id} tbody`);
  if (!body) return;
  body.replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement("tr");
      cells.forEach((text, i) => {
        const cell = document.createElement(i ? "td" : "th");
        if (!i) cell.scope = "row";
        cell.textContent = text;
        row.append(cell);
      });
      return row;
    })
  );
}

function recaption(id, text) {
  const caption = document.querySelector(`#${id} caption span`);
  if (caption) caption.textContent = text;
}

function ratesRow(model) {
  const index = indexOf(model);
  const c = confusion(ALL, model, index);
  return [
    DATA.models[model].name,
    thresholdText(DATA.grid[index]),
    shareText(c.tp, c.tp + c.fn),
    shareText(c.tn, c.tn + c.fp),
    shareText(c.tp, c.tp + c.fp),
    shareText(c.tn, c.tn + c.fn),
    shareText(c.tp + c.fp, c.tp + c.fp + c.fn + c.tn),
  ];
}

function countsRow(model) {
  const c = confusion(ALL, model, indexOf(model));
  return [DATA.models[model].name, ...[c.tp, c.fn, c.fp, c.tn].map(whole)];
}

function costRow(model) {
  const c = costPerThousand(confusion(ALL, model, indexOf(model)), state.prevalence);
  const each = c.found ? fixed(c.recalled / c.found, 1) : "not defined";
  const cells = [c.recalled, c.found, c.missed, c.alarms].map((value) => fixed(value, 1));
  return [DATA.models[model].name, ...cells, each];
}

function groupRow(group) {
  const c = confusion(group, state.shown, indexOf(state.shown));
  const counts = [group.n1 + group.n0, group.n1, c.tp, c.fn, c.fp, c.tn].map(whole);
  return [
    group.name,
    ...counts,
    shareText(c.tp, group.n1, group.n1 >= DATA.fewest),
    shareText(c.tn, group.n0, group.n0 >= DATA.fewest),
  ];
}

function update() {
  const order = DATA.models.map((_, model) => model);
  fill("live-rates", order.map(ratesRow));
  fill("live-counts", order.map(countsRow));
  fill("live-cost", order.map(costRow));
  fill("live-groups", DATA.groups.map(groupRow));
  const index = indexOf(DATA.reference);
  const c = confusion(ALL, DATA.reference, index);
  const slider = document.getElementById("slider");
  slider.value = index;
  slider.setAttribute("aria-valuetext", thresholdText(DATA.grid[index]));
  document.getElementById("cut").value = Number(thresholdText(DATA.grid[index]));
  document.getElementById("readout").textContent = [
    `sensitivity ${shareText(c.tp, c.tp + c.fn, false)}`,
    `specificity ${shareText(c.tn, c.tn + c.fp, false)}`,
    `PPV ${shareText(c.tp, c.tp + c.fp, false)}`,
    `recall rate ${shareText(c.tp + c.fp, c.tp + c.fp + c.fn + c.tn, false)}`,
  ].join(" · ");
  const percent = fixed(100 * state.prevalence, 2);
  recaption("live-cost", `Per 1,000 screened, at a prevalence of ${percent} %`);
  const shown = DATA.models[state.shown].name;
  recaption("live-groups", `Decisions of ${shown} in subgroups, at the threshold`);
  listeners.forEach((listener) => listener());
}

function moveTo(index, link = null) {
  const last = DATA.grid.length - 1;
  state.index = Math.min(last, Math.max(0, index));
  if (link) state.link = link;
  else if (state.link === STATED) state.link = SAME;
  const select = document.getElementById("link");
  if (select) select.value = state.link;
  update();
}

function reset() {
  moveTo(DATA.models[DATA.reference].stated, STATED);
}

function makeChoice(id, text, values, chosen, change) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.id = id;
  values.forEach(([value, name]) => select.add(new Option(name, value)));
  select.value = chosen;
  select.addEventListener("change", () => change(select.value));
  label.append(`${text} `, select);
  return label;
}

function makeControls() {
  const place = document.createElement("div");
  place.id = "controls";
  document.getElementById("live-rates").closest(".scroll").before(place);
  if (DATA.models.length > 1) {
    const links = [
      [STATED, "its stated threshold"],
      [SAME, SAME],
      [RECALL, RECALL],
    ];
    place.append(makeChoice("link", "Each model at", links, STATED, (link) => moveTo(state.index, link)));
    const models = DATA.models.map((model, i) => [i, model.name]);
    place.append(
      makeChoice("shown", "Subgroups of", models, state.shown, (value) => {
        state.shown = Number(value);
        update();
      })
    );
  }
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "number", id: "prevalence-percent", min: 0.01, max: 99.99, step: "any" });
  input.value = Number(fixed(100 * state.prevalence, 2));
  input.addEventListener("change", () => {
    const share = Number(input.value) / 100;
    if (share > 0 && share < 1) state.prevalence = share;
    update();
  });
  label.append("Prevalence among those screened, % ", input);
  place.append(label);
}

function makePanel() {
  const panel = document.getElementById("panel");
  const slider = document.getElementById("slider");
  slider.max = DATA.grid.length - 1;
  slider.addEventListener("input", () => moveTo(Number(slider.value)));
  const box = document.getElementById("cut");
  box.addEventListener("change", () => {
    const found = DATA.grid.findIndex((value) => value >= Number(box.value));
    moveTo(found < 0 ? DATA.grid.length - 1 : found);
  });
  document.getElementById("reset").addEventListener("click", reset);
  panel.hidden = false;
}
