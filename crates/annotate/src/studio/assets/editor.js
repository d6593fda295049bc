// The span editor: the annotations of one text and what can be done to them. Offsets are units. What keys and mouse do of it, and what
// the page shows around the text, are files of their own.

import { deciding, marking, moving } from "./actions.js";
import { Conflict } from "./conflict.js";
import { restore } from "./draft.js";
import { Keys, make } from "./keys.js";
import { acceptAll, History, of, overlap, pending, put, reject, remove, replace } from "./marks.js";
import { listen } from "./mouse.js";
import { origin } from "./origins.js";
import { panels } from "./panels.js";
import { Saving } from "./saving.js";
import { percent, Surface } from "./surface.js";
import { Text } from "./text.js";

const by = id => document.getElementById(id);

export class Editor {
  constructor(task, extra = []) {
    this.task = task;
    this.text = new Text(task.text, task.tokens);
    this.suggestions = task.suggestions.map(one => this.inUnits(one));
    this.positions = new Map(task.labels.map((label, position) => [label.name, position]));
    this.history = new History({ entities: task.entities.map(one => this.inUnits(one)), rejected: new Set(task.rejected) });
    this.anchor = this.head = 0;
    this.active = null;
    this.fine = "cluster";
    this.surface = new Surface(by("text"), this.text, label => this.classOf(label));
    this.saving = new Saving(task, () => this.content(), {
      status: (kind, words) => this.status(kind, words),
      saved: () => this.leave(),
      conflict: (mine, theirs) => this.conflict.open(mine, theirs),
      refused: words => this.notice("bad", `Not saved: ${words}`),
      elsewhere: () => this.notice("warn", "This text was saved in another window.", ["Load what was saved", () => location.reload()]),
    });
    this.conflict = new Conflict(this);
    this.keys = new Keys([...moving(this), ...marking(this), ...deciding(this), ...extra]);
    this.keys.explain(by("keys"));
    by("note").value = task.note;
    listen(this);
    restore(this);
    this.show();
    by("text").focus({ preventScroll: true });
  }

  get state() {
    return this.history.now;
  }

  inUnits({ start, end, ...rest }) {
    const has = typeof start === "number";
    return { ...rest, start: has ? this.text.toUnits(start) : null, end: has ? this.text.toUnits(end) : null };
  }

  inPoints({ start, end, label, suggestion, source }) {
    return { start: this.text.toPoints(start), end: this.text.toPoints(end), label, text: this.text.quote(start, end), suggestion, source };
  }

  content() {
    return { entities: this.state.entities.map(entity => this.inPoints(entity)), rejected: [...this.state.rejected], note: by("note").value };
  }

  classOf(label) {
    return this.positions.has(label) ? `label-${this.positions.get(label)}` : "label-other";
  }

  // --- changes

  change(state, words) {
    if (this.isLocked()) return;
    this.history.change(state);
    this.changed(words);
  }

  changed(words) {
    this.saving.changed();
    if (words) this.say(words);
    this.show();
  }

  quote(item) {
    const quote = this.text.quote(item.start, item.end).replace(/\s+/g, " ");
    return quote.length > 60 ? `${quote.slice(0, 59)}…` : quote;
  }

  // Gives a label to what is active, what is selected, or the word at the caret.
  label(position) {
    const label = this.task.labels[position]?.name;
    if (label === undefined) return;
    if (this.active && this.isEntity(this.active)) {
      if (this.active.label === label) return;
      const entity = { ...this.active, label };
      const state = replace(this.state, this.active, entity);
      this.active = entity;
      this.change(state, `${this.quote(entity)} is now ${label}.`);
    } else if (this.active) {
      this.enter({ ...of(this.active), label });
    } else {
      const range = this.anchor !== this.head ? this.range() : this.text.wordAt(this.head);
      if (range) this.enter({ start: range[0], end: range[1], label });
      else this.say("Select some text first.");
    }
  }

  enter(entity, then) {
    const [state, gone] = put(this.state, entity);
    this.active = then === undefined ? entity : then;
    this.anchor = this.head = entity.end;
    const lost = gone.filter(one => one.start !== entity.start || one.end !== entity.end);
    const instead = lost.length ? ` It replaces ${lost.map(one => `${one.label} “${this.quote(one)}”`).join(", ")}; undo brings that back.` : "";
    if (lost.length) this.status("changed", instead.trim());
    this.change(state, `${entity.label}: ${this.quote(entity)}.${instead}`);
  }

  range() {
    return [Math.min(this.anchor, this.head), Math.max(this.anchor, this.head)];
  }

  isEntity(item) {
    return this.state.entities.includes(item);
  }

  accept(suggestion = this.active) {
    if (!suggestion || this.isEntity(suggestion)) return this.step(1, true);
    this.enter(of(suggestion));
    this.step(1, true);
  }

  // Takes away an entity, refuses a suggestion.
  drop(item = this.active) {
    if (!item && this.anchor === this.head) item = this.surface.itemsAt(this.head)[0];
    if (!item) return this.say("Nothing is chosen here.");
    const at = item.start;
    this.active = null;
    this.anchor = this.head = at;
    if (this.isEntity(item)) {
      this.change(remove(this.state, item), `Removed ${item.label}: ${this.quote(item)}.`);
    } else {
      this.change(reject(this.state, item), `Refused ${item.label}: ${this.quote(item)}.`);
      this.step(1, true);
    }
  }

  acceptSure() {
    const least = Number(by("least").value) / 100;
    const [state, accepted, left] = acceptAll(this.state, this.suggestions, least);
    const words = `Accepted ${accepted} of at least ${percent(least)} %.${left ? ` ${left} overlap with what is there and stay undecided.` : ""}`;
    if (accepted) this.change(state, words);
    else this.say(words);
    this.status(accepted ? "changed" : "", words);
  }

  // What changed while a save is on its way would be in no version.
  isLocked() {
    const locked = this.saving.busy || this.saving.isDone;
    if (locked) this.say("Being saved.");
    return locked;
  }

  undo() {
    if (this.isLocked()) return;
    this.travel(this.history.undo(), "Undone.", "Nothing to undo.");
  }

  redo() {
    if (this.isLocked()) return;
    this.travel(this.history.redo(), "Done again.", "Nothing to do again.");
  }

  travel(moved, words, nothing) {
    if (!moved) return this.say(nothing);
    this.active = null;
    this.changed(words);
  }

  // Moves one end of what is active, or the head of the selection.
  grow(direction, step, end) {
    const isBackward = direction < 0;
    if (!this.active) {
      const { anchor, head, text } = this;
      // A selection that becomes smaller ends where words end, too.
      if (isBackward) this.head = head > anchor ? Math.max(anchor, text.endBefore(head, step)) : text.before(head, step);
      else this.head = head < anchor ? Math.min(anchor, text.after(head, step)) : text.endAfter(head, step);
      return this.show(true);
    }
    const { start, end: last } = this.active;
    const to = end === "start"
      ? [isBackward ? this.text.before(start, step) : this.text.after(start, step), last]
      : [start, isBackward ? this.text.endBefore(last, step) : this.text.endAfter(last, step)];
    if (to[0] >= to[1]) return this.say("It cannot be shorter.");
    const entity = { ...(this.isEntity(this.active) ? this.active : of(this.active)), start: to[0], end: to[1] };
    const other = this.state.entities.find(one => one !== this.active && overlap(one, entity));
    if (other) return this.say(`${other.label} “${this.quote(other)}” is in the way.`);
    if (to[0] === start && to[1] === last) return this.say("The text ends here.");
    const state = this.isEntity(this.active) ? replace(this.state, this.active, entity) : put(this.state, entity)[0];
    this.active = entity;
    this.anchor = this.head = end === "start" ? entity.start : entity.end;
    this.change(state, `${entity.label}: ${this.quote(entity)}`);
  }

  // --- the caret

  move(to) {
    if (to === null) return;
    this.active = null;
    this.anchor = this.head = to;
    this.show(true);
  }

  // Left and right are places on the screen: in a paragraph from right to left, left is forward.
  sideways(direction, step, extends_, end) {
    const forward = this.text.isRightToLeft(this.head) ? -direction : direction;
    if (extends_) this.grow(forward, step, end);
    else if (this.anchor !== this.head && !this.active) this.move(this.range()[forward < 0 ? 0 : 1]);
    else this.move(forward < 0 ? this.text.before(this.head, step) : this.text.after(this.head, step));
  }

  lines(direction, extends_) {
    const to = this.surface.vertical(direction) ?? (direction < 0 ? 0 : this.text.length);
    if (!extends_) return this.move(this.text.floor(to));
    this.active = null;
    this.head = this.text.floor(to);
    this.show(true);
  }

  // To the next entity or suggestion, or only to the next undecided one.
  step(direction, undecidedOnly = false) {
    const undecided = this.undecided();
    const items = (undecidedOnly ? undecided : [...this.state.entities, ...undecided])
      .toSorted((one, other) => one.start - other.start || one.end - other.end);
    if (!items.length) {
      this.active = undecidedOnly ? null : this.active;
      if (!undecidedOnly) this.say("There is nothing marked.");
      return this.show();
    }
    const now = items.indexOf(this.active);
    const next = now >= 0
      ? (now + direction + items.length) % items.length
      : direction > 0 ? Math.max(0, items.findIndex(item => item.start >= this.head))
        : (items.findLastIndex(item => item.end <= this.head) + items.length) % items.length;
    this.choose(items[next]);
  }

  choose(item) {
    this.active = item;
    this.anchor = this.head = item.start;
    this.show(true);
    this.say(this.describe(item));
  }

  describe(item) {
    if (this.isEntity(item)) return `${item.label}: ${this.quote(item)}`;
    const sure = item.score === null ? "" : `, ${percent(item.score)} %`;
    return `Suggestion ${item.label}: ${this.quote(item)}, by ${origin(item)}${sure}`;
  }

  // --- what the page shows

  show(reveals = false) {
    this.surface.show(this.state, this.undecided(), this.active);
    this.surface.point(this.anchor, this.head);
    if (reveals) this.surface.reveal();
    panels(this);
  }

  // The suggestions about which nothing was decided; found anew when the state is another.
  undecided() {
    if (this.decided !== this.state) {
      this.decided = this.state;
      this.open = pending(this.state, this.suggestions);
    }
    return this.open;
  }

  status(kind, words) {
    by("status").textContent = words;
    by("status").dataset.kind = kind;
    by("note").readOnly = kind === "saving";
    by("offline").hidden = kind !== "offline";
    if (kind === "offline") by("offline").textContent = words;
  }

  // Words for screen readers; the same words twice are said twice.
  say(words) {
    const box = by("said");
    box.textContent = box.textContent === words ? `${words}\u00a0` : words;
  }

  notice(kind, words, ...ways) {
    const box = make("div", { className: `notice ${kind} row`, role: "alert" }, make("span", {}, words));
    for (const [name, run] of ways) {
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => { box.remove(); run(); by("text").focus(); });
      box.append(button);
    }
    by("notices").replaceChildren(box);
  }

  async leave() {
    this.status("saved", "Saved");
    this.say("Saved.");
    location.assign(await this.saving.next());
  }
}
