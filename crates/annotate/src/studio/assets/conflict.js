// Two people saved one text: both versions side by side, and three ways on. Neither version is lost whatever is chosen.

import { make } from "./keys.js";

const by = id => document.getElementById(id);

export class Conflict {
  constructor(editor) {
    this.editor = editor;
    const way = (id, run) => by(id).addEventListener("click", () => { by("conflict").close(); run(); by("text").focus(); });
    way("conflict-mine", () => this.editor.saving.save(this.verdict));
    way("conflict-theirs", () => this.theirs());
    way("conflict-edit", () => this.editor.changed("Go on with your version. Saving it puts it after theirs."));
    // Closing the dialog is choosing to edit: nothing is saved.
  }

  open(mine, theirs) {
    const { saving } = this.editor;
    saving.parent = theirs.number;
    saving.keep();
    this.verdict = mine.verdict ?? "accepted";
    this.show(by("conflict-left"), "Yours", mine, theirs);
    this.show(by("conflict-right"), theirs.user ? `Saved by ${theirs.user}` : "Saved before", theirs, mine);
    by("conflict").showModal();
  }

  // What was saved stays; there is nothing left to save here.
  async theirs() {
    const { editor } = this;
    editor.saving.isDone = true;
    await editor.saving.discard();
    editor.leave();
  }

  show(box, title, version, other) {
    const key = entity => `${entity.start} ${entity.end} ${entity.label}`;
    const known = new Set(other.entities.map(key));
    const rows = version.entities.map(entity => make("li", { className: known.has(key(entity)) ? "" : "differs" },
      make("span", { className: `chip ${this.editor.classOf(entity.label)}` }, entity.label), " ",
      make("bdi", {}, entity.text ?? this.editor.quote(this.editor.inUnits(entity))),
      make("small", { className: "quiet" }, ` ${entity.start} to ${entity.end}`)));
    box.replaceChildren(
      make("h3", {}, title),
      make("p", { className: "quiet small" }, [version.verdict, version.at && new Date(version.at).toLocaleString()].filter(Boolean).join(", ")),
      rows.length ? make("ul", { className: "versions" }, ...rows) : make("p", { className: "quiet" }, "No entities"),
      version.note ? make("p", {}, `Note: ${version.note}`) : "",
    );
  }
}
