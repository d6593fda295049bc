"""What `nomen convert --to spacy-list` writes, aligned by spaCy: `Example.from_dict(nlp.make_doc(text), annotations)`.

    pip install -r bench/formats/requirements-spacy.txt
    python bench/formats/spacy_list.py --nomen target/release/nomen

spaCy trains on tokens. A span whose ends are no ends of tokens gets no tag: spaCy warns (W030), and training leaves the
span out. So equal means: the entities that `Example` holds, and those that spaCy's own tokenizer cannot express, are
together what Nomen wrote, and spaCy warns of exactly those texts that have one of the latter. They are listed on standard
error and counted below the table: a limit of tokens, not of the file. That Nomen reads its own pairs back equal is part of it.
"""

import json
import tempfile
import warnings
from pathlib import Path

import spacy
from spacy.training import Example

from exchange import Table, arguments, convert, read, say, seen, sets


def aligned(nlp, name: str, text: str, annotations: dict) -> tuple[list[tuple], list[tuple]]:
    """The entities as spaCy holds them, and those that its tokens cannot express."""
    doc = nlp.make_doc(text)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        example = Example.from_dict(doc, annotations)
    held = [(entity.start_char, entity.end_char, entity.label_) for entity in example.reference.ents]
    lost = [tuple(e) for e in annotations["entities"] if doc.char_span(e[0], e[1]) is None]
    warned = any("W030" in str(warning.message) for warning in told)
    if warned != bool(lost):
        raise SystemExit(f"{name}: spaCy warns: {warned}, spans without tokens: {lost} in {text!r}")
    for start, end, label in lost:
        say(f"{name}: no tokens for {label} at {start}..{end} {text[start:end]!r} in {text!r}")
    return held, lost


def main() -> None:
    args = arguments(__doc__).parse_args()
    nlp = spacy.blank("xx")
    with tempfile.TemporaryDirectory() as folder:
        folder = args.keep or Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        table, without_tokens = Table(), {}
        for name, path in sets(args, folder, partial=False).items():
            written = convert(args, path, folder / f"{name}.json", "--to", "spacy-list")
            again = read(convert(args, written, folder / f"{name}.again.jsonl", "--from", "spacy-list"))
            after = []
            for text, annotations in json.loads(written.read_text(encoding="utf-8")):
                held, lost = aligned(nlp, name, text, annotations)
                without_tokens[name] = without_tokens.get(name, 0) + len(lost)
                entities = [{"start": start, "end": end, "label": label} for start, end, label in held + lost]
                after.append({"text": text, "entities": entities})
            before = read(path)
            if list(map(seen, again)) != list(map(seen, before)):
                raise SystemExit(f"{name}: Nomen does not read back what it wrote")
            table.row(name, before, after)
    print("\nWithout tokens of spaCy: " + ", ".join(f"{name} {lost}" for name, lost in without_tokens.items()) + ".")
    table.exit()


if __name__ == "__main__":
    main()
