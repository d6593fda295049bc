// The way of annotations to the server: drafts while somebody works, saves that cannot happen twice, and what to do when the server
// does not answer or somebody else was faster. What is not on the server yet is always in this browser's storage.

const DRAFT_AFTER = 700;
const AGAIN_AFTER = 4000;
const PATIENCE = 20_000;

// A name for one save, so that the server knows it again when it comes twice.
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");
}

// A revision that says of each suggestion what it was, not which: the server's list may be another by now.
function told(revision, suggestions) {
  const by = new Map(suggestions.map(one => [one.id, one]));
  const origin = one => `${one.origin.kind}:${one.origin.name}`;
  const entities = revision.entities.map(({ suggestion, ...entity }) =>
    (by.has(suggestion) ? { ...entity, suggestion: origin(by.get(suggestion)) } : entity));
  const rejected = revision.rejected.filter(id => by.has(id)).map(id => {
    const { start, end, label, quote, origin: { version } } = by.get(id);
    return { start, end, label, quote, origin: origin(by.get(id)), version };
  });
  return { ...revision, entities, rejected };
}

// A short name for a list of suggestions (FNV-1a): drafts speak of its ids.
function nameOf(suggestions) {
  let hash = 0x811c9dc5;
  for (const unit of JSON.stringify(suggestions)) hash = Math.imul(hash ^ unit.codePointAt(0), 0x01000193) >>> 0;
  return hash.toString(16);
}

// A draft whose ids are of another list keeps its entities; what was refused is then what was saved.
function fitting(draft, list) {
  if (!draft || draft.list === list) return draft;
  return { ...draft, entities: draft.entities.map(({ suggestion, ...entity }) => entity), rejected: undefined };
}

export class Saving {
  // `task` is the page's data; `content()` gives { entities, rejected, note } in code points; `on` is told what happens: status(kind,
  // words), saved(revision), conflict(mine, theirs), refused(words).
  constructor(task, content, on) {
    this.task = task;
    this.content = content;
    this.on = on;
    this.parent = task.parent;
    this.list = nameOf(task.suggestions);
    this.place = `nomen:${task.user}:${task.project}:${task.number}:${task.layer}`;
    this.key = newKey();
    // Until the draft is sent, until something is tried again.
    this.timer = null;
    this.later = null;
    // A draft on its way.
    this.sending = null;
    // A save that the server has not answered.
    this.waiting = null;
    this.busy = false;
    this.isDone = false;
    addEventListener("online", () => this.again());
    addEventListener("offline", () => this.on.status("offline", "Offline. What you do is kept in this browser."));
    addEventListener("pagehide", () => this.send());
    // Another window with the same text: what it saves makes this one stale.
    this.channel = new BroadcastChannel("nomen");
    this.channel.addEventListener("message", ({ data }) => {
      if (data.place === this.place && !this.isDone) this.on.elsewhere(data.revision);
    });
  }

  // The draft to go on with: the newer of the server's and this browser's; null where there is none.
  draft() {
    let own = null;
    try {
      own = JSON.parse(localStorage.getItem(this.place));
    } catch {
      localStorage.removeItem(this.place);
    }
    // A draft with the key of the last revision was saved; only the answer got lost.
    const drafts = [own, this.task.draft].filter(draft => Array.isArray(draft?.entities) && !(draft.key && draft.key === this.task.key));
    if (!drafts.length) this.forget();
    return fitting(drafts.toSorted((one, other) => (other.at ?? 0) - (one.at ?? 0))[0] ?? null, this.list);
  }

  // Something changed: keeps it here at once, on the server when there is a moment's rest.
  changed() {
    if (this.isDone) return;
    this.key = newKey();
    this.waiting = null;
    this.keep();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), DRAFT_AFTER);
    this.on.status("changed", "Not saved yet");
  }

  keep() {
    const draft = { parent: this.parent, key: this.key, at: Date.now(), list: this.list, ...this.content() };
    try {
      localStorage.setItem(this.place, JSON.stringify(draft));
    } catch {
      this.on.status("offline", "This browser's storage is full: the draft is only on the server.");
    }
    return draft;
  }

  forget() {
    clearTimeout(this.timer);
    this.timer = null;
    localStorage.removeItem(this.place);
  }

  // The draft is not wanted, here or on the server. Where the server cannot be asked, it offers the draft once more; no harm is done.
  async discard() {
    this.forget();
    try {
      await this.sending;
      await fetch(`${this.task.save}/draft`, { method: "DELETE", headers: token(), keepalive: true });
    } catch {
      this.on.status("", "");
    }
  }

  async send() {
    if (this.timer === null || this.isDone) return;
    clearTimeout(this.timer);
    this.timer = null;
    try {
      this.sending = this.put(`${this.task.save}/draft`, this.keep(), true);
      const answer = await this.sending;
      if (this.isDone) return;
      if (answer.ok) this.on.status("draft", "Draft saved");
      else this.on.status("offline", `The draft is only in this browser: ${await problem(answer)}`);
    } catch {
      if (this.isDone) return;
      this.on.status("offline", "No connection. What you do is kept in this browser.");
      this.tryLater();
    }
  }

  tryLater() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.again(), AGAIN_AFTER);
  }

  // Saves with a verdict. The same content has the same key, so pressing twice, or trying again, is one save.
  async save(verdict) {
    if (this.busy || this.isDone) return;
    this.busy = true;
    clearTimeout(this.timer);
    if (this.waiting && this.waiting.verdict !== verdict) {
      this.key = newKey();
      this.waiting = null;
    }
    const body = this.waiting ?? { ...this.keep(), verdict };
    this.waiting = body;
    this.on.status("saving", "Saving…");
    try {
      // A draft that came after the save would stay.
      await this.sending?.catch(() => {});
      const { at, list, ...revision } = body;
      const answer = await this.put(this.task.save, told(revision, this.task.suggestions));
      await this.answered(answer, body);
    } catch (error) {
      // What `fetch` throws without a connection, and when the time is over.
      if (!(error instanceof TypeError || error.name === "TimeoutError")) throw error;
      this.on.status("offline", "No connection. Saved in this browser, and sent when there is one.");
      this.tryLater();
    } finally {
      this.busy = false;
    }
  }

  async answered(answer, body) {
    if (answer.ok) {
      this.isDone = true;
      this.waiting = null;
      this.forget();
      const revision = await answer.json();
      this.channel.postMessage({ place: this.place, revision: revision.number });
      this.on.saved(revision);
    } else if (answer.status === 409) {
      this.waiting = null;
      this.key = newKey();
      const { mine, theirs } = await answer.json();
      this.on.status("changed", "Somebody else saved this text");
      this.on.conflict(mine ?? body, theirs);
    } else if ([429, 502, 503, 504].includes(answer.status)) {
      this.on.status("offline", "The server is busy. Saved in this browser, and sent when it answers.");
      this.tryLater();
    } else {
      this.waiting = null;
      this.on.refused(await problem(answer));
    }
  }

  // Sends what could not be sent.
  again() {
    if (this.waiting) this.save(this.waiting.verdict);
    else if (this.timer === null && localStorage.getItem(this.place)) {
      this.timer = 0;
      this.send();
    }
  }

  put(path, body, keepalive = false) {
    const text = JSON.stringify(body);
    return fetch(path, {
      method: "PUT",
      headers: { "content-type": "application/json", ...token() },
      body: text,
      signal: AbortSignal.timeout(PATIENCE),
      // Browsers let no more than 64 KiB outlive a page.
      keepalive: keepalive && text.length < 20_000,
    });
  }

  // The address of the next text; the page itself says when there is none.
  async next() {
    try {
      const answer = await fetch(this.task.next);
      if (answer.status === 200) {
        const task = await answer.json();
        if (task?.number) return `${this.task.page}/${task.number}?layer=${encodeURIComponent(task.layer ?? this.task.layer)}`;
      }
    } catch {
      // The page says it better.
    }
    return this.task.page;
  }
}

const token = () => ({ "x-csrf-token": document.querySelector("meta[name=csrf-token]").content });

// What went wrong, in the server's words where it has some.
async function problem(answer) {
  if (answer.status === 401) return "You are signed out. Sign in in another window and save again; nothing is lost.";
  try {
    return (await answer.json()).error ?? `the server answered ${answer.status}`;
  } catch {
    return `the server answered ${answer.status}`;
  }
}
