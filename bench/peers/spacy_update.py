"""Updates spaCy's CNN as its users do: new examples alone, and with `rehearse` beside them.

    python bench/peers/spacy_update.py --files CACHE/data --scenario A --seed 1

The files are those that `bench/update.py` makes of a scenario. `spacy.blank("en")` with `ner` learns the old texts from
scratch; then the labels of the new texts are added and `nlp.update` learns these alone (`update`), or in turn with
`nlp.rehearse` on the old texts, which spaCy takes without their entities (`rehearse`). spaCy's default optimizer, batches
and dropout, one core. F1 is strict, spans in characters. Prints one JSON object: old and new F1 of each.
"""

import argparse
import json
import os
import random
from pathlib import Path

# One core, whatever library multiplies; read when they start, so set before spaCy is imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[name] = "1"

import spacy  # noqa: E402
from spacy.training import Example  # noqa: E402
from spacy.util import minibatch  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, required=True, help="folder with SCENARIO-train.jsonl and the others")
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--epochs", type=int, default=10, help="of each training")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def spans(row: dict) -> list[tuple[int, int, str]]:
    return [(entity["start"], entity["end"], entity["label"]) for entity in row["entities"]]


def examples(nlp: spacy.Language, of: list[dict]) -> list[Example]:
    return [Example.from_dict(nlp.make_doc(row["text"]), {"entities": spans(row)}) for row in of]


def batches(nlp: spacy.Language, of: list[Example]):
    settings = {"training": {"batcher": nlp.config["training"]["batcher"]}}
    random.shuffle(of)
    return spacy.util.registry.resolve(settings)["training"]["batcher"](of)


def learn(nlp: spacy.Language, new: list[Example], old: list[Example], optimizer, epochs: int) -> None:
    """Epochs over the new examples; where there are old ones, one batch of them is rehearsed behind each update."""
    dropout = nlp.config["training"]["dropout"]
    for _ in range(epochs):
        random.shuffle(old)
        rehearsed = minibatch(old, size=32)
        for batch in batches(nlp, new):
            nlp.update(batch, sgd=optimizer, drop=dropout)
            if old:
                again = next(rehearsed, None)
                if again is None:
                    random.shuffle(old)
                    rehearsed = minibatch(old, size=32)
                    again = next(rehearsed)
                nlp.rehearse(again, sgd=optimizer)


def f1(nlp: spacy.Language, of: list[dict]) -> float:
    """Strict F1 of the labels that the rows were searched for."""
    right = found = gold = 0
    for row, doc in zip(of, nlp.pipe(row["text"] for row in of)):
        labels = set(row["labels"])
        predicted = {(e.start_char, e.end_char, e.label_) for e in doc.ents if e.label_ in labels}
        wanted = set(spans(row))
        right, found, gold = right + len(predicted & wanted), found + len(predicted), gold + len(wanted)
    return 2 * right / max(found + gold, 1)


def main() -> None:
    args = arguments()
    parts = ("train", "test", "new-train", "new-test")
    old, old_test, new, new_test = (rows(args.files / f"{args.scenario}-{part}.jsonl") for part in parts)
    spacy.util.fix_random_seed(args.seed)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    first = examples(nlp, old)
    learn(nlp, first, [], nlp.initialize(lambda: first), args.epochs)
    scores = lambda of: {"old": f1(of, old_test), "new": f1(of, new_test)}
    result = {"version": spacy.__version__, "epochs": args.epochs, "before": scores(nlp)}
    known = nlp.to_bytes()
    for way in ("update", "rehearse"):
        again = spacy.blank("en")
        again.add_pipe("ner")
        again.from_bytes(known)
        optimizer = again.resume_training()
        for label in sorted({label for row in new for _, _, label in spans(row)}):
            again.get_pipe("ner").add_label(label)
        rehearsed = examples(again, [row | {"entities": []} for row in old]) if way == "rehearse" else []
        try:
            learn(again, examples(again, new), rehearsed, optimizer, args.epochs)
            result[way] = scores(again)
        except ValueError as error:
            # Said as it is: with added labels, rehearse of some versions compares outputs of two lengths.
            result[way] = {"error": str(error)[:200]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
