-- Letters that differ between a quote and the text, and what its source said when it was asked again (0 no, 1 yes).
ALTER TABLE suggestion ADD COLUMN edits BIGINT NOT NULL DEFAULT 0;
ALTER TABLE suggestion ADD COLUMN verified BIGINT;
