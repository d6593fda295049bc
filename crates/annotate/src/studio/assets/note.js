// The note to a text; a flag says in it why.

const by = id => document.getElementById(id);

// A flag says why.
export function flag(editor) {
  if (by("note").value.trim()) editor.saving.save("flagged");
  else openNote(editor, "flagged");
}

export function openNote(editor, verdict) {
  by("note-row").hidden = false;
  by("note-row").dataset.verdict = verdict;
  by("note-hint").textContent = verdict ? "Say why; Enter flags the text and goes on. Esc: back to the text." : "Esc: back to the text. The note is saved with it.";
  by("note").focus();
}

export function noteKey(editor, event) {
  if (event.key === "Escape") {
    event.preventDefault();
    by("text").focus();
  } else if (event.key === "Enter" && !event.shiftKey && by("note-row").dataset.verdict) {
    event.preventDefault();
    if (by("note").value.trim()) editor.saving.save(by("note-row").dataset.verdict);
  }
}
