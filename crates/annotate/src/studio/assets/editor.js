// The span editor: what keys, mouse and buttons do to the annotations of one text, and what the page shows of it. Offsets are units.

import { Keys, make } from "./keys.js";
import { acceptAll, History, of, overlap, pending, put, reject, remove, replace } from "./marks.js";
import { Saving } from "./saving.js";
import { percent, Surface } from "./surface.js";
import { Text } from "./text.js";
import { Conflict } from "./conflict.js";

const by = id => document.getElementById(id);
const inField = target => target.closest?.("input, textarea, select, dialog") !== null;
const onControl = target => target.closest?.("button, a, summary") !== null;

export class Editor {
  constructor(task, extra = []) {
    this.task = task;
    this.text = new Text(task.text, task.tokens);
    this.suggestions = task.suggestions.map(one => this.inUnits(one));
    this.positions = new Map(task.labels.map((label, position) => [label.name, position]));
    this.history = new History({ entities: task.entities.map(one => this.inUnits(one)), rejected: new Set() });
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
    this.keys = new Keys([...this.moving(), ...this.marking(), ...this.deciding(), ...extra]);
    this.keys.explain(by("keys"));
    by("note").value = task.note;
    this.listen();
    this.restore();
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

  inPoints({ start, end, label, suggestion }) {
    const entity = { start: this.text.toPoints(start), end: this.text.toPoints(end), label, text: this.text.quote(start, end) };
    return suggestion === undefined ? entity : { ...entity, suggestion };
  }

  content() {
    return { entities: this.state.entities.map(entity => this.inPoints(entity)), rejected: [...this.state.rejected], note: by("note").value };
  }

  classOf(label) {
    return this.positions.has(label) ? `label-${this.positions.get(label)}` : "label-other";
  }

  // --- the draft that was left behind

  restore() {
    const draft = this.saving.draft();
    if (!draft) return;
    const kept = draft.entities.filter(one => this.holds(one));
    const entities = kept.map(({ start, end, label, suggestion }) =>
      this.inUnits(suggestion === undefined ? { start, end, label } : { start, end, label, suggestion }));
    if (kept.length < draft.entities.length) {
      const lost = draft.entities.filter(one => !kept.includes(one)).map(one => `${one.label} “${one.text}”`);
      this.notice("warn", `The text is another than your draft was made for; these are not in it: ${lost.join(", ")}.`);
    }
    const before = this.content();
    const take = () => {
      this.history.change({ entities, rejected: new Set(draft.rejected ?? []) });
      by("note").value = draft.note ?? "";
    };
    const now = JSON.stringify([before.entities, before.note]);
    if (JSON.stringify([draft.entities, draft.note ?? ""]) === now && !draft.rejected?.length) return;
    if (draft.parent === this.task.parent) {
      take();
      this.saving.key = draft.key ?? this.saving.key;
      this.status("draft", "Your draft is back");
      this.say("Your draft is back.");
    } else {
      this.notice("warn", "You have a draft from before this text was last saved.",
        ["Use the draft", () => { take(); this.changed("The draft replaces what was saved. Undo brings it back."); }],
        ["Drop the draft", () => this.saving.discard()]);
    }
  }

  // Whether an entity of a draft still says what it said: the text may have been replaced.
  holds({ start, end, text }) {
    return Number.isInteger(start) && Number.isInteger(end) && start < end
      && (text === undefined || this.text.quote(this.text.toUnits(start), this.text.toUnits(end)) === text);
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

  // --- the mouse

  listen() {
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
      if (dragged || event.detail === 3) this.selected(event.altKey);
      else if (event.detail === 2) this.word(event);
      else this.click(event);
    });
    addEventListener("keydown", event => {
      if (event.defaultPrevented || event.isComposing || inField(event.target)) return;
      if (onControl(event.target) && ["Enter", " "].includes(event.key)) return;
      this.keys.run(event);
    });
    for (const button of document.querySelectorAll("[data-do]")) {
      // The text keeps the focus, and with it the selection.
      button.addEventListener("mousedown", event => event.preventDefault());
      button.addEventListener("click", () => this.keys.actions.find(action => action.name === button.dataset.do).run());
    }
    for (const button of document.querySelectorAll("[data-position]")) {
      button.addEventListener("mousedown", event => event.preventDefault());
      button.addEventListener("click", () => this.label(Number(button.dataset.position)));
    }
    by("note").addEventListener("input", () => this.saving.changed());
    by("note").addEventListener("keydown", event => this.noteKey(event));
    const least = by("least");
    least.value = localStorage.getItem("nomen:least") ?? least.value;
    least.addEventListener("input", () => {
      localStorage.setItem("nomen:least", least.value);
      this.panels();
    });
    by("help").addEventListener("click", event => {
      if (event.target === by("help")) by("help").close();
    });
    addEventListener("resize", () => this.surface.point(this.anchor, this.head));
    // A page from the browser's memory shows what was there before it was saved.
    addEventListener("pageshow", event => event.persisted && location.reload());
  }

  selected(exactly) {
    const selected = this.surface.selected();
    if (!selected) return;
    const [anchor, head] = selected;
    const range = this.text.snap(Math.min(anchor, head), Math.max(anchor, head), !exactly);
    if (!range) return this.move(this.text.floor(head));
    this.active = null;
    [this.anchor, this.head] = anchor <= head ? range : range.toReversed();
    this.show();
    this.say(`Selected: ${this.quote({ start: range[0], end: range[1] })}`);
  }

  word(event) {
    const at = this.surface.hit(event.clientX, event.clientY);
    const word = at === null ? null : this.text.wordAt(at);
    if (!word) return;
    this.active = null;
    [this.anchor, this.head] = word;
    this.show();
  }

  // A click sets the caret and chooses what lies there; clicking again chooses the next of those that overlap.
  click(event) {
    const at = this.surface.hit(event.clientX, event.clientY);
    if (at === null) return;
    if (event.shiftKey) {
      this.active = null;
      const snapped = this.text.snap(Math.min(this.anchor, at), Math.max(this.anchor, at), !event.altKey);
      if (snapped) [this.anchor, this.head] = at < this.anchor ? snapped.toReversed() : snapped;
      return this.show();
    }
    const piece = event.target.closest?.("#text span");
    const items = piece ? this.surface.itemsAt(this.surface.offset(piece, 0)) : [];
    const next = items[(items.indexOf(this.active) + 1) % items.length] ?? null;
    this.anchor = this.head = this.text.floor(at);
    this.active = next;
    this.show();
    if (next) this.say(this.describe(next));
  }

  // --- keys

  moving() {
    const actions = [];
    const arrows = [["ArrowLeft", -1], ["ArrowRight", 1]];
    const group = "Caret and selection";
    for (const [prefix, fine, does] of [["", false, "by word"], ["Alt+", true, "by character"]]) {
      const step = () => (fine ? this.fine : "word");
      const add = (modifiers, words, run) => actions.push({
        group, does: `${words}, ${does}`, shown: [`${modifiers}← →`], keys: [],
      }, ...arrows.map(([key, direction]) => ({ keys: [modifiers + key], hidden: true, run: () => run(direction) })));
      add(prefix, "Move", direction => this.sideways(direction, step(), false));
      add(`${prefix}Shift+`, "Select, or move the end of what is chosen", direction => this.sideways(direction, step(), true, "end"));
      add(`Ctrl+${prefix}Shift+`, "Move the start of what is chosen", direction => this.sideways(direction, step(), true, "start"));
    }
    const add = (keys, does, run) => actions.push({ group, keys, does, run });
    for (const [prefix, does, extends_] of [["", "Move by line", false], ["Shift+", "Select by line", true]]) {
      actions.push({ group, does, shown: [`${prefix}↑ ↓`], keys: [] });
      for (const [key, direction] of [["ArrowUp", -1], ["ArrowDown", 1]]) {
        actions.push({ keys: [prefix + key], hidden: true, run: () => this.lines(direction, extends_) });
      }
    }
    actions.push(...arrows.map(([key, direction]) => ({ keys: [`Ctrl+${key}`], hidden: true, run: () => this.sideways(direction, "word", false) })));
    add(["Home", "Ctrl+Home"], "Start of the text", () => this.move(0));
    add(["End", "Ctrl+End"], "End of the text", () => this.move(this.text.length));
    add(["w"], "Select the word", () => {
      const word = this.text.wordAt(this.head);
      if (!word) return;
      this.active = null;
      [this.anchor, this.head] = word;
      this.show(true);
    });
    add(["."], "Alt moves inside characters, by code point, or not", () => {
      this.fine = this.fine === "cluster" ? "point" : "cluster";
      const words = this.fine === "point" ? "Alt moves by code point, also inside characters." : "Alt moves by whole characters.";
      this.say(words);
      this.status("", words);
    });
    return actions;
  }

  marking() {
    const group = "Labels";
    const digits = [..."1234567890"];
    return [
      { group, keys: [], shown: ["1 … 9, 0"], does: "Label the selection, the word at the caret, or what is chosen" },
      ...digits.map((key, position) => ({ keys: [key], hidden: true, run: () => this.label(position) })),
      { group, name: "find", keys: ["l"], does: "Find a label by name", run: () => this.find() },
      { group, keys: ["j"], does: "Next entity or suggestion", run: () => this.step(1) },
      { group, keys: ["k"], does: "The one before", run: () => this.step(-1) },
      { group, name: "accept", keys: ["y"], does: "Accept the suggestion", run: () => this.accept() },
      { group, name: "sure", keys: ["Y"], does: "Accept all that are sure enough", run: () => this.acceptSure() },
      { group, name: "drop", keys: ["x", "Delete", "Backspace"], does: "Remove the entity, refuse the suggestion", run: () => this.drop() },
      { group, keys: ["Escape"], does: "Choose nothing", run: () => this.move(this.head) },
    ];
  }

  deciding() {
    const group = "This text";
    return [
      { group, name: "save", keys: ["Enter", "a"], does: "Save, and on to the next", run: () => this.saving.save("accepted") },
      { group, name: "skip", keys: ["s"], does: "Skip", run: () => this.saving.save("skipped") },
      { group, name: "flag", keys: ["f"], does: "Flag with a note", run: () => this.flag() },
      { group, name: "note", keys: ["n"], does: "Write a note", run: () => this.openNote("") },
      { group, name: "back", keys: ["b"], does: "Back to the page before", run: () => history.back() },
      { group, name: "undo", keys: ["z", "Ctrl+z"], does: "Undo", run: () => this.undo() },
      { group, name: "redo", keys: ["Z", "Ctrl+y", "Ctrl+Z"], does: "Redo", run: () => this.redo() },
      { group, name: "guidelines", keys: ["g"], does: "Guidelines", run: () => { by("guidelines").open = !by("guidelines").open; } },
      { group, name: "help", keys: ["?"], does: "This help", run: () => by("help").showModal() },
    ];
  }

  // A flag says why.
  flag() {
    if (by("note").value.trim()) this.saving.save("flagged");
    else this.openNote("flagged");
  }

  openNote(verdict) {
    by("note-row").hidden = false;
    by("note-row").dataset.verdict = verdict;
    by("note-hint").textContent = verdict ? "Say why; Enter flags the text and goes on. Esc: back to the text." : "Esc: back to the text. The note is saved with it.";
    by("note").focus();
  }

  noteKey(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      by("text").focus();
    } else if (event.key === "Enter" && !event.shiftKey && by("note-row").dataset.verdict) {
      event.preventDefault();
      if (by("note").value.trim()) this.saving.save(by("note-row").dataset.verdict);
    }
  }

  find() {
    const dialog = by("find");
    const field = by("find-name");
    const list = by("find-list");
    const found = () => this.task.labels.map((label, position) => ({ label, position }))
      .filter(({ label }) => label.name.toLowerCase().includes(field.value.trim().toLowerCase()));
    const take = position => {
      dialog.close();
      by("text").focus();
      this.label(position);
    };
    const fill = () => list.replaceChildren(...found().map(({ label, position }) => {
      const button = make("button", { type: "button", className: "plain" },
        make("span", { className: `chip ${this.classOf(label.name)}` }, label.name), make("span", { className: "quiet" }, label.definition));
      button.addEventListener("click", () => take(position));
      return make("li", {}, button);
    }));
    field.value = "";
    field.oninput = fill;
    field.onkeydown = event => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (found().length) take(found()[0].position);
    };
    fill();
    dialog.showModal();
  }

  // --- what the page shows

  show(reveals = false) {
    this.surface.show(this.state, this.undecided(), this.active);
    this.surface.point(this.anchor, this.head);
    if (reveals) this.surface.reveal();
    this.panels();
  }

  // The suggestions about which nothing was decided; found anew when the state is another.
  undecided() {
    if (this.decided !== this.state) {
      this.decided = this.state;
      this.open = pending(this.state, this.suggestions);
    }
    return this.open;
  }

  panels() {
    const counts = Map.groupBy(this.state.entities, entity => entity.label);
    for (const button of document.querySelectorAll("[data-position]")) {
      const label = this.task.labels[Number(button.dataset.position)];
      button.querySelector(".count").textContent = counts.get(label.name)?.length ?? "";
      button.ariaPressed = String(this.active?.label === label.name);
    }
    by("undo").disabled = !this.history.past.length;
    by("redo").disabled = !this.history.future.length;
    const undecided = this.undecided();
    const least = Number(by("least").value) / 100;
    by("least-shown").textContent = `${percent(least)} %`;
    by("sure").textContent = String(undecided.filter(one => one.score !== null && one.score >= least).length);
    by("undecided").textContent = undecided.length ? `${undecided.length} undecided` : "";
    by("suggestions").hidden = !this.suggestions.length;
    this.list(undecided);
    this.chosen();
  }

  // The list of suggestions; rows come and go one by one, because a long list is slow to lay out.
  list(undecided) {
    const list = by("suggestion-list");
    if (this.listed !== undecided) {
      this.listed = undecided;
      this.rows ??= new Map(this.suggestions.filter(one => one.start !== null).map(one => [one.id, this.row(one)]));
      const stay = new Set(undecided.map(one => this.rows.get(one.id)));
      for (const row of [...list.children]) if (!stay.has(row)) row.remove();
      let next = list.firstElementChild;
      for (const row of stay) {
        if (row === next) next = next.nextElementSibling;
        else list.insertBefore(row, next);
      }
    }
    const row = this.rows.get(this.active?.id);
    if (row !== this.activeRow) this.activeRow?.classList.remove("active");
    this.activeRow = row;
    row?.classList.add("active");
    if (row?.isConnected) list.scrollTop = Math.min(Math.max(list.scrollTop, row.offsetTop + row.offsetHeight - list.clientHeight), row.offsetTop);
  }

  row(one) {
    const choose = make("button", { type: "button", className: "plain pick" },
      make("span", { className: `chip ${this.classOf(one.label)}` }, one.label), make("bdi", {}, this.quote(one)));
    choose.addEventListener("click", () => { this.choose(one); by("text").focus(); });
    const decide = (words, sign, run) => {
      const button = make("button", { type: "button", className: "plain", ariaLabel: `${words} ${one.label} ${this.quote(one)}`, title: words }, sign);
      button.addEventListener("click", () => { run(); by("text").focus(); });
      return button;
    };
    const row = make("li", {}, choose, decide("Accept", "✓", () => this.accept(one)), decide("Refuse", "✕", () => this.drop(one)),
      make("small", { className: "quiet" }, `${origin(one)}${one.score === null ? "" : `, ${percent(one.score)} %`}${status(one.status)}`));
    row.dataset.id = one.id;
    return row;
  }

  // What is chosen, with the definition of its label.
  chosen() {
    const box = by("chosen");
    const item = this.active;
    const [start, end] = item ? [item.start, item.end] : this.range();
    if (start === end) {
      box.replaceChildren(make("p", { className: "quiet" }, "Select text and press a label's number. ", make("kbd", {}, "?"), " shows all keys."));
      return;
    }
    const points = `${this.text.toPoints(start)} to ${this.text.toPoints(end)}`;
    const parts = [make("p", { className: "quoted" }, make("bdi", {}, this.quote({ start, end }))), make("p", { className: "quiet small" }, `Characters ${points}`)];
    if (item) {
      const label = this.task.labels[this.positions.get(item.label)];
      parts.unshift(make("p", {}, make("span", { className: `chip ${this.classOf(item.label)}` }, item.label), this.isEntity(item) ? null : make("span", { className: "quiet" }, " suggested")));
      if (!this.isEntity(item)) {
        parts.push(make("p", { className: "small" }, `By ${origin(item)}${item.score === null ? "" : `, ${percent(item.score)} % sure`}${status(item.status)}`));
      }
      if (label?.definition) parts.push(make("p", {}, label.definition));
      if (label?.examples.length) parts.push(make("p", { className: "small" }, make("b", {}, "Such as "), label.examples.join(", ")));
      if (label?.near_misses.length) parts.push(make("p", { className: "small" }, make("b", {}, "Not "), label.near_misses.join(", ")));
    }
    box.replaceChildren(...parts);
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

const origin = one => [one.origin?.name ?? "somebody", one.origin?.version].filter(Boolean).join(" ");
const status = grounding => ({ folded: ", other case", fuzzy: ", not word for word", ambiguous: ", one of several places", "taken back": ", taken back when asked again" })[grounding] ?? "";
