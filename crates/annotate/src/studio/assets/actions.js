// What keys do to the editor: one list for the caret, one for labels, one for the text as a whole.

import { find } from "./find.js";
import { flag, openNote } from "./note.js";

const by = id => document.getElementById(id);

export function moving(editor) {
  const actions = [];
  const arrows = [["ArrowLeft", -1], ["ArrowRight", 1]];
  const group = "Caret and selection";
  for (const [prefix, fine, does] of [["", false, "by word"], ["Alt+", true, "by character"]]) {
    const step = () => (fine ? editor.fine : "word");
    const add = (modifiers, words, run) => actions.push({
      group, does: `${words}, ${does}`, shown: [`${modifiers}← →`], keys: [],
    }, ...arrows.map(([key, direction]) => ({ keys: [modifiers + key], hidden: true, run: () => run(direction) })));
    add(prefix, "Move", direction => editor.sideways(direction, step(), false));
    add(`${prefix}Shift+`, "Select, or move the end of what is chosen", direction => editor.sideways(direction, step(), true, "end"));
    add(`Ctrl+${prefix}Shift+`, "Move the start of what is chosen", direction => editor.sideways(direction, step(), true, "start"));
  }
  const add = (keys, does, run) => actions.push({ group, keys, does, run });
  for (const [prefix, does, extends_] of [["", "Move by line", false], ["Shift+", "Select by line", true]]) {
    actions.push({ group, does, shown: [`${prefix}↑ ↓`], keys: [] });
    for (const [key, direction] of [["ArrowUp", -1], ["ArrowDown", 1]]) {
      actions.push({ keys: [prefix + key], hidden: true, run: () => editor.lines(direction, extends_) });
    }
  }
  actions.push(...arrows.map(([key, direction]) => ({ keys: [`Ctrl+${key}`], hidden: true, run: () => editor.sideways(direction, "word", false) })));
  add(["Home", "Ctrl+Home"], "Start of the text", () => editor.move(0));
  add(["End", "Ctrl+End"], "End of the text", () => editor.move(editor.text.length));
  add(["w"], "Select the word", () => {
    const word = editor.text.wordAt(editor.head);
    if (!word) return;
    editor.active = null;
    [editor.anchor, editor.head] = word;
    editor.show(true);
  });
  add(["."], "Alt moves inside characters, by code point, or not", () => {
    editor.fine = editor.fine === "cluster" ? "point" : "cluster";
    const words = editor.fine === "point" ? "Alt moves by code point, also inside characters." : "Alt moves by whole characters.";
    editor.say(words);
    editor.status("", words);
  });
  return actions;
}

export function marking(editor) {
  const group = "Labels";
  const digits = [..."1234567890"];
  return [
    { group, keys: [], shown: ["1 … 9, 0"], does: "Label the selection, the word at the caret, or what is chosen" },
    ...digits.map((key, position) => ({ keys: [key], hidden: true, run: () => editor.label(position) })),
    { group, name: "find", keys: ["l"], does: "Find a label by name", run: () => find(editor) },
    { group, keys: ["j"], does: "Next entity or suggestion", run: () => editor.step(1) },
    { group, keys: ["k"], does: "The one before", run: () => editor.step(-1) },
    { group, name: "accept", keys: ["y"], does: "Accept the suggestion", run: () => editor.accept() },
    { group, name: "sure", keys: ["Y"], does: "Accept all that are sure enough", run: () => editor.acceptSure() },
    { group, name: "drop", keys: ["x", "Delete", "Backspace"], does: "Remove the entity, refuse the suggestion", run: () => editor.drop() },
    { group, keys: ["Escape"], does: "Choose nothing", run: () => editor.move(editor.head) },
  ];
}

export function deciding(editor) {
  const group = "This text";
  return [
    { group, name: "save", keys: ["Enter", "a"], does: "Save, and on to the next", run: () => editor.saving.save("accepted") },
    { group, name: "skip", keys: ["s"], does: "Skip", run: () => editor.saving.save("skipped") },
    { group, name: "flag", keys: ["f"], does: "Flag with a note", run: () => flag(editor) },
    { group, name: "note", keys: ["n"], does: "Write a note", run: () => openNote(editor, "") },
    { group, name: "back", keys: ["b"], does: "Back to the page before", run: () => history.back() },
    { group, name: "undo", keys: ["z", "Ctrl+z"], does: "Undo", run: () => editor.undo() },
    { group, name: "redo", keys: ["Z", "Ctrl+y", "Ctrl+Z"], does: "Redo", run: () => editor.redo() },
    { group, name: "guidelines", keys: ["g"], does: "Guidelines", run: () => { by("guidelines").open = !by("guidelines").open; } },
    { group, name: "help", keys: ["?"], does: "This help", run: () => by("help").showModal() },
  ];
}
