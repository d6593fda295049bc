// What stands around the text: counts at the labels, the list of suggestions, and what is known of what is chosen.

import { make } from "./keys.js";
import { origin, status } from "./origins.js";
import { percent } from "./surface.js";

const by = id => document.getElementById(id);

export function panels(editor) {
  const counts = Map.groupBy(editor.state.entities, entity => entity.label);
  for (const button of document.querySelectorAll("[data-position]")) {
    const label = editor.task.labels[Number(button.dataset.position)];
    button.querySelector(".count").textContent = counts.get(label.name)?.length ?? "";
    button.ariaPressed = String(editor.active?.label === label.name);
  }
  by("undo").disabled = !editor.history.past.length;
  by("redo").disabled = !editor.history.future.length;
  const undecided = editor.undecided();
  const least = Number(by("least").value) / 100;
  by("least-shown").textContent = `${percent(least)} %`;
  by("sure").textContent = String(undecided.filter(one => one.score !== null && one.score >= least).length);
  by("undecided").textContent = undecided.length ? `${undecided.length} undecided` : "";
  by("suggestions").hidden = !editor.suggestions.length;
  listSuggestions(editor, undecided);
  tellChosen(editor);
}

// The list of suggestions; rows come and go one by one, because a long list is slow to lay out.
function listSuggestions(editor, undecided) {
  const list = by("suggestion-list");
  if (editor.listed !== undecided) {
    editor.listed = undecided;
    editor.rows ??= new Map(editor.suggestions.filter(one => one.start !== null).map(one => [one.id, rowOf(editor, one)]));
    const stay = new Set(undecided.map(one => editor.rows.get(one.id)));
    for (const row of [...list.children]) if (!stay.has(row)) row.remove();
    let next = list.firstElementChild;
    for (const row of stay) {
      if (row === next) next = next.nextElementSibling;
      else list.insertBefore(row, next);
    }
  }
  const row = editor.rows.get(editor.active?.id);
  if (row !== editor.activeRow) editor.activeRow?.classList.remove("active");
  editor.activeRow = row;
  row?.classList.add("active");
  if (row?.isConnected) list.scrollTop = Math.min(Math.max(list.scrollTop, row.offsetTop + row.offsetHeight - list.clientHeight), row.offsetTop);
}

function rowOf(editor, one) {
  const choose = make("button", { type: "button", className: "plain pick" },
    make("span", { className: `chip ${editor.classOf(one.label)}` }, one.label), make("bdi", {}, editor.quote(one)));
  choose.addEventListener("click", () => { editor.choose(one); by("text").focus(); });
  const decide = (words, sign, run) => {
    const button = make("button", { type: "button", className: "plain", ariaLabel: `${words} ${one.label} ${editor.quote(one)}`, title: words }, sign);
    button.addEventListener("click", () => { run(); by("text").focus(); });
    return button;
  };
  const row = make("li", {}, choose, decide("Accept", "✓", () => editor.accept(one)), decide("Refuse", "✕", () => editor.drop(one)),
    make("small", { className: "quiet" }, `${origin(one)}${one.score === null ? "" : `, ${percent(one.score)} %`}${status(one.status)}`));
  row.dataset.id = one.id;
  return row;
}

// What is chosen, with the definition of its label.
function tellChosen(editor) {
  const box = by("chosen");
  const item = editor.active;
  const [start, end] = item ? [item.start, item.end] : editor.range();
  if (start === end) {
    box.replaceChildren(make("p", { className: "quiet" }, "Select text and press a label's number. ", make("kbd", {}, "?"), " shows all keys."));
    return;
  }
  const points = `${editor.text.toPoints(start)} to ${editor.text.toPoints(end)}`;
  const parts = [make("p", { className: "quoted" }, make("bdi", {}, editor.quote({ start, end }))), make("p", { className: "quiet small" }, `Characters ${points}`)];
  if (item) {
    const label = editor.task.labels[editor.positions.get(item.label)];
    parts.unshift(make("p", {}, make("span", { className: `chip ${editor.classOf(item.label)}` }, item.label), editor.isEntity(item) ? null : make("span", { className: "quiet" }, " suggested")));
    if (!editor.isEntity(item)) {
      parts.push(make("p", { className: "small" }, `By ${origin(item)}${item.score === null ? "" : `, ${percent(item.score)} % sure`}${status(item.status)}`));
    }
    if (label?.definition) parts.push(make("p", {}, label.definition));
    if (label?.examples.length) parts.push(make("p", { className: "small" }, make("b", {}, "Such as "), label.examples.join(", ")));
    if (label?.near_misses.length) parts.push(make("p", { className: "small" }, make("b", {}, "Not "), label.near_misses.join(", ")));
  }
  box.replaceChildren(...parts);
}
