// The annotations of one text as values: every change makes a new state, so undo is the list of those before. Offsets are units.
//
// A state is { entities, rejected }: entities sorted by start, without overlaps; the ids of suggestions that were refused.

export const overlap = (one, other) => one.start < other.end && other.start < one.end;
const sorted = entities => entities.toSorted((one, other) => one.start - other.start || one.end - other.end);

// Puts an entity in; those that it overlaps go, and come back as the second value so that they can be named.
export function put(state, entity) {
  const gone = state.entities.filter(other => overlap(other, entity));
  const stay = state.entities.filter(other => !overlap(other, entity));
  return [{ ...state, entities: sorted([...stay, entity]), rejected: without(state.rejected, entity.suggestion) }, gone];
}

export function replace(state, entity, by) {
  return { ...state, entities: sorted(state.entities.map(other => (other === entity ? by : other))) };
}

// An entity that a suggestion became is gone together with it.
export function remove(state, entity) {
  const rejected = entity.suggestion === undefined ? state.rejected : new Set(state.rejected).add(entity.suggestion);
  return { entities: state.entities.filter(other => other !== entity), rejected };
}

export function reject(state, suggestion) {
  return { ...state, rejected: new Set(state.rejected).add(suggestion.id) };
}

const without = (ids, id) => {
  if (!ids.has(id)) return ids;
  const rest = new Set(ids);
  rest.delete(id);
  return rest;
};

// The suggestions about which nothing was decided.
export function pending(state, suggestions) {
  const taken = new Set(state.entities.map(entity => entity.suggestion));
  const there = new Set(state.entities.map(mention));
  return suggestions.filter(one => one.start !== null && !taken.has(one.id) && !state.rejected.has(one.id) && !there.has(mention(one)));
}

const mention = ({ start, end, label }) => `${start} ${end} ${label}`;

export const of = suggestion => ({ start: suggestion.start, end: suggestion.end, label: suggestion.label, suggestion: suggestion.id });

// Takes every suggestion of at least this confidence, the surest first; one that overlaps what is there stays undecided.
export function acceptAll(state, suggestions, least) {
  let accepted = 0;
  let left = 0;
  const sure = pending(state, suggestions).filter(one => one.score !== null && one.score >= least);
  for (const one of sure.toSorted((a, b) => b.score - a.score || (b.end - b.start) - (a.end - a.start))) {
    if (state.entities.some(entity => mention(entity) === mention(one))) continue;
    if (state.entities.some(entity => overlap(entity, one))) {
      left += 1;
    } else {
      [state] = put(state, of(one));
      accepted += 1;
    }
  }
  return [state, accepted, left];
}

export class History {
  constructor(state) {
    this.now = state;
    this.past = [];
    this.future = [];
  }

  change(state) {
    this.past.push(this.now);
    this.now = state;
    this.future = [];
  }

  undo() {
    if (!this.past.length) return false;
    this.future.push(this.now);
    this.now = this.past.pop();
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.now);
    this.now = this.future.pop();
    return true;
  }
}
