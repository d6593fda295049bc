"""Plants errors of 14 kinds in real data and counts how many of them `nomen check` finds.

For each set (train.conll and test.conll of a folder) and each kind, a copy of the data is written in which 2 % of the
entities or texts have that error, `nomen check --json` reads it, and its findings are compared with what was planted.
What it finds in the data as it is (some of it real errors) is counted too. Exit code 1: recall or precision of a kind
is below the bound that this script knows.

    python3 bench/planted.py --nomen target/release/nomen
"""

import argparse
import copy
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARE = 0.02
FOREIGN = "uner_da_ddt/train.conll"


def read(path):
    """Documents of a CoNLL file: text of tokens joined by spaces, entities as [start, end, label]."""
    documents, tokens, tags = [], [], []
    for line in path.read_text(encoding="utf-8").split("\n") + [""]:
        if line.strip():
            token, tag = line.split("\t")
            tokens.append(token)
            tags.append(tag)
        elif tokens:
            at, entities = 0, []
            for token, tag in zip(tokens, tags):
                if tag.startswith("B-"):
                    entities.append([at, at + len(token), tag[2:]])
                elif tag.startswith("I-"):
                    entities[-1][1] = at + len(token)
                at += len(token) + 1
            documents.append({"text": " ".join(tokens), "entities": entities})
            tokens, tags = [], []
    return documents


def write(path, documents):
    with open(path, "w", encoding="utf-8") as file:
        for document in documents:
            entities = [{"start": s, "end": e, "label": label} for s, e, label in document["entities"]]
            row = {"text": document["text"], "entities": entities}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


class Plant:
    """The data with what was planted: places are (file, document), with a range where an entity is meant."""

    def __init__(self, train, test, foreign, seed):
        self.train, self.test = copy.deepcopy(train), copy.deepcopy(test)
        self.foreign, self.random = foreign, random.Random(seed)
        self.labels = sorted({entity[2] for document in train for entity in document["entities"]})
        self.places = []

    def entities(self, fits=lambda document, entity: True):
        """2 % of the entities of train for which something holds, at most one a document."""
        count = sum(len(document["entities"]) for document in self.train)
        fitting = [
            (at, entity)
            for at, document in enumerate(self.train)
            for entity in document["entities"]
            if fits(document, entity)
        ]
        self.random.shuffle(fitting)
        seen = set()
        for at, entity in fitting:
            if len(seen) < SHARE * count and at not in seen:
                seen.add(at)
                yield at, self.train[at], entity

    def texts(self, fits=lambda document: True):
        """2 % of the texts of train for which something holds."""
        fitting = [at for at, document in enumerate(self.train) if fits(document)]
        self.random.shuffle(fitting)
        return fitting[: round(SHARE * len(self.train))]

    def mark(self, at, start=None, end=None, file="train"):
        self.places.append((file, at, start, end))


def free(document, start, end):
    return all(e <= start or end <= s for s, e, _ in document["entities"])


def space(plant):
    behind = lambda document, entity: document["text"][entity[1] : entity[1] + 1] == " "
    for at, _, entity in plant.entities(behind):
        entity[1] += 1
        plant.mark(at, *entity[:2])


def punctuation(plant):
    def behind(document, entity):
        return document["text"][entity[1] : entity[1] + 2] in (" ,", " .", " ;", " :", " )")

    for at, _, entity in plant.entities(behind):
        entity[1] += 2
        plant.mark(at, *entity[:2])


def cut_word(plant):
    for at, document, entity in plant.entities(
        lambda document, entity: entity[1] - entity[0] > 3 and document["text"][entity[1] - 2 : entity[1]].isalpha()
    ):
        entity[1] -= 1
        plant.mark(at, *entity[:2])


def across_sentences(plant):
    """The text goes on with another one, and an entity right before its full stop goes on into that."""
    tails = [document["text"] for document in plant.train if document["text"].split(" ")[0].istitle()]

    def last(document, entity):
        return document["text"][entity[1] :] == " ." and entity is document["entities"][-1]

    for at, document, entity in plant.entities(last):
        tail = plant.random.choice(tails)
        document["text"] += " " + tail
        entity[1] += 3 + len(tail.split(" ")[0])
        plant.mark(at, *entity[:2])


def overlap(plant):
    for at, document, entity in plant.entities(lambda document, entity: " " in document["text"][entity[0] : entity[1]]):
        middle = document["text"].index(" ", entity[0]) + 1
        document["entities"].append([middle, entity[1], entity[2]])
        plant.mark(at)


def wrong_label(plant):
    for at, _, entity in plant.entities():
        others = [label for label in plant.labels if label != entity[2]] or ["Symptom"]
        entity[2] = plant.random.choice(others)
        plant.mark(at, *entity[:2])


def missed_mention(plant):
    for at, document, entity in plant.entities():
        document["entities"].remove(entity)
        plant.mark(at, *entity[:2])


def contradiction(plant):
    for at in plant.texts(lambda document: document["entities"]):
        again = copy.deepcopy(plant.train[at])
        again["entities"].pop()
        plant.mark(len(plant.train))
        plant.train.append(again)


def unknown_label(plant):
    for at, _, entity in plant.entities():
        entity[2] = entity[2] + "s"
        plant.mark(at, *entity[:2])


def long_text(document):
    return len(document["text"].split()) >= 12


def duplicate(plant):
    for at in plant.texts(long_text):
        plant.mark(len(plant.train))
        plant.train.append(copy.deepcopy(plant.train[at]))


def near_duplicate(plant):
    """The same text with one more word at its end."""
    for at in plant.texts(long_text):
        again = copy.deepcopy(plant.train[at])
        again["text"] += " indeed"
        plant.mark(len(plant.train))
        plant.train.append(again)


def leak(plant):
    for at in plant.texts(long_text):
        plant.mark(len(plant.test), file="test")
        plant.test.append(copy.deepcopy(plant.train[at]))


def mojibake(plant):
    """An accent on a word behind all entities, read wrongly; it changes no offset."""
    def word(document):
        last = max((entity[1] for entity in document["entities"]), default=0)
        return document["text"].find("e", last) >= 0

    for at in plant.texts(word):
        document = plant.train[at]
        last = max((entity[1] for entity in document["entities"]), default=0)
        place = document["text"].find("e", last)
        document["text"] = document["text"][:place] + "Ã©" + document["text"][place + 1 :]
        plant.mark(at)


def other_language(plant):
    texts = [document["text"] for document in plant.foreign if len(document["text"]) >= 80]
    for text in plant.random.sample(texts, round(SHARE * len(plant.train))):
        plant.mark(len(plant.train))
        plant.train.append({"text": text, "entities": []})


# Kind, the code that should tell it, and the least recall. Where that is 0, it hangs on how often the data repeats a name.
KINDS = [
    (space, "Q004", 1.0),
    (punctuation, "Q005", 0.5),
    (cut_word, "Q006", 1.0),
    (across_sentences, "Q007", 0.0),
    (overlap, "Q001", 1.0),
    (wrong_label, "Q008", 0.0),
    (missed_mention, "Q009", 0.0),
    (contradiction, "Q010", 1.0),
    (unknown_label, "Q011", 1.0),
    (duplicate, "Q015", 1.0),
    (near_duplicate, "Q016", 0.95),
    (leak, "Q017", 1.0),
    (mojibake, "Q022", 1.0),
    (other_language, "Q023", 0.8),
]
# The least precision of each.
PRECISION = 0.9
# Findings in which every place is one; the others are one with all their places.
EVERY_PLACE = {"Q008", "Q009", "Q011"}


def check(nomen, folder, plant, schema, code):
    """What one check tells: a list of places (file, document from 0, start, end) each."""
    train, test = folder / "train.jsonl", folder / "test.jsonl"
    write(train, plant.train)
    write(test, plant.test)
    toml = folder / "schema.toml"
    toml.write_text("".join(f'[[labels]]\nname = "{label}"\n' for label in schema), encoding="utf-8")
    command = [nomen, "check", str(train), str(test), "--schema", str(toml), "--json", "--select", code]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    told = []
    for finding in json.loads(done.stdout)["findings"]:
        places = []
        for place in finding["places"]:
            document = place.get("document", place.get("line", 0))
            places.append((Path(place["file"]).stem, document - 1, place.get("start"), place.get("end")))
        told += [[place] for place in places] if code in EVERY_PLACE else [places]
    return told


def same(planted, found):
    if planted[:2] != found[:2]:
        return False
    if planted[2] is None or found[2] is None:
        return True
    return planted[2] < found[3] and found[2] < planted[3]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data", help="folder with a folder a set")
    parser.add_argument("--sets", nargs="+", default=["ncbi_disease", "wnut17"])
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    foreign = read(args.data / FOREIGN)
    bad = False
    for name in args.sets:
        train, test = read(args.data / name / "train.conll"), read(args.data / name / "test.conll")
        print(f"\n{name}: {len(train)} texts to train on, {SHARE:.0%} of entities or texts with an error\n")
        print("| error | check | planted | found | recall | told | precision | told of the data as it is |")
        print("|---|---|---:|---:|---:|---:|---:|---:|")
        for kind, code, least in KINDS:
            sound = Plant(train, test, foreign, args.seed)
            plant = Plant(train, test, foreign, args.seed)
            kind(plant)
            schema = [*sound.labels, "Symptom"]
            with tempfile.TemporaryDirectory() as folder:
                before = check(args.nomen, Path(folder), sound, schema, code)
                told = check(args.nomen, Path(folder), plant, schema, code)
            new = [finding for finding in told if finding not in before]
            planted = plant.places

            def tells(finding, place):
                return any(same(place, other) for other in finding)

            found = [place for place in planted if any(tells(finding, place) for finding in told)]
            right = [finding for finding in new if any(tells(finding, place) for place in planted)]
            recall = len(found) / len(planted) if planted else 1.0
            precision = len(right) / len(new) if new else 1.0
            bad |= recall < least or precision < PRECISION
            print(
                f"| {kind.__name__.replace('_', ' ')} | {code} | {len(planted)} | {len(found)} | {recall:.2f} | "
                f"{len(new)} | {precision:.2f} | {len(before)} |"
            )
    print(
        "\nTold: findings of that check which it does not tell of the data as it is; precision is their share that was"
        " planted."
    )
    sys.exit(bad)


if __name__ == "__main__":
    main()
