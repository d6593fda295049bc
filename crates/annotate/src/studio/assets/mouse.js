// What mouse, buttons and the page around the text do to the editor.

import { noteKey } from "./note.js";
import { panels } from "./panels.js";

const by = id => document.getElementById(id);
const inField = target => target.closest?.("input, textarea, select, dialog") !== null;
const onControl = target => target.closest?.("button, a, summary") !== null;

export function listen(editor) {
  const box = by("text");
  let down = null;
  box.addEventListener("mousedown", event => {
    down = event.button === 0 ? { x: event.clientX, y: event.clientY } : null;
  });
  // The button may be released anywhere.
  addEventListener("mouseup", event => {
    if (!down || event.button !== 0) return;
    const dragged = Math.hypot(event.clientX - down.x, event.clientY - down.y) > 3;
    down = null;
    if (dragged || event.detail === 3) select(editor, event.altKey);
    else if (event.detail === 2) selectWord(editor, event);
    else click(editor, event);
  });
  addEventListener("keydown", event => {
    if (event.defaultPrevented || event.isComposing || inField(event.target)) return;
    if (onControl(event.target) && ["Enter", " "].includes(event.key)) return;
    editor.keys.run(event);
  });
  for (const button of document.querySelectorAll("[data-do]")) {
    // The text keeps the focus, and with it the selection.
    button.addEventListener("mousedown", event => event.preventDefault());
    button.addEventListener("click", () => editor.keys.actions.find(action => action.name === button.dataset.do).run());
  }
  for (const button of document.querySelectorAll("[data-position]")) {
    button.addEventListener("mousedown", event => event.preventDefault());
    button.addEventListener("click", () => editor.label(Number(button.dataset.position)));
  }
  by("note").addEventListener("input", () => editor.saving.changed());
  by("note").addEventListener("keydown", event => noteKey(editor, event));
  const least = by("least");
  least.value = localStorage.getItem("nomen:least") ?? least.value;
  least.addEventListener("input", () => {
    localStorage.setItem("nomen:least", least.value);
    panels(editor);
  });
  by("help").addEventListener("click", event => {
    if (event.target === by("help")) by("help").close();
  });
  addEventListener("resize", () => editor.surface.point(editor.anchor, editor.head));
  // A page from the browser's memory shows what was there before it was saved.
  addEventListener("pageshow", event => event.persisted && location.reload());
}

function select(editor, exactly) {
  const selected = editor.surface.selected();
  if (!selected) return;
  const [anchor, head] = selected;
  const range = editor.text.snap(Math.min(anchor, head), Math.max(anchor, head), !exactly);
  if (!range) return editor.move(editor.text.floor(head));
  editor.active = null;
  [editor.anchor, editor.head] = anchor <= head ? range : range.toReversed();
  editor.show();
  editor.say(`Selected: ${editor.quote({ start: range[0], end: range[1] })}`);
}

function selectWord(editor, event) {
  const at = editor.surface.hit(event.clientX, event.clientY);
  const word = at === null ? null : editor.text.wordAt(at);
  if (!word) return;
  editor.active = null;
  [editor.anchor, editor.head] = word;
  editor.show();
}

// A click sets the caret and chooses what lies there; clicking again chooses the next of those that overlap.
function click(editor, event) {
  const at = editor.surface.hit(event.clientX, event.clientY);
  if (at === null) return;
  if (event.shiftKey) {
    editor.active = null;
    const snapped = editor.text.snap(Math.min(editor.anchor, at), Math.max(editor.anchor, at), !event.altKey);
    if (snapped) [editor.anchor, editor.head] = at < editor.anchor ? snapped.toReversed() : snapped;
    return editor.show();
  }
  const piece = event.target.closest?.("#text span");
  const items = piece ? editor.surface.itemsAt(editor.surface.offset(piece, 0)) : [];
  const next = items[(items.indexOf(editor.active) + 1) % items.length] ?? null;
  editor.anchor = editor.head = editor.text.floor(at);
  editor.active = next;
  editor.show();
  if (next) editor.say(editor.describe(next));
}
