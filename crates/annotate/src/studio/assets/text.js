// A text and its offsets. The browser counts UTF-16 units, everything outside this page counts code points; this file is the
// only one that converts. Inside the page every offset is a unit.

const CLUSTERS = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const WORDS = new Intl.Segmenter(undefined, { granularity: "word" });

// A letter of a script from right to left, or, caught, any other.
const FIRST_LETTER = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]|(\p{L})/u;

export class Text {
  // `tokens` are known words as pairs of code points, or null.
  constructor(string, tokens) {
    this.string = string;
    this.length = string.length;
    // Unit at which each code point starts; null where both count alike.
    this.starts = null;
    if (/[\ud800-\udfff]/.test(string)) {
      const starts = [];
      for (let at = 0; at < string.length; at += string.codePointAt(at) > 0xffff ? 2 : 1) starts.push(at);
      starts.push(string.length);
      this.starts = Uint32Array.from(starts);
    }
    this.clusters = [...CLUSTERS.segment(string)].map(cluster => cluster.index);
    this.clusters.push(string.length);
    this.words = tokens
      ? tokens.map(([start, end]) => [this.toUnits(start), this.toUnits(end)])
      : [...WORDS.segment(string)].filter(word => /\S/.test(word.segment)).map(word => [word.index, word.index + word.segment.length]);
  }

  toUnits(point) {
    return this.starts ? this.starts[point] : point;
  }

  toPoints(unit) {
    return this.starts ? atOrBefore(this.starts, unit) : unit;
  }

  quote(start, end) {
    return this.string.slice(start, end);
  }

  // What a reader takes for one character may be many code points; an offset inside goes to its start.
  floor(unit) {
    return this.clusters[atOrBefore(this.clusters, unit)];
  }

  // The nearest boundary behind or before `unit`; `step` is "word", "cluster" or "point".
  after(unit, step) {
    if (step === "point") return Math.min(this.length, unit + (this.string.codePointAt(unit) > 0xffff ? 2 : 1));
    if (step === "cluster") return this.clusters[Math.min(atOrBefore(this.clusters, unit) + 1, this.clusters.length - 1)];
    return this.words.find(([start]) => start > unit)?.[0] ?? this.length;
  }

  before(unit, step) {
    if (step === "point") return Math.max(0, unit - (unit > 1 && this.string.codePointAt(unit - 2) > 0xffff ? 2 : 1));
    if (step === "cluster") return unit > 0 ? this.floor(unit - 1) : 0;
    return this.words.findLast(([start]) => start < unit)?.[0] ?? 0;
  }

  // Ends of words, which are where a selection that grows wants to stop.
  endAfter(unit, step) {
    if (step !== "word") return this.after(unit, step);
    return this.words.find(([, end]) => end > unit)?.[1] ?? this.length;
  }

  endBefore(unit, step) {
    if (step !== "word") return this.before(unit, step);
    return this.words.findLast(([, end]) => end < unit)?.[1] ?? 0;
  }

  // The word at an offset: the one that holds it, else the one that ends there.
  wordAt(unit) {
    return this.words.find(([start, end]) => start <= unit && unit < end) ?? this.words.find(([, end]) => end === unit) ?? null;
  }

  // The range as a reader means it: whole words when `whole`, else whole characters. Null where nothing is left.
  snap(start, end, whole) {
    if (!whole) {
      const from = this.floor(start);
      const to = this.floor(end) === end ? end : this.after(end, "cluster");
      return from < to ? [from, to] : null;
    }
    const touched = this.words.filter(([from, to]) => from < end && start < to);
    return touched.length ? [touched[0][0], touched.at(-1)[1]] : null;
  }

  // Whether the paragraph around an offset runs from right to left: its first letter decides, and where it has none, that of the text.
  isRightToLeft(unit) {
    const start = unit > 0 ? this.string.lastIndexOf("\n", unit - 1) + 1 : 0;
    const end = this.string.indexOf("\n", unit);
    const paragraph = this.string.slice(start, end < 0 ? undefined : end);
    const letter = FIRST_LETTER.exec(paragraph) ?? FIRST_LETTER.exec(this.string);
    return letter !== null && letter[1] === undefined;
  }
}

// Index of the last of ascending numbers that is not above `value`.
function atOrBefore(numbers, value) {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
