// The text on the page: a block for each of its lines, in them pieces between all ends of entities and suggestions, a caret, and the
// way from a place on the screen to an offset and back. Offsets are units.

// Underlines that fit below each other under one piece of text.
const ROWS = 3;

export class Surface {
  constructor(box, text, classOf) {
    this.box = box;
    this.text = text;
    this.classOf = classOf;
    this.pieces = [];
    this.lines = linesOf(text.string);
    this.byNode = new WeakMap();
    this.flow = document.createElement("div");
    this.flow.className = "flow";
    this.flow.dir = "auto";
    this.flow.append(...this.lines.map(line => line.element));
    for (const line of this.lines) this.byNode.set(line.element, line);
    this.caret = document.createElement("div");
    this.caret.className = "caret";
    this.caret.ariaHidden = "true";
    box.replaceChildren(this.flow, this.caret);
  }

  // Shows a state. Only pieces that changed are made anew.
  show(state, undecided, active) {
    if (this.shown?.state === state && this.shown.active === active) return;
    this.shown = { state, active };
    this.pieces = this.cut(state, undecided, active);
    let first = 0;
    for (const line of this.lines) {
      let behind = first;
      while (this.pieces[behind]?.start < line.end) behind += 1;
      this.fill(line, first, behind);
      first = behind;
    }
  }

  // Puts the pieces from `first` to before `behind` into their line: the browser lays out and paints anew only the blocks that change.
  fill(line, first, behind) {
    const next = this.pieces.slice(first, behind);
    const old = line.pieces;
    const most = Math.min(next.length, old.length);
    let from = 0;
    while (from < most && this.keep(old[from], next[from])) from += 1;
    let back = 0;
    while (back < most - from && this.keep(old.at(-1 - back), next.at(-1 - back))) back += 1;
    const before = old[old.length - back]?.element ?? null;
    for (const piece of old.slice(from, old.length - back)) piece.element.remove();
    const made = document.createDocumentFragment();
    for (const piece of next.slice(from, next.length - back)) made.append(this.make(piece));
    line.element.insertBefore(made, before);
    line.pieces = next;
  }

  // Whether two pieces look the same; what they stand for may be another value, which the element then belongs to.
  keep(old, next) {
    if (old.start !== next.start || old.end !== next.end || old.key !== next.key) return false;
    this.own(old.element, next);
    return true;
  }

  own(element, piece) {
    piece.element = element;
    this.byNode.set(element, piece);
  }

  cut(state, suggestions, active) {
    const shown = suggestions.toSorted((one, other) => one.start - other.start || other.end - one.end);
    const rows = layOut(shown);
    const ends = new Set([0, ...this.lines.map(line => line.end)]);
    for (const item of [...state.entities, ...shown]) ends.add(item.start).add(item.end);
    const cuts = [...ends].sort((one, other) => one - other);
    const pieces = [];
    let entity = 0;
    let first = 0;
    for (let at = 0; at + 1 < cuts.length; at += 1) {
      const [start, end] = [cuts[at], cuts[at + 1]];
      while (entity < state.entities.length && state.entities[entity].end <= start) entity += 1;
      const owner = state.entities[entity]?.start <= start ? state.entities[entity] : null;
      while (first < shown.length && shown[first].end <= start) first += 1;
      const under = [];
      for (let index = first; index < shown.length && shown[index].start <= start; index += 1) {
        if (shown[index].end > start) under.push(shown[index]);
      }
      const tags = under.filter(one => one.end === end);
      const isActive = active !== null && (owner === active || under.includes(active));
      const key = [
        owner ? `${owner.label}\t${owner.start === start}\t${owner.end === end}` : "",
        under.map(one => `${one.label}\t${rows.get(one)}`).join("\n"),
        tags.map(one => `${one.label}\t${one.score}`).join("\n"),
        isActive && `${active.start === start} ${active.end === end}`,
      ].join("\f");
      const edge = { first: isActive && active.start === start, last: isActive && active.end === end };
      pieces.push({ start, end, owner, under, tags, rows: under.map(one => rows.get(one)), isActive, edge, key });
    }
    return pieces;
  }

  make(piece) {
    const element = document.createElement("span");
    element.textContent = this.text.quote(piece.start, piece.end);
    const { owner, under, tags } = piece;
    if (owner) {
      element.classList.add("entity", this.classOf(owner.label));
      element.classList.toggle("begins", owner.start === piece.start);
      element.classList.toggle("ends", owner.end === piece.end);
      if (owner.end === piece.end) element.dataset.label = owner.label;
    }
    if (under.length) {
      element.classList.add("suggested");
      // A picture for each row that is used: painting one that shows nothing costs as much.
      element.style.backgroundImage = under.map(one => `linear-gradient(90deg, var(--${this.classOf(one.label)}-ink) 5px, transparent 0)`).join();
      element.style.backgroundPosition = piece.rows.map(row => `0 calc(100% - ${4 * row}px)`).join();
      if (tags.length && !element.dataset.label) {
        element.dataset.guess = tags.map(one => one.label + (one.score === null ? "" : ` ${percent(one.score)}`)).join(" · ");
      }
    }
    element.classList.toggle("active", piece.isActive);
    element.classList.toggle("first", piece.edge.first);
    element.classList.toggle("last", piece.edge.last);
    this.own(element, piece);
    return element;
  }

  // Entities and suggestions at an offset.
  itemsAt(unit) {
    const piece = this.pieceAt(unit);
    if (!piece) return [];
    return [...(piece.owner ? [piece.owner] : []), ...piece.under];
  }

  pieceAt(unit) {
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pieces[middle].start <= unit) low = middle;
      else high = middle - 1;
    }
    return this.pieces[low] ?? null;
  }

  // The place of an offset in the page's tree: at the end of a piece rather than the start of the next where `atEnd`.
  place(unit, atEnd = false) {
    let piece = this.pieceAt(unit);
    if (!piece) return [this.flow, 0];
    if (atEnd && piece.start === unit && unit > 0) piece = this.pieceAt(unit - 1);
    return [piece.element.firstChild, unit - piece.start];
  }

  // The offset of a place in the page's tree; null where it lies outside the text.
  offset(node, inside) {
    if (node.nodeType === Node.TEXT_NODE) {
      const piece = this.byNode.get(node.parentElement);
      return piece ? piece.start + inside : null;
    }
    const own = this.byNode.get(node);
    if (own) return own.pieces?.[inside]?.start ?? (inside === 0 ? own.start : own.end);
    if (node === this.flow) return this.lines[inside]?.start ?? this.text.length;
    if (node === this.box) return inside === 0 ? 0 : this.text.length;
    return null;
  }

  // The offset under a point of the window; null beside the text.
  hit(x, y) {
    if (document.caretPositionFromPoint) {
      const found = document.caretPositionFromPoint(x, y);
      return found ? this.offset(found.offsetNode, found.offset) : null;
    }
    const found = document.caretRangeFromPoint?.(x, y);
    return found ? this.offset(found.startContainer, found.startOffset) : null;
  }

  // What the person has selected with the mouse, as [anchor, head]; null where nothing of it lies in the text.
  selected() {
    const selection = getSelection();
    if (!selection.rangeCount || !selection.anchorNode) return null;
    const ends = [[selection.anchorNode, selection.anchorOffset], [selection.focusNode, selection.focusOffset]];
    const [anchor, head] = ends.map(([node, inside]) => this.offset(node, inside));
    if (anchor !== null && head !== null) return [anchor, head];
    if (anchor === null && head === null) return null;
    // One end was dragged out of the text: it goes to the end of the text on that side.
    const outside = anchor === null ? selection.anchorNode : selection.focusNode;
    const edge = this.flow.compareDocumentPosition(outside) & Node.DOCUMENT_POSITION_PRECEDING ? 0 : this.text.length;
    return [anchor ?? edge, head ?? edge];
  }

  // Shows selection and caret.
  point(anchor, head) {
    const forward = anchor <= head;
    const [from, to] = [this.place(anchor, !forward), this.place(head, forward)];
    if (!document.activeElement?.matches("input, textarea")) getSelection().setBaseAndExtent(...from, ...to);
    this.rect = this.rectOf(head, forward && anchor !== head);
    const page = this.box.getBoundingClientRect();
    if (!this.rect) return;
    this.caret.style.left = `${this.rect.x - page.x + this.box.scrollLeft}px`;
    this.caret.style.top = `${this.rect.y - page.y + this.box.scrollTop}px`;
    this.caret.style.height = `${this.rect.height}px`;
    // Begins to blink anew, so that it is seen where it moves.
    this.caret.getAnimations().forEach(animation => { animation.currentTime = 0; });
  }

  // Where the caret stands at an offset, in the window.
  rectOf(unit, atEnd) {
    const range = document.createRange();
    const [node, inside] = this.place(unit, atEnd);
    range.setStart(node, inside);
    range.collapse(true);
    const own = [...range.getClientRects()].at(-1);
    if (own && own.height && this.text.string[unit - 1] !== "\n") return own;
    // At the start of a line: the edge of the character that follows.
    if (unit < this.text.length && this.text.string[unit] !== "\n") {
      const [next, at] = this.place(unit);
      range.setStart(next, at);
      range.setEnd(next, Math.min(at + 1, next.length));
      const rect = range.getClientRects()[0];
      if (rect) return new DOMRect(this.text.isRightToLeft(unit) ? rect.right : rect.left, rect.y, 0, rect.height);
    }
    return own ?? null;
  }

  // The offset one line up (-1) or down (1); null where there is none.
  vertical(direction) {
    if (!this.rect) return null;
    const height = parseFloat(getComputedStyle(this.flow).lineHeight);
    for (let lines = 1; lines < 4; lines += 1) {
      const y = this.rect.y + this.rect.height / 2 + direction * height * lines;
      const page = this.flow.getBoundingClientRect();
      if (y < page.top || y > page.bottom) return null;
      const x = Math.min(Math.max(this.rect.x, page.left + 1), page.right - 1);
      const found = this.hit(x, y);
      if (found !== null) return found;
    }
    return null;
  }

  // Scrolls so far that the caret can be seen.
  reveal() {
    this.caret.scrollIntoView({ block: "nearest" });
  }
}

export const percent = score => (score * 100).toFixed(score < 0.995 && score > 0.9 ? 1 : 0).replace(/\.0$/, "");

// The lines of a text, each with the character that ends it, and a block of the page for each.
function linesOf(string) {
  const lines = [];
  for (let start = 0; start < string.length; start = lines.at(-1).end) {
    const end = string.indexOf("\n", start) + 1 || string.length;
    lines.push({ start, end, pieces: [], element: document.createElement("div") });
  }
  return lines;
}

// Gives each suggestion a row below its text, such that those that overlap have different ones while there are some.
function layOut(suggestions) {
  const rows = new Map();
  const ends = new Array(ROWS).fill(0);
  for (const one of suggestions) {
    const free = ends.findIndex(end => end <= one.start);
    const row = free < 0 ? ROWS - 1 : free;
    ends[row] = Math.max(ends[row], one.end);
    rows.set(one, row);
  }
  return rows;
}
