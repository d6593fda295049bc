"""What the proofs by real tools share: texts with entities, the way through `nomen convert`, the comparison.

A proof gives a tool what Nomen wrote, takes what the tool exports, lets Nomen read it, and compares. Documents are the
objects of Nomen JSONL: `{"text", "entities": [{"start", "end", "label"}], "complete"}`, offsets in code points.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from common import output, say  # noqa: E402

SETS = ["wnut17", "uner_da_ddt", "crossner_ai"]

# Texts in which units of counting, line ends or scripts could go wrong; each with what it names, in reading order.
HARD = [
    ("Anna Berg lives in Oslo.", {"Anna Berg": "PER", "Oslo": "LOC"}),
    ("😀 Anna met 👩 Bo in Rome 🎉 today", {"Anna": "PER", "Bo": "PER", "Rome": "LOC"}),
    ("The emoji 🎉 itself, then Rome", {"🎉": "MISC", "Rome": "LOC"}),
    ("👩‍👩‍👧‍👦 and 👨🏽‍🚀 saw Anna, 🇳🇴 Oslo", {"👨🏽‍🚀": "PER", "Anna": "PER", "🇳🇴 Oslo": "LOC"}),
    ("Cafe\u0301 Zoe\u0308 in A\u030angstro\u0308m", {"Cafe\u0301 Zoe\u0308": "ORG", "A\u030angstro\u0308m": "LOC"}),
    ("First line\r\nAnna\r\nlives in\r\nOslo\r\n", {"Anna": "PER", "Oslo": "LOC"}),
    ("Name:\tAnna\tBerg\tCity:\tOslo", {"Anna\tBerg": "PER", "Oslo": "LOC"}),
    ("   Anna starts behind spaces, in  Oslo  ", {"Anna": "PER", "Oslo": "LOC"}),
    ("One line\n\nNew\nYork over two\n", {"New\nYork": "LOC"}),
    ("שלום אנה מתל אביב", {"אנה": "PER", "תל אביב": "LOC"}),
    ("التقت آنا بمحمد في القاهرة", {"آنا": "PER", "القاهرة": "LOC"}),
    ("山田太郎は東京で働いています。😀京都", {"山田太郎": "PER", "東京": "LOC", "京都": "LOC"}),
    ("𠮷野家 and 𝔄𝔫𝔫𝔞 are beyond the first plane", {"𠮷野家": "ORG", "𝔄𝔫𝔫𝔞": "PER"}),
    ("<b>Anna</b> & \"Bo\" said &amp; then \\n nothing", {"Anna": "PER", "Bo": "PER"}),
    ("no\u00a0break\u00a0Anna\u200b\u2003Oslo", {"Anna": "PER", "Oslo": "LOC"}),
    ("Nobody is named here.", {}),
]


def arguments(doc: str, **defaults: object) -> argparse.ArgumentParser:
    """The options that every proof has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--data", type=Path, default=HERE / "../../../shared/data", help="folder of the sets")
    parser.add_argument("--sets", nargs="*", default=SETS, help="folders of --data with test.conll, beside the hard texts")
    parser.add_argument("--keep", type=Path, help="folder that gets what was given to the tool and what came back")
    for name, (value, text) in defaults.items():
        parser.add_argument(f"--{name}", type=Path, default=value, help=text)
    return parser


def hard(partial: bool) -> list[dict]:
    """The hard texts, complete; with `partial` each once more as a partial one."""
    documents = []
    for complete in (True, False) if partial else (True,):
        for text, names in HARD:
            entities, at = [], 0
            for quote, label in names.items():
                at = text.index(quote, at)
                entities.append({"start": at, "end": at + len(quote), "label": label})
                at += len(quote)
            documents.append({"text": text, "entities": entities} | ({} if complete else {"complete": False}))
    return documents


def convert(args: argparse.Namespace, source: Path, target: Path, *options: object) -> Path:
    """`nomen convert`, the file that it wrote."""
    output([args.nomen, "convert", "--force", source, target, *options])
    return target


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def sets(args: argparse.Namespace, folder: Path, partial: bool) -> dict[str, Path]:
    """Nomen JSONL of each set by its name, written into `folder`."""
    path = folder / "hard.jsonl"
    lines = [json.dumps(document, ensure_ascii=False) + "\n" for document in hard(partial)]
    path.write_text("".join(lines), encoding="utf-8", newline="")
    found = {"hard": path}
    for name in args.sets:
        found[name] = convert(args, args.data / name / "test.conll", folder / f"{name}.jsonl")
    return found


def labels(documents: list[dict]) -> list[str]:
    return sorted({entity["label"] for document in documents for entity in document["entities"]})


def seen(document: dict) -> tuple:
    """What has to come back of a document: its text, its entities in order, whether it is complete."""
    entities = sorted((entity["start"], entity["end"], entity["label"]) for entity in document["entities"])
    return document["text"], tuple(entities), document.get("complete", True)


class Table:
    """The report: a row a set, differences on standard error."""

    def __init__(self) -> None:
        self.equal = True
        print("| set | texts | entities | equal |\n|---|---|---|---|")

    def row(self, name: str, before: list[dict], after: list[dict]) -> None:
        """Compares without regard to the order of the texts: a tool may list them in its own."""
        gone, new = (Counter(map(seen, documents)) for documents in (before, after))
        gone, new = gone - new, new - gone
        for side, documents in (("given", gone), ("came back", new)):
            for document in documents.elements():
                say(f"{name}: {side}: {json.dumps(document)}")
        equal = len(before) - gone.total()
        self.equal &= not gone and not new
        entities = sum(len(document["entities"]) for document in before)
        print(f"| {name} | {len(before):,} | {entities:,} | {equal:,} |", flush=True)

    def exit(self) -> None:
        sys.exit(0 if self.equal else 1)
