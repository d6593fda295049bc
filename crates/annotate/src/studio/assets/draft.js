// The draft that was left behind: taken up again where the text and what was saved are still those that it was made for.

const by = id => document.getElementById(id);

export function restore(editor) {
  const draft = editor.saving.draft();
  if (!draft) return;
  const kept = draft.entities.filter(one => holds(editor, one));
  const entities = kept.map(({ start, end, label, suggestion, source }) => editor.inUnits({ start, end, label, suggestion, source }));
  if (kept.length < draft.entities.length) {
    const lost = draft.entities.filter(one => !kept.includes(one)).map(one => `${one.label} “${one.text}”`);
    editor.notice("warn", `The text is another than your draft was made for; these are not in it: ${lost.join(", ")}.`);
  }
  const before = editor.content();
  const rejected = draft.rejected ?? before.rejected;
  const take = () => {
    editor.history.change({ entities, rejected: new Set(rejected) });
    by("note").value = draft.note ?? "";
  };
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const says = (entities, note, ids) => [entities, note, ids.toSorted((a, b) => a - b)];
  if (same(says(draft.entities, draft.note ?? "", rejected), says(before.entities, before.note, before.rejected))) return;
  if (draft.parent === editor.task.parent) {
    take();
    editor.saving.key = draft.key ?? editor.saving.key;
    editor.status("draft", "Your draft is back");
    editor.say("Your draft is back.");
  } else {
    editor.notice("warn", "You have a draft from before this text was last saved.",
      ["Use the draft", () => { take(); editor.changed("The draft replaces what was saved. Undo brings it back."); }],
      ["Drop the draft", () => editor.saving.discard()]);
  }
}

// Whether an entity of a draft still says what it said: the text may have been replaced.
function holds(editor, { start, end, text }) {
  return Number.isInteger(start) && Number.isInteger(end) && start < end
    && (text === undefined || editor.text.quote(editor.text.toUnits(start), editor.text.toUnits(end)) === text);
}
