-- Texts in lower case, to be searched as they stand: folding each of them anew takes most of a search. A table of their own, so that
-- a search reads nothing else.
DROP INDEX IF EXISTS document_text;
CREATE TABLE document_text (
    project BIGINT NOT NULL,
    number BIGINT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (project, number),
    FOREIGN KEY (project, number) REFERENCES document (project, number)
);
INSERT INTO document_text SELECT project, number, lower(text) FROM document;
-- Any three characters in a row. Without the extension, which comes with most installations, searching reads every text.
DO $$
BEGIN
    CREATE INDEX document_text_folded ON document_text USING gin (folded gin_trgm_ops);
EXCEPTION
    WHEN undefined_object OR feature_not_supported THEN
        NULL;
END
$$;
