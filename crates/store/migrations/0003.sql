-- A place where somebody found the annotation right, whatever a rule says; it holds while the document has no more revisions than these.
CREATE TABLE dismissal (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    rule TEXT NOT NULL,
    start BIGINT NOT NULL,
    stop BIGINT NOT NULL,
    revisions BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (project, number, rule, start, stop),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);
