"""The annotated sets of a folder, as the scripts beside this file need them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))

import conll  # noqa: E402


@dataclass
class Document:
    """A text with entities as (start, end, label), in code points; its words where the set has words."""

    text: str
    entities: list[tuple[int, int, str]]
    words: list[str] | None = None
    tags: list[str] | None = None


def files(data: Path) -> list[Path]:
    """The CoNLL files of every set, and the spaCy lists of `tech`."""
    found = sorted(data.glob("*/*.conll")) + sorted(data.glob("tech/*.json"))
    return [path for path in found if path.parent.name != "originals" and not path.name.endswith(".sources.json")]


def read(path: Path) -> list[Document]:
    if path.suffix == ".json":
        pairs = json.loads(path.read_text(encoding="utf-8"))
        return [Document(text, sorted(map(tuple, notes["entities"]))) for text, notes in pairs]
    return [document(sentence.words, sentence.tags) for sentence in conll.read(path)]


def document(words: list[str], tags: list[str]) -> Document:
    """Words joined by one space; IOB2 tags, as the sets have them."""
    entities, place = [], 0
    for word, tag in zip(words, tags, strict=True):
        if tag.startswith("B-"):
            entities.append((place, place + len(word), tag[2:]))
        elif tag.startswith("I-"):
            entities[-1] = (entities[-1][0], place + len(word), tag[2:])
        place += len(word) + 1
    return Document(" ".join(words), entities, words, tags)


def convert(nomen: list[str], source: Path, target: Path, *options: str) -> None:
    """`nomen convert`; ends the script where that fails."""
    command = [*nomen, "convert", str(source), str(target), *options]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {' '.join(command)}\n{done.stderr[-2000:]}")
