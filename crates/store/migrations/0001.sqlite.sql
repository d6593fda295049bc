-- Any three characters in a row, case aside. Rows go by project * 2^32 + number; texts never change, so they are not kept twice.
CREATE VIRTUAL TABLE document_text USING fts5(text, content = '', tokenize = 'trigram');
