"""Forgetting: F1 on what a model knew and on what it learns, for every way of updating it.

    python3 bench/update.py --nomen target/release/nomen --base BASE --cache CACHE
    python3 bench/update.py ... --scenarios A B --seeds 1 --ways naive default
    python3 bench/update.py --cache CACHE --ways none            # the tables of what is there

Four scenarios on the shared data:

A  tech: four labels known, then the other three from texts that are annotated for those three only
B  crossner_ai, then crossner_science: another domain, some labels shared
C  wnut17, then ncbi_disease: another domain, other labels
D  tech in eleven slices by source (Stack Overflow, Wikipedia, threat reports): one model, then ten updates

With --most and --dev each set has so many training and dev texts, drawn by chance, the same for every way and seed: for a machine on
which all of them would take days. Results of other numbers stand apart.

With --cost it times an update instead, whole commands in turn: a model of 5,000 texts of ncbi_disease learns 200 more
(`nomen update`), beside training on all 5,200 (`nomen train`).

Everything that is missing is run, one run after the other, and kept in the cache, so that it can be stopped and started again.
What is finished is kept in --results, which the project keeps, too; a file that is not there makes all of it anew.
Needs the standard library and `nomen`.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from common import HERE, Results, run, say, spread

ALL_OPTIONS = {
    "naive": ["--with", "none"],
    "partial": ["--with", "partial"],
    "rehearsal": ["--with", "rehearsal"],
    "teacher labels": ["--with", "teacher"],
    "distillation": ["--with", "distillation"],
    "staying close": ["--with", "l2"],
    "averaging": ["--with", "averaging"],
    "bias correction": ["--with", "bias"],
    "early stopping on both": ["--with", "none"],
    "default": [],
    "default, no old dev set": [],
    "default, no old texts": [],
    "default without l2": ["--with", "partial,rehearsal,distillation"],
    "default and averaging": ["--with", "partial,rehearsal,distillation,l2,averaging"],
}
# Ways that get the old training texts, and those that get the old dev set.
REPLAYED = {"rehearsal", "default", "default, no old dev set", "default without l2", "default and averaging"}
JUDGED_ON_BOTH = {"early stopping on both", "default", "default without l2", "default and averaging"}
# Texts that a model knows and that it learns more of, where the cost is measured.
COST = ("ncbi_disease", 5_000, 200)
KNOWN = ["PROGRAMMING_LANGUAGE", "FRAMEWORK_LIBRARY", "HARDWARE", "ALGORITHM_MODEL"]
SLICES = 11


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data", help="folder with a folder a set")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=HERE / "results/update.json", help="finished runs")
    parser.add_argument("--base", help="model folder; `minilm` without it")
    parser.add_argument("--nomen", default="nomen", help="the nomen binary")
    parser.add_argument("--scenarios", nargs="*", default=["A", "B", "C", "D"])
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--ways", nargs="*", default=[*ALL_OPTIONS, "new only", "everything"])
    parser.add_argument("--most", type=int, help="take so many training texts of a set")
    parser.add_argument("--dev", type=int, help="take so many dev texts of a set")
    parser.add_argument("--cost", action="store_true", help="time an update instead")
    parser.add_argument("--rounds", type=int, default=3, help="of --cost")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of every run")
    parser.add_argument("--update", nargs="*", default=[], metavar="OPTION", help="more options for every update; --update=--with=l2 for one that begins with a dash")
    parser.add_argument("--prefix", nargs="*", default=[], metavar="WORD", help="words before every command, such as flock FILE")
    return parser.parse_args()


class Bench:
    def __init__(self, args):
        self.args = args
        # Files and models of other limits must not be taken for these.
        self.cache = args.cache / f"{args.most or 'all'}-{args.dev or 'all'}"
        self.files = self.cache / "data"
        self.files.mkdir(parents=True, exist_ok=True)
        self.results = Results(args.results)

    def nomen(self, *words, log: Path):
        run([*self.args.prefix, self.args.nomen, *words], log)

    # Data

    def jsonl(self, source: Path) -> list[dict]:
        out = self.files / f"{source.parent.name}-{source.stem}.jsonl"
        if not out.exists():
            self.nomen("convert", source, out, log=out.with_suffix(".log"))
        return [json.loads(line) for line in out.read_text().splitlines()]

    def drawn(self, part: str, rows: list) -> list:
        """As many rows of a set as its part may have, in their order."""
        limit = {"train": self.args.most, "dev": self.args.dev}.get(part)
        if limit is None or limit >= len(rows):
            return rows
        return [rows[index] for index in sorted(random.Random(0).sample(range(len(rows)), limit))]

    def write(self, name: str, rows: list[dict]) -> Path:
        path = self.files / f"{name}.jsonl"
        if not path.exists():
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    @staticmethod
    def only(rows: list[dict], labels: set[str]) -> list[dict]:
        """The rows as if they had been searched for these labels only."""
        return [
            row | {"entities": [entity for entity in row["entities"] if entity["label"] in labels], "labels": sorted(labels)}
            for row in rows
        ]

    def scenario(self, name: str) -> dict:
        """Files by what they are for."""
        data = self.args.data
        if name == "A":
            train, dev, test = (
                self.drawn(part, self.jsonl(data / "tech" / f"{part}.json")) for part in ("train", "dev", "test")
            )
            old = set(KNOWN)
            new = {entity["label"] for row in train for entity in row["entities"]} - old
            parts = {
                "train": self.only(train[::2], old), "dev": self.only(dev[::2], old), "test": self.only(test, old),
                "new-train": self.only(train[1::2], new), "new-dev": self.only(dev[1::2], new), "new-test": self.only(test, new),
                "all-train": train, "all-dev": dev,
            }
        elif name == "D":
            return self.slices()
        else:
            first, second = {"B": ("crossner_ai", "crossner_science"), "C": ("wnut17", "ncbi_disease")}[name]
            parts = {}
            for part in ("train", "dev", "test"):
                rows = [self.drawn(part, self.jsonl(data / set_ / f"{part}.conll")) for set_ in (first, second)]
                labels = [{entity["label"] for row in of for entity in row["entities"]} for of in rows]
                parts[part], parts[f"new-{part}"] = (self.only(of, known) for of, known in zip(rows, labels))
                parts[f"all-{part}"] = parts[part] + parts[f"new-{part}"]
        return {part: self.write(f"{name}-{part}", rows) for part, rows in parts.items()}

    def limits(self) -> str:
        """What the names of results say of --most and --dev."""
        limits = [(self.args.most, "texts"), (self.args.dev, "dev texts")]
        return "".join(f" of {limit} {what}" for limit, what in limits if limit)

    def slices(self) -> dict:
        folder = self.args.data / "tech"
        files = {}
        for part in ("train", "dev", "test"):
            rows = self.jsonl(folder / f"{part}.json")
            sources = json.loads((folder / f"{part}.sources.json").read_text())
            rows, sources = self.drawn(part, rows), self.drawn(part, sources)
            order = {"so": 0, "ai": 1, "cti": 2}
            ordered = [row for _, row in sorted(zip(sources, rows), key=lambda pair: order[pair[0]])]
            if part == "test":
                first = [row for source, row in zip(sources, rows) if source == "so"]
                files["test"] = self.write("D-test", first)
                files["new-test"] = self.write("D-new-test", [row for source, row in zip(sources, rows) if source == "cti"])
                continue
            size = len(ordered) / SLICES
            for index in range(SLICES):
                piece = ordered[round(index * size) : round((index + 1) * size)]
                files[f"{part}-{index}"] = self.write(f"D-{part}-{index}", piece)
                files[f"past-{part}-{index}"] = self.write(f"D-past-{part}-{index}", ordered[: round((index + 1) * size)])
            files[f"all-{part}"] = self.write(f"D-all-{part}", ordered)
        return files

    # Runs

    def train(self, out: Path, train: Path, dev: Path, seed: int) -> Path:
        base = f"path:{self.args.base}" if self.args.base else "minilm"
        return self.once(out, ["train", "--base", base, "--train", train, "--dev", dev], seed)

    def update(self, out: Path, model: Path, way: str, new: tuple[Path, Path], old: tuple[Path, Path], seed: int) -> Path:
        """A model that learns new texts; of both pairs of files the first is to train on, the second the dev set."""
        words = ["update", "--model", model, "--train", new[0], "--dev", new[1], *ALL_OPTIONS[way], *self.args.update]
        words += ["--replay", old[0]] if way in REPLAYED else []
        words += ["--old-dev", old[1]] if way in JUDGED_ON_BOTH else []
        return self.once(out, words, seed)

    def once(self, out: Path, words: list, seed: int) -> Path:
        """The best model of a run, which is made unless it is there."""
        if not (out / "done").exists():
            shutil.rmtree(out, ignore_errors=True)
            out.parent.mkdir(parents=True, exist_ok=True)
            # Copies are another way to learn more, and an update makes none.
            given = (f"seed={seed}", "augment.copies=0", *self.args.set)
            settings = [word for setting in given for word in ("--set", setting)]
            self.nomen(*words, "--out", out, *settings, log=out.with_suffix(".log"))
            shutil.rmtree(out / "checkpoints", ignore_errors=True)
            shutil.rmtree(out / "model-last", ignore_errors=True)
            (out / "done").touch()
        return out / "model-best"

    def f1(self, model: Path, data: Path) -> float:
        command = [*self.args.prefix, self.args.nomen, "evaluate", "--model", model, "--data", data, "--json", "--seen-too"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["ents_f"]

    def scores(self, name: str, way: str, seed: int) -> dict | None:
        """Old and new F1 of one way, as they are known or from a run."""
        key = f"{name}{self.limits()}, seed {seed}, {way}"
        if not self.results.get(key):
            # Every way but none begins with the old model.
            if way not in self.args.ways and (way != "before" or self.args.ways == ["none"]):
                return None
            files, folder = self.scenario(name), self.cache / name / str(seed)
            say(f"{name}, seed {seed}: {way}")
            model = self.ten_updates(files, folder, way, seed) if name == "D" else self.one_update(files, folder, way, seed)
            scores = {"old": self.f1(model, files["test"]), "new": self.f1(model, files["new-test"])}
            say(f"  old {scores['old']:.4f}, new {scores['new']:.4f}")
            self.results.put(key, scores | {"settings": [*self.args.set, *self.args.update]})
            if way != "before":
                shutil.rmtree(folder / way, ignore_errors=True)
        return self.results.get(key)

    def one_update(self, files: dict, folder: Path, way: str, seed: int) -> Path:
        old = self.train(folder / "before", files["train"], files["dev"], seed)
        if way == "before":
            return old
        if way == "everything":
            return self.train(folder / way, files["all-train"], files["all-dev"], seed)
        if way == "new only":
            return self.train(folder / way, files["new-train"], files["new-dev"], seed)
        new = files["new-train"], files["new-dev"]
        return self.update(folder / way, old, way, new, (files["train"], files["dev"]), seed)

    def ten_updates(self, files: dict, folder: Path, way: str, seed: int) -> Path:
        model = self.train(folder / "before", files["train-0"], files["dev-0"], seed)
        if way == "before":
            return model
        if way == "everything":
            return self.train(folder / way, files["all-train"], files["all-dev"], seed)
        if way == "new only":
            return self.train(folder / way, files[f"train-{SLICES - 1}"], files[f"dev-{SLICES - 1}"], seed)
        for index in range(1, SLICES):
            new = files[f"train-{index}"], files[f"dev-{index}"]
            past = files[f"past-train-{index - 1}"], files[f"past-dev-{index - 1}"]
            model = self.update(folder / way / str(index), model, way, new, past, seed)
        return model

    # Cost

    def cost(self) -> str:
        name, known, more = COST
        rows = self.jsonl(self.args.data / name / "train.conll")
        old, new = self.write("cost-old", rows[:known]), self.write("cost-new", rows[known : known + more])
        everything = self.write("cost-all", rows[: known + more])
        self.jsonl(self.args.data / name / "dev.conll")
        self.jsonl(self.args.data / name / "test.conll")
        dev, test = (self.files / f"{name}-{part}.jsonl" for part in ("dev", "test"))
        folder = self.cache / "cost"
        model = self.train(folder / "before", old, dev, 1)
        base = f"path:{self.args.base}" if self.args.base else "minilm"
        ways = {
            "everything": ["train", "--base", base, "--train", everything, "--dev", dev],
            "update": ["update", "--model", model, "--train", new, "--dev", dev, "--replay", old, *self.args.update],
        }
        seconds, scores = {way: [] for way in ways}, {}
        for number in range(1, self.args.rounds + 1):
            for way, words in ways.items():
                out = folder / way
                shutil.rmtree(out, ignore_errors=True)
                begun = time.perf_counter()
                self.once(out, words, 1)
                seconds[way].append(time.perf_counter() - begun)
                scores[way] = self.f1(out / "model-best", test)
                say(f"round {number}: {way}: {seconds[way][-1]:.1f} s, F1 {scores[way]:.4f}")
        ratios = [update / all_ for update, all_ in zip(seconds["update"], seconds["everything"])]
        lines = ["| what | seconds | test F1 |", "|---|---|---|", f"| before | | {self.f1(model, test):.4f} |"]
        lines += [f"| {way} | {spread(seconds[way], '.1f')} | {scores[way]:.4f} |" for way in ways]
        return "\n".join([*lines, "", f"An update takes {spread(ratios, '.2f')} of the time of training on everything."])

    def table(self, name: str) -> str:
        seeds = self.args.seeds
        before = [self.scores(name, "before", seed) for seed in seeds]
        alone = [self.scores(name, "new only", seed) for seed in seeds]
        lines = ["| way | old F1 | kept | new F1 | of new only |", "|---|---|---|---|---|"]
        for way in ["before", *ALL_OPTIONS, "everything", "new only"]:
            rows = [self.scores(name, way, seed) for seed in seeds]
            pairs = [(row, was, only) for row, was, only in zip(rows, before, alone) if row and was]
            if not pairs:
                continue
            mean = lambda values: statistics.mean(values)
            old, new = mean([row["old"] for row, _, _ in pairs]), mean([row["new"] for row, _, _ in pairs])
            kept = f"{100 * old / mean([was['old'] for _, was, _ in pairs]):.1f} %"
            known = [only["new"] for _, _, only in pairs if only]
            reached = f"{100 * new / mean(known):.1f} %" if known else ""
            lines.append(f"| {way} | {old:.4f} | {kept} | {new:.4f} | {reached} |")
        return "\n".join(lines)


def main() -> None:
    args = arguments()
    bench = Bench(args)
    if args.cost:
        print(bench.cost(), flush=True)
        return
    for name in args.scenarios:
        print(f"\n**{name}**, {len(args.seeds)} seeds\n\n{bench.table(name)}", flush=True)


if __name__ == "__main__":
    main()
