-- Offsets in JSON columns are Unicode code points, beside the text that they cover. Times are milliseconds since 1970.

CREATE TABLE project (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    schema TEXT NOT NULL,
    guidelines TEXT NOT NULL,
    version BIGINT NOT NULL,
    documents BIGINT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE person (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT,
    disabled BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- Every schema and guideline that a project had.
CREATE TABLE definition (
    project BIGINT NOT NULL REFERENCES project (id),
    version BIGINT NOT NULL,
    schema TEXT NOT NULL,
    guidelines TEXT NOT NULL,
    person BIGINT REFERENCES person (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (project, version)
);

CREATE TABLE member (
    project BIGINT NOT NULL REFERENCES project (id),
    person BIGINT NOT NULL REFERENCES person (id),
    role TEXT NOT NULL,
    PRIMARY KEY (project, person)
);

-- Sessions of the browser and tokens of programs; the secret itself is nowhere.
CREATE TABLE access (
    hash TEXT PRIMARY KEY,
    person BIGINT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    created BIGINT NOT NULL,
    until BIGINT
);
CREATE INDEX access_person ON access (person, kind);

CREATE TABLE document (
    project BIGINT NOT NULL REFERENCES project (id),
    number BIGINT NOT NULL,
    key TEXT NOT NULL,
    id TEXT,
    text TEXT NOT NULL,
    meta TEXT NOT NULL,
    tokens TEXT,
    given TEXT NOT NULL,
    partial BIGINT NOT NULL,
    looked_for TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (project, number),
    UNIQUE (project, key)
);
CREATE INDEX document_id ON document (project, id);

-- The history: rows are added, never changed.
CREATE TABLE revision (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    layer BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    parent BIGINT NOT NULL,
    person BIGINT REFERENCES person (id),
    at BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    entities TEXT NOT NULL,
    note TEXT NOT NULL,
    origin TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (project, number, layer, revision),
    UNIQUE (project, number, layer, key),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);

-- What came too late to be a revision.
CREATE TABLE conflict (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    layer BIGINT NOT NULL,
    key TEXT NOT NULL,
    parent BIGINT NOT NULL,
    head BIGINT NOT NULL,
    person BIGINT REFERENCES person (id),
    at BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    entities TEXT NOT NULL,
    note TEXT NOT NULL,
    origin TEXT NOT NULL,
    settled BIGINT NOT NULL,
    PRIMARY KEY (project, number, layer, key),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);
CREATE INDEX conflict_open ON conflict (project, settled, number);

-- One a document and layer: the head of its history, and its place in the queue.
CREATE TABLE task (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    layer BIGINT NOT NULL,
    head BIGINT NOT NULL,
    verdict TEXT,
    person BIGINT REFERENCES person (id),
    at BIGINT,
    counts BIGINT NOT NULL,
    done BIGINT NOT NULL,
    priority DOUBLE PRECISION NOT NULL,
    reason TEXT NOT NULL,
    leased_by BIGINT REFERENCES person (id),
    leased_until BIGINT NOT NULL,
    PRIMARY KEY (project, number, layer),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);
CREATE INDEX task_queue ON task (project, done, layer, priority DESC, number);
CREATE INDEX task_lease ON task (leased_by, project);
CREATE INDEX task_person ON task (project, person, number);
CREATE INDEX task_verdict ON task (project, counts, verdict, number);

-- The entities of every head, for searching.
CREATE TABLE mention (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    layer BIGINT NOT NULL,
    start BIGINT NOT NULL,
    counts BIGINT NOT NULL,
    label TEXT NOT NULL,
    surface TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (project, number, layer, start)
);
CREATE INDEX mention_label ON mention (project, label, counts, number);
CREATE INDEX mention_folded ON mention (project, folded, counts, number);

CREATE TABLE draft (
    person BIGINT NOT NULL REFERENCES person (id),
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    layer BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project, number, layer, person),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);

CREATE TABLE suggestion (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    position BIGINT NOT NULL,
    start BIGINT,
    stop BIGINT,
    quote TEXT NOT NULL,
    label TEXT NOT NULL,
    score DOUBLE PRECISION,
    grounding TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    prompt TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (project, number, position),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);

CREATE TABLE run (
    id BIGINT PRIMARY KEY,
    project BIGINT REFERENCES project (id),
    kind TEXT NOT NULL,
    command TEXT NOT NULL,
    folder TEXT NOT NULL,
    state TEXT NOT NULL,
    told TEXT NOT NULL,
    begun BIGINT NOT NULL,
    ended BIGINT
);
CREATE INDEX run_project ON run (project, id);

CREATE TABLE finding (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    position BIGINT NOT NULL,
    rule TEXT NOT NULL,
    message TEXT NOT NULL,
    start BIGINT,
    stop BIGINT,
    quote TEXT,
    PRIMARY KEY (project, number, position),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);
CREATE INDEX finding_rule ON finding (project, rule, number);
