"""Plants label errors in real data and measures how `nomen check` ranks them, with a model and without.

Four kinds are planted in the train set of each folder: wrong label, missed mention, moved boundary (a word more or less)
and spurious mention. No text gets two of them. With --rate 0.02 each kind is 0.5 % of the entities, 2 % together; with
--each, each kind is planted at the whole rate. The base rate is the planted errors over the entities of the planted
data. What is found beside them counts as wrong, although some of it is an error of the data as published. Where less than 100
is told, precision is that of all.
Exit code 1: precision in the first 100 is below three times the base rate.

    python3 bench/label_errors.py --nomen target/release/nomen --model minilm
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from planted import EVERY_PLACE, HERE, free, read, write

KINDS = ["wrong label", "missed mention", "moved boundary", "spurious mention"]
FIRST = 100
RATIO = 3


class Plant:
    """The data with planted errors: places are (kind, document, start, end)."""

    def __init__(self, documents, seed):
        self.documents, self.random = documents, random.Random(seed)
        self.labels = sorted({entity[2] for document in documents for entity in document["entities"]})
        self.entities = sum(len(document["entities"]) for document in documents)
        self.places, self.used = [], set()

    def mark(self, kind, at, start, end):
        self.places.append((kind, at, start, end))

    def chosen(self, count, fits):
        """So many entities for which something holds, each in a text that has no error yet."""
        fitting = [
            (at, entity)
            for at, document in enumerate(self.documents)
            for entity in document["entities"]
            if at not in self.used and fits(document, entity)
        ]
        self.random.shuffle(fitting)
        for at, entity in fitting:
            if count and at not in self.used:
                count -= 1
                self.used.add(at)
                yield at, self.documents[at], entity

    def plant(self, count):
        anything = lambda document, entity: True
        for at, _, entity in self.chosen(count, anything):
            others = [label for label in self.labels if label != entity[2]] or ["Symptom"]
            entity[2] = self.random.choice(others)
            self.mark(KINDS[0], at, *entity[:2])
        for at, document, entity in self.chosen(count, anything):
            document["entities"].remove(entity)
            self.mark(KINDS[1], at, *entity[:2])
        for at, document, entity in self.chosen(count, moves):
            entity[:2] = self.random.choice(moves(document, entity))
            self.mark(KINDS[2], at, *entity[:2])
        order = list(range(len(self.documents)))
        self.random.shuffle(order)
        for at in order:
            words = [] if at in self.used else plain_words(self.documents[at])
            if count and words:
                count -= 1
                self.used.add(at)
                start, end = self.random.choice(words)
                entities = self.documents[at]["entities"]
                entities.append([start, end, self.random.choice(self.labels)])
                entities.sort()
                self.mark(KINDS[3], at, start, end)


def moves(document, entity):
    """Where the entity could end up with one word more or less."""
    text, (start, end) = document["text"], entity[:2]
    found = []
    if " " in text[start:end]:
        found += [(text.index(" ", start) + 1, end), (start, text.rindex(" ", start, end))]
    behind = text.find(" ", end + 1)
    behind = len(text) if behind < 0 else behind
    before = text.rfind(" ", 0, max(start - 1, 0)) + 1
    others = {"entities": [other for other in document["entities"] if other is not entity]}
    for side, moved in ((text[end:behind], (start, behind)), (text[before:start], (before, end))):
        if any(character.isalnum() for character in side) and free(others, *moved):
            found.append(moved)
    return found


def plain_words(document):
    """Words of letters outside of entities."""
    at, found = 0, []
    for word in document["text"].split(" "):
        if len(word) > 3 and word.isalpha() and free(document, at, at + len(word)):
            found.append((at, at + len(word)))
        at += len(word) + 1
    return found


def check(nomen, path, options):
    """What is told, in its order: lists of (document from 0, start, end), and the seconds that it took."""
    command = [nomen, "check", str(path), "--json", *options]
    begun = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
    told = []
    for finding in json.loads(done.stdout)["findings"]:
        places = [place for place in finding["places"] if "start" in place]
        spans = [(place["document"] - 1, place["start"], place["end"]) for place in places]
        if "suggestion" in finding:
            spans += [(spans[0][0], entity["start"], entity["end"]) for entity in finding["suggestion"]["entities"]]
        told += [(finding["severity"], [span]) for span in spans] if finding["code"] in EVERY_PLACE else [(finding["severity"], spans)]
    return [finding for finding in told if finding[1]], time.monotonic() - begun


def hits(finding, places):
    """The planted errors that a finding tells."""
    return {
        index
        for index, (_, document, start, end) in enumerate(places)
        if any(document == at and start < e and s < end for at, s, e in finding)
    }


def measure(told, plant):
    each = [hits(spans, plant.places) for _, spans in told]
    first = sum(bool(found) for found in each[:FIRST]) / max(min(len(each), FIRST), 1)
    found = set().union(*each) if each else set()
    early = set().union(*each[: len(plant.places)]) if each else set()

    def recall(kind):
        of_kind = {index for index, place in enumerate(plant.places) if place[0] == kind}
        return len(found & of_kind) / max(len(of_kind), 1)

    return first, [recall(kind) for kind in KINDS], len(early) / max(len(plant.places), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data", help="folder with a folder a set")
    parser.add_argument("--sets", nargs="+", default=["ncbi_disease", "wnut17"])
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--folds", default="5")
    parser.add_argument("--set", nargs="*", default=[], help="settings of training, KEY=VALUE")
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--each", action="store_true", help="the rate is that of each kind, not of all together")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    bad = False
    print(f"| data | planted of entities | check | told (warnings) | right in the first {FIRST} | base rate | ratio | "
          + " | ".join(f"recall, {kind}" for kind in KINDS) + " | recall in as many as planted | seconds |")
    print("|---|---|---|---:|---:|---:|---:|" + "---:|" * (len(KINDS) + 2))
    for name in args.sets:
        plant = Plant(read(args.data / name / "train.conll"), args.seed)
        share = args.rate if args.each else args.rate / len(KINDS)
        plant.plant(round(share * plant.entities))
        entities = sum(len(document["entities"]) for document in plant.documents)
        base = len(plant.places) / entities
        settings = [word for setting in args.set for word in ("--set", setting)]
        with_model = ["--select", "Q026", "--model", args.model, "--folds", args.folds, *settings]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.jsonl"
            write(path, plant.documents)
            for check_name, options in (("plain", ["--ignore", "Q026"]), ("model", with_model)):
                told, seconds = check(args.nomen, path, options)
                warnings = sum(severity != "note" for severity, _ in told)
                first, recalls, early = measure(told, plant)
                bad |= check_name == "model" and first < RATIO * base
                row = [name, f"{len(plant.places)} of {entities}", check_name, f"{len(told)} ({warnings})", f"{first:.2f}"]
                row += [f"{base:.3f}", f"{first / base:.1f}", *(f"{recall:.2f}" for recall in recalls)]
                print("| " + " | ".join([*row, f"{early:.2f}", f"{seconds:.0f}"]) + " |", flush=True)
    sys.exit(bad)


if __name__ == "__main__":
    main()
