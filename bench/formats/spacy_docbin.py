"""DocBin files between spaCy and Nomen: texts, tokens and entities must stay what they are.

    python bench/formats/spacy_docbin.py --data FOLDER

For every file of the sets in FOLDER, spaCy writes its texts as a DocBin, Nomen reads that and writes another, and spaCy
reads the other and compares. The words of CoNLL files are written twice, without spaces that spaCy knows (as `spacy
convert` does) and as texts that spaCy tokenizes. Nomen also turns the file itself into a DocBin, which spaCy compares
with the file, and loads for training (`spacy.training.Corpus`, as `spacy train` does); entities that spaCy's own tokens
cannot express there are counted. The exit code is 1 where anything differs.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus, biluo_to_iob, iob_to_biluo

import sets


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--nomen", type=shlex.split, default=["target/release/nomen"], help="the program, as a command")
    return parser.parse_args()


def of_words(nlp: spacy.Language, document: sets.Document) -> Doc:
    """Words with tags, spaces unknown."""
    tags = biluo_to_iob(iob_to_biluo(document.tags))
    return Doc(nlp.vocab, words=document.words, ents=tags)


def of_text(nlp: spacy.Language, document: sets.Document) -> Doc:
    """A text that spaCy tokenizes; entities that its tokens cannot express are left out."""
    doc = nlp.make_doc(document.text)
    spans = [doc.char_span(*entity) for entity in document.entities]
    doc.ents = [span for span in spans if span is not None]
    return doc


def facts(doc: Doc) -> tuple:
    """Text, tokens and entities, as far as another program can know them."""
    text = doc.text[:-1] if doc.has_unknown_spaces and len(doc) else doc.text
    tokens = [(token.idx, token.text) for token in doc if not token.is_space]
    entities = [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
    return text, tokens, entities


def read(path: Path, nlp: spacy.Language) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(nlp.vocab))


def there_and_back(nomen: list[str], docs: list[Doc], folder: Path) -> int:
    """How many documents are no longer what they were."""
    first, second = folder / "first.spacy", folder / "second.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(first)
    sets.convert(nomen, first, second)
    again = read(second, spacy.blank("en"))
    differ = sum(facts(one) != facts(other) for one, other in zip(docs, again, strict=True))
    return differ


def main() -> int:
    args = arguments()
    print("| file | documents | entities | words there and back | texts there and back | converted | not trainable |")
    print("|---|---|---|---|---|---|---|")
    wrong = 0
    for path in sets.files(args.data):
        documents = sets.read(path)
        nlp = spacy.blank("en")
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            words, texts = "", there_and_back(args.nomen, [of_text(nlp, each) for each in documents], folder)
            wrong += texts
            if documents[0].words is not None:
                words = there_and_back(args.nomen, [of_words(nlp, each) for each in documents], folder)
                wrong += words
            converted = folder / "converted.spacy"
            sets.convert(args.nomen, path, converted)
            docs = read(converted, nlp)
            differ = sum(
                (facts(doc)[0], facts(doc)[2]) != (each.text, each.entities)
                for doc, each in zip(docs, documents, strict=True)
            )
            wrong += differ
            # What `spacy train` sees: tokens of its own, gold labels moved to them; None where they do not fit.
            examples = list(Corpus(converted)(nlp))
            lost = sum(len(each.reference.ents) - len(each.get_aligned_spans_y2x(each.reference.ents)) for each in examples)
        name = f"{path.parent.name}/{path.name}"
        count = sum(len(each.entities) for each in documents)
        print(f"| {name} | {len(documents)} | {count} | {words} | {texts} | {differ} | {lost} |", flush=True)
    print(f"\n{wrong} documents differ (spaCy {spacy.__version__})")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
