"""Reading CoNLL files and turning their words into word pieces, shared by the peer scripts."""

from dataclasses import dataclass
from pathlib import Path

IGNORED = -100


@dataclass
class Sentence:
    """Words with one IOB2 tag each."""

    words: list[str]
    tags: list[str]

    @property
    def text(self) -> str:
        """The words joined by one space, the text that `pipeline` and `nomen tag` are given."""
        return " ".join(self.words)


def read(path: str | Path) -> list[Sentence]:
    """Sentences of a file with one `token<TAB>tag` a line and a blank line after each sentence."""
    sentences, words, tags = [], [], []
    # Only "\n" ends a line: str.splitlines would also break at characters that tokens may hold.
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), start=1):
        line = line.rstrip("\r")
        if not line.strip():
            if words:
                sentences.append(Sentence(words, tags))
                words, tags = [], []
            continue
        columns = line.split("\t")
        if len(columns) < 2:
            raise ValueError(f"{path}:{number}: expected token<TAB>tag, found {line!r}")
        words.append(columns[0])
        tags.append(columns[-1])
    if words:
        sentences.append(Sentence(words, tags))
    return sentences


def tag_names(sentences: list[Sentence]) -> list[str]:
    """`O`, then `B-` and `I-` of every label that occurs, in alphabetical order."""
    labels = sorted({tag.split("-", 1)[1] for s in sentences for tag in s.tags if tag != "O"})
    return ["O"] + [f"{prefix}-{label}" for label in labels for prefix in "BI"]


@dataclass
class Encoded:
    """One sentence as word pieces; `first[w]` is the piece that starts word `w`, or None."""

    input_ids: list[int]
    labels: list[int]
    first: list[int | None]

    @property
    def cut_words(self) -> int:
        """Words without any piece: past `max_length`, or of characters the tokenizer drops."""
        return sum(piece is None for piece in self.first)


def encode(tokenizer, sentences: list[Sentence], tag_ids: dict[str, int], max_length: int) -> list[Encoded]:
    """Pieces with the tag on each word's first piece and `IGNORED` on all others."""
    encoded = []
    for sentence in sentences:
        pieces = tokenizer(
            sentence.words, is_split_into_words=True, truncation=True, max_length=max_length
        )
        labels = [IGNORED] * len(pieces["input_ids"])
        first: list[int | None] = [None] * len(sentence.words)
        for piece, word in enumerate(pieces.word_ids()):
            if word is not None and first[word] is None:
                first[word] = piece
                labels[piece] = tag_ids.get(sentence.tags[word], IGNORED)
        encoded.append(Encoded(pieces["input_ids"], labels, first))
    return encoded
