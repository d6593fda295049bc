"""Makes schemes.json: random tag sequences, broken ones among them, and what seqeval counts in them.

    python crates/evaluate/tests/golden/make_schemes.py

Made with seqeval 1.2.2. A case has the name of a `scheme`, `gold` and `predicted` (tags of a sentence separated by
spaces), `strict` (mode="strict" with the scheme) and `default` (no mode, which reads only B, I, E and S): label ->
[correct, gold, predicted], taken from the entities that seqeval itself extracts.
"""

import json
import random
import warnings
from pathlib import Path

from seqeval import scheme as schemes
from seqeval.metrics.sequence_labeling import get_entities

PREFIXES = {"IOB1": "BI", "IOB2": "BI", "IOE1": "IE", "IOE2": "IE", "IOBES": "BIES", "BILOU": "BILU"}


def drawn(rng: random.Random, prefixes: str) -> list[list[str]]:
    def tag() -> str:
        return "O" if rng.random() < 0.25 else f"{rng.choice(prefixes)}-{rng.choice(['A', 'A', 'b-c'])}"

    return [[tag() for _ in range(rng.randint(1, 14))] for _ in range(3)]


def disturbed(rng: random.Random, gold: list[list[str]], prefixes: str) -> list[list[str]]:
    pool = [tag for sentence in drawn(rng, prefixes) for tag in sentence]
    return [[rng.choice(pool) if rng.random() < 0.2 else tag for tag in sentence] for sentence in gold]


def counts(gold: set, predicted: set) -> dict[str, list[int]]:
    def of(entities: set, label: str) -> int:
        return sum(entity[1] == label for entity in entities)

    labels = sorted({entity[1] for entity in gold | predicted})
    return {label: [of(gold & predicted, label), of(gold, label), of(predicted, label)] for label in labels}


def strict(sequences: list[list[str]], name: str) -> set:
    found = schemes.Entities(sequences, getattr(schemes, name)).entities
    return {entity.to_tuple() for sentence in found for entity in sentence}


def default(sequences: list[list[str]]) -> set:
    found = enumerate(get_entities(sequence) for sequence in sequences)
    return {(number, *entity) for number, entities in found for entity in entities}


def main() -> None:
    warnings.simplefilter("ignore")
    rng = random.Random(11)
    rows = []
    for name, prefixes in PREFIXES.items():
        for _ in range(30):
            gold = drawn(rng, prefixes)
            predicted = disturbed(rng, gold, prefixes)
            row = {
                "scheme": name,
                "gold": [" ".join(sentence) for sentence in gold],
                "predicted": [" ".join(sentence) for sentence in predicted],
                "strict": counts(strict(gold, name), strict(predicted, name)),
                "default": counts(default(gold), default(predicted)),
            }
            rows.append(json.dumps(row, separators=(",", ":")))
    (Path(__file__).parent / "schemes.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    main()
