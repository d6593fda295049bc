// The page on which a reviewer makes one version of two. What the two people marked comes as suggestions, so everything of the editor
// works on it; here are only the differences and the choice between left and right.

import { Editor } from "./editor.js";
import { of, put, reject, remove } from "./marks.js";

const task = JSON.parse(document.getElementById("task").textContent);
const rows = [...document.querySelectorAll("[data-difference]")];
let at = -1;

// The marks of both versions, by the numbers of their suggestions: those of the left one come first.
const [left, right] = [...document.querySelectorAll(".versions article")].map(column => [...column.querySelectorAll("mark")]);
const marks = new Map([...left, ...right].map((element, index) => [index + 1, element]));

const group = "Differences";
const editor = new Editor(task, [
  { group, name: "next-difference", keys: ["d"], does: "Next difference", run: () => go(1) },
  { group, name: "previous-difference", keys: ["D"], does: "The one before", run: () => go(-1) },
  { group, name: "left", keys: ["q"], does: "As the left one has it", run: () => take("left") },
  { group, name: "right", keys: ["e"], does: "As the right one has it", run: () => take("right") },
  { group, name: "neither", keys: ["r"], does: "Neither", run: () => take("neither") },
]);

const suggestion = id => editor.suggestions.find(one => one.id === id);

function go(direction) {
  if (!rows.length) return editor.say("They agree on everything.");
  at = (at + direction + rows.length) % rows.length;
  choose(at);
}

function choose(index) {
  at = index;
  rows.forEach((row, other) => row.classList.toggle("active", other === index));
  rows[index].scrollIntoView({ block: "nearest" });
  const { left, right, kind } = task.differences[index];
  for (const [id, element] of marks) {
    element.classList.toggle("active", id === left || id === right);
    // Only the column moves: the page stays where it is.
    if (id === left || id === right) {
      const column = element.closest(".passage");
      column.scrollTop = element.offsetTop - column.clientHeight / 3;
    }
  }
  const item = suggestion(left ?? right);
  editor.active = editor.undecided().includes(item) ? item : null;
  [editor.anchor, editor.head] = [item.start, item.end];
  editor.show(true);
  editor.say(`Difference ${index + 1} of ${rows.length}: ${kind}. ${rows[index].textContent}`);
}

// Puts one side's version in; the other side's is refused, so that nothing of this difference stays undecided.
function take(side) {
  if (at < 0) return go(1);
  const difference = task.differences[at];
  let state = editor.state;
  for (const other of ["left", "right"]) {
    const one = suggestion(difference[other]);
    if (!one) continue;
    const entity = state.entities.find(mark => mark.suggestion === one.id);
    if (other !== side) state = entity ? remove(state, entity) : reject(state, one);
  }
  const chosen = suggestion(difference[side]);
  if (chosen) [state] = put(state, of(chosen));
  editor.active = null;
  editor.change(state, side === "neither" ? "Neither." : chosen ? `${chosen.label}: ${editor.quote(chosen)}.` : "Nothing is marked here.");
  mark();
  const next = task.differences.findIndex((_, index) => index > at && !rows[index].dataset.taken);
  if (next >= 0) choose(next);
}

// Which side of each difference is in the text now.
function mark() {
  const has = id => id !== null && editor.state.entities.some(entity => entity.suggestion === id);
  task.differences.forEach(({ left, right }, index) => {
    const refused = id => id === null || editor.state.rejected.has(id);
    const taken = has(left) ? "left" : has(right) ? "right" : refused(left) && refused(right) ? "neither" : "";
    rows[index].dataset.taken = taken;
    for (const button of rows[index].querySelectorAll("[data-side]")) button.ariaPressed = String(button.dataset.side === taken);
  });
  const open = rows.filter(row => !row.dataset.taken).length;
  document.getElementById("differences-left").textContent = open ? `${open} of ${rows.length} undecided` : "all decided";
}

rows.forEach((row, index) => {
  row.addEventListener("click", event => {
    choose(index);
    const side = event.target.closest("[data-side]")?.dataset.side;
    if (side) take(side);
    document.getElementById("text").focus();
  });
});

// Undo and the editor's own keys change what is taken, too.
const show = editor.show.bind(editor);
editor.show = reveals => {
  show(reveals);
  mark();
};
mark();
