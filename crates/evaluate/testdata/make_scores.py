"""Makes seqeval.json: IOB2 tag sequences and the scores that seqeval and conlleval give them.

    python crates/evaluate/testdata/make_scores.py

A case has `gold` and `predicted` (one list of tags a sentence) and

* `default`: seqeval's default mode, which reads entities as conlleval does;
* `strict`: seqeval with `mode="strict", scheme=IOB2`, where an entity begins with `B-` or is none;
* `accuracy`: share of equal tags;
* `conlleval`: the counts of entities by the conlleval package of the Python package index.

Both seqeval parts hold `per_type`, `micro`, `macro` and `weighted`, each with `precision`, `recall`, `f1`, `support`;
whatever divides by zero is 0, except the
macro mean over no type at all, which seqeval leaves undefined and which is null here.
"""

import json
import math
import platform
import random
import warnings
from importlib.metadata import version
from pathlib import Path

import conlleval
from seqeval.metrics import accuracy_score, classification_report
from seqeval.scheme import IOB2

HERE = Path(__file__).parent


def tags(text: str) -> list[list[str]]:
    """`B-PER I-PER | O` -> two sentences."""
    return [sentence.split() for sentence in text.split("|")]


HAND_MADE = [
    ("all right", "B-PER I-PER O B-LOC | O B-PER", "B-PER I-PER O B-LOC | O B-PER"),
    ("all wrong", "B-PER I-PER O | O O", "O O O | B-PER I-PER"),
    ("nothing predicted", "B-PER O B-LOC", "O O O"),
    ("nothing in gold", "O O O", "B-PER O B-LOC"),
    ("nothing anywhere", "O O O | O", "O O O | O"),
    ("one word of each", "B-PER", "B-PER"),
    ("boundary too short", "B-PER I-PER I-PER O", "B-PER I-PER O O"),
    ("boundary too long", "B-PER I-PER O O", "B-PER I-PER I-PER O"),
    ("starts late", "B-PER I-PER I-PER O", "O B-PER I-PER O"),
    ("right boundary, wrong type", "B-PER I-PER O", "B-LOC I-LOC O"),
    ("orphan inside at the start, predicted", "B-PER I-PER O", "I-PER I-PER O"),
    ("orphan inside after outside, predicted", "O B-PER I-PER", "O I-PER I-PER"),
    ("orphan inside at the start, gold", "I-PER I-PER O", "B-PER I-PER O"),
    ("orphan inside on both sides", "O I-PER I-PER O", "O I-PER I-PER O"),
    ("orphan inside beside a whole entity", "O B-PER O I-LOC", "O B-PER O I-LOC"),
    ("type changes inside, predicted", "B-PER I-PER I-PER", "B-PER I-PER I-LOC"),
    ("type changes inside, gold", "B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),
    ("type changes inside on both sides", "B-PER I-LOC O", "B-PER I-LOC O"),
    ("type changes twice", "B-PER I-LOC I-PER", "B-PER I-LOC I-PER"),
    ("type changes at the first inside word", "B-PER I-LOC I-LOC", "B-PER I-PER I-LOC"),
    ("adjacent entities kept apart", "B-PER B-PER I-PER", "B-PER B-PER I-PER"),
    ("adjacent entities merged", "B-PER B-PER I-PER", "B-PER I-PER I-PER"),
    ("one entity split", "B-PER I-PER I-PER", "B-PER B-PER I-PER"),
    ("adjacent entities of two types", "B-PER B-LOC I-LOC B-PER", "B-PER B-LOC I-LOC B-PER"),
    ("entity at the sentence's end, another at the next start", "O B-PER | B-PER O", "O B-PER | B-PER O"),
    ("inside at the start of the next sentence", "O B-PER | O O", "O B-PER | I-PER O"),
    ("inside across sentences on both sides", "O B-PER | I-PER O", "O B-PER | I-PER O"),
    ("labels with hyphens", "B-creative-work I-creative-work O B-creative", "B-creative-work I-creative-work O B-creative"),
    ("labels that share a beginning", "B-creative-work I-creative-work", "B-creative-work I-creative"),
    ("labels that share an end", "B-art-work I-art-work O", "B-work I-work O"),
    ("label of one letter that is a prefix", "B-B I-B O B-I I-I", "B-B I-B O B-I O"),
    ("label O", "B-O I-O O", "B-O O O"),
    ("type only in gold", "B-PER O B-LOC I-LOC", "B-PER O O O"),
    ("type only predicted", "B-PER O O O", "B-PER O B-LOC I-LOC"),
    ("rare type drags macro, not micro", "B-A B-A B-A B-A B-A B-B", "B-A B-A B-A B-A B-A O"),
    ("supports differ, weighted between", "B-A O B-A O B-A O B-B I-B", "B-A O B-A O O O B-B O"),
    ("labels in other scripts", "B-名前 I-名前 O B-Ærø", "B-名前 I-名前 O B-Ærø"),
    ("case of a label counts", "B-per O", "B-PER O"),
    ("same words wrong twice", "B-A I-A I-A I-A", "B-B I-B B-A I-A"),
    ("partly right inside a long run", "B-A I-A B-B I-B I-B B-A O B-C", "B-A I-A B-B I-B B-B B-A O B-C"),
]


def drawn(rng: random.Random, labels: list[str], orphans: bool) -> list[list[str]]:
    sentences = []
    for _ in range(rng.randint(1, 5)):
        sentence: list[str] = []
        for _ in range(rng.randint(1, 10)):
            label = rng.choice(labels)
            kind = rng.choice("OOBI")
            before = sentence[-1] if sentence else "O"
            if kind == "I" and not orphans:
                sentence.append("O" if before == "O" else "I-" + before[2:])
            else:
                sentence.append("O" if kind == "O" else f"{kind}-{label}")
        sentences.append(sentence)
    return sentences


def disturbed(rng: random.Random, gold: list[list[str]], labels: list[str], share: float) -> list[list[str]]:
    """`gold` with about `share` of its tags drawn anew, so that some entities stay right."""
    choices = ["O"] + [f"{p}-{label}" for label in labels for p in "BI"]
    return [[rng.choice(choices) if rng.random() < share else tag for tag in sentence] for sentence in gold]


def random_cases() -> list[tuple]:
    rng = random.Random(3)
    cases = []
    for number in range(40):
        labels = rng.sample(["PER", "LOC", "creative-work", "ORG", "B-x"], rng.randint(1, 4))
        orphans = number % 2 == 1
        gold = drawn(rng, labels, orphans)
        cases.append((f"random {number}", gold, disturbed(rng, gold, labels, rng.choice([0.1, 0.3, 0.6]))))
    return cases


def defined(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def scores(row: dict) -> dict:
    return {
        "precision": defined(row["precision"]),
        "recall": defined(row["recall"]),
        "f1": defined(row["f1-score"]),
        "support": int(row["support"]),
    }


def seqeval_part(gold: list, predicted: list, **mode) -> dict:
    report = classification_report(gold, predicted, output_dict=True, zero_division=0, **mode)
    averages = {name: scores(report.pop(f"{name} avg")) for name in ("micro", "macro", "weighted")}
    return {"per_type": {name: scores(row) for name, row in sorted(report.items())}, **averages}


def conlleval_part(gold: list, predicted: list) -> dict:
    lines = []
    for gold_tags, predicted_tags in zip(gold, predicted):
        lines += [f"w {g} {p}" for g, p in zip(gold_tags, predicted_tags)] + [""]
    result = conlleval.evaluate(lines)

    def counts(part: dict) -> dict:
        return {key: part["stats"][key] for key in ("gold", "pred", "correct")} | {"f1": float(part["evals"]["f1"])}

    slots = result["slots"]["chunks"]
    return {"overall": counts(result["overall"]["chunks"]), "per_type": {k: counts(slots[k]) for k in sorted(slots)}}


def main() -> None:
    warnings.simplefilter("ignore")
    cases = [(name, tags(gold), tags(predicted)) for name, gold, predicted in HAND_MADE] + random_cases()
    rows = []
    for name, gold, predicted in cases:
        assert [len(s) for s in gold] == [len(s) for s in predicted], name
        row = {
            "name": name,
            "gold": gold,
            "predicted": predicted,
            "accuracy": float(accuracy_score(gold, predicted)),
            "default": seqeval_part(gold, predicted),
            "strict": seqeval_part(gold, predicted, mode="strict", scheme=IOB2),
            "conlleval": conlleval_part(gold, predicted),
        }
        rows.append(json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    (HERE / "seqeval.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    (HERE / "VERSIONS.md").write_text(
        "# Versions that made these files\n\n"
        f"* Python {platform.python_version()}\n* seqeval {version('seqeval')}\n* conlleval {version('conlleval')} "
        "(a port of the shared tasks' conlleval.pl)\n\nMade by `make_scores.py`.\n"
    )
    print(f"{len(rows)} cases")


if __name__ == "__main__":
    main()
