"""Makes documents.spacy, documents.json, rows.parquet, rows_gzip.parquet, rows_zstd.parquet and rows.jsonl with spaCy, datasets and pyarrow.

    python crates/corpus/testdata/binary/make.py

documents.json is spaCy's own view of documents.spacy: for each document the text (without the space that spaCy puts
behind the last token where it does not know the spaces), the places of its tokens that are not white space, and the
entities, in code points; whether a token says nothing of entities; the categories. The other files hold the same three
rows: as datasets writes them (numbers in a list of names), as pyarrow does (names, zstd, data pages of version 2), and
as datasets writes JSON lines (numbers without names).
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import spacy
from datasets import ClassLabel, Dataset, Features, List, Value
from spacy.tokens import Doc, DocBin, Span

HERE = Path(__file__).parent


def documents() -> list[Doc]:
    nlp = spacy.blank("en")
    Doc.set_extension("source", default=None)

    spaced = nlp("  Ada Lovelace  wrote\n\n notes, in 🇩🇰 Copenhagen (e\u0301) \t")
    spaced.ents = [
        Span(spaced, 1, 3, label="PERSON", kb_id="Q7259", span_id="ada"),
        spaced.char_span(spaced.text.index("Copenhagen"), spaced.text.index("Copenhagen") + 10, label="creative-work"),
    ]
    spaced.cats = {"letter": 0.25, "note": 1.0}
    spaced.user_data["id"] = "one"
    spaced.user_data["pages"] = {"first": 3, "of": [1, None, "é"]}
    spaced.user_data[("x", 1)] = "a name that is no text"
    spaced._.source = "archive"

    unknown = Doc(nlp.vocab, words=["EU", "rejects", "German", "call", "."])
    unknown.ents = [Span(unknown, 0, 1, label="ORG"), Span(unknown, 2, 3, label="MISC")]

    partial = nlp("Anna met Bo and Cy")
    partial.set_ents([Span(partial, 0, 1, label="PER")], missing=[partial[2:3]], blocked=[partial[4:5]])

    symbols = nlp("PERSON conj X root _ FLAG20 DEPRECATED001 num")
    symbols.ents = [Span(symbols, 0, 1, label="DATE"), Span(symbols, 1, 3, label="DATE"), Span(symbols, 7, 8, label="X")]
    symbols.spans["others"] = [Span(symbols, 0, 3, label="WIDE")]
    return [spaced, unknown, nlp(""), nlp("Nobody looked at this"), partial, symbols]


def seen(doc: Doc) -> dict:
    words = [token for token in doc if not token.is_space]
    return {
        "text": doc.text[:-1] if doc.has_unknown_spaces and len(doc) else doc.text,
        "tokens": [[token.idx, token.idx + len(token)] for token in words],
        "entities": [[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents],
        "missing": any(token.ent_iob == 0 for token in words),
        "cats": doc.cats,
    }


def rows() -> dict:
    return {
        "id": ["0", "1", "2"],
        "tokens": [["EU", "rejects", "German", "call"], [], ["Zoë", "👩‍🔬", "met", "Zoë"]],
        "ner_tags": [[3, 0, 5, 0], [], [1, 2, 0, 1]],
        "pages": [[1, 2], [], None],
        "weight": [0.5, None, 2.0],
    }


def main() -> None:
    docs = documents()
    DocBin(docs=docs, store_user_data=True).to_disk(HERE / "documents.spacy")
    read = list(DocBin().from_disk(HERE / "documents.spacy").get_docs(spacy.blank("en").vocab))
    lines = ",\n".join(json.dumps(seen(doc), ensure_ascii=False) for doc in read)
    (HERE / "documents.json").write_text(f"[\n{lines}\n]\n")

    names = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-creative-work"]
    features = Features(
        {
            "id": Value("string"),
            "tokens": List(Value("string")),
            "ner_tags": List(ClassLabel(names=names)),
            "pages": List(Value("int32")),
            "weight": Value("float64"),
        }
    )
    dataset = Dataset.from_dict(rows(), features=features)
    dataset.to_parquet(HERE / "rows.parquet")
    dataset.to_json(HERE / "rows.jsonl")
    named = rows()
    named["ner_tags"] = [[names[number] for number in numbers] for numbers in named["ner_tags"]]
    pq.write_table(pa.table(named), HERE / "rows_gzip.parquet", compression="gzip")
    pq.write_table(pa.table(named), HERE / "rows_zstd.parquet", compression="zstd", data_page_version="2.0")

    versions = [f"Python {platform.python_version()}"]
    versions += [f"{package} {version(package)}" for package in ("spacy", "datasets", "pyarrow")]
    lines = "".join(f"* {each}\n" for each in versions)
    (HERE / "VERSIONS.md").write_text(f"# Versions that made these files\n\n{lines}\nMade by `make.py`.\n")


if __name__ == "__main__":
    main()
