"""Active learning: how many annotated texts reach 90 % of the F1 of all of them, by the order in which they are annotated.

    cargo build --release -p nomen-annotate --example order
    python3 bench/active_learning.py --nomen target/release/nomen --cache CACHE
    python3 bench/active_learning.py ... --sets wnut17 --orders random mixed --seeds 1 --most 400

The gold of the training set plays the annotator. A run begins with --begin texts drawn by chance, the same for every order.
A round trains on what is annotated, scores the model on the test set, tags the rest with it, and lets the order choose
what is annotated next, until --most texts. The model of all texts is trained once a seed. Every model's dev set is the
same, of --dev texts by chance, and not counted: it flatters all orders alike.

Every round that is missing is run, one after the other, and kept in the cache, so that it can be stopped and started again.
A finished curve is kept in --results, which the project keeps, too; a file that is not there makes all of them anew.
Needs the standard library, `nomen`, and the example `order` of the crate nomen-annotate.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
from pathlib import Path

from common import HERE, Results, evaluate_nomen, output, run, say, spread

SHARE = 0.9


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data", help="folder with a folder a set")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=HERE / "results/active_learning.json", help="finished curves")
    parser.add_argument("--nomen", default="nomen", help="the nomen binary")
    parser.add_argument("--order", default=HERE / "../target/release/examples/order", help="the example that orders texts")
    parser.add_argument("--base", default="minilm", help="base of every model")
    parser.add_argument("--sets", nargs="*", default=["ncbi_disease", "wnut17", "snips_slots"])
    parser.add_argument("--orders", nargs="*", default=["random", "uncertainty", "diversity", "mixed"])
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--begin", type=int, default=50, help="texts of the first round")
    parser.add_argument("--growth", type=float, default=1.5, help="how much more texts the next round has")
    parser.add_argument("--most", type=int, default=2000, help="texts of the last round")
    parser.add_argument("--pool", type=int, help="take so many training texts for all there are")
    parser.add_argument("--dev", type=int, help="choose the best model of a run on so many dev texts")
    parser.add_argument("--test", type=int, help="score on so many test texts")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of every run")
    parser.add_argument("--prefix", nargs="*", default=[], metavar="WORD", help="words before every command, such as flock FILE")
    return parser.parse_args()


def write(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def rounds(begin: int, growth: float, most: int) -> list[int]:
    """Numbers of texts, from the first round to the last."""
    sizes = [begin]
    while sizes[-1] < most:
        sizes.append(min(most, max(sizes[-1] + 1, round(sizes[-1] * growth))))
    return sizes


class Set:
    """A data set in the cache, as rows of Nomen JSONL."""

    def __init__(self, args: argparse.Namespace, name: str):
        self.args, self.folder = args, args.cache / name
        self.train = self.rows("train", args.pool)
        self.dev = self.file("dev", args.dev)
        self.test = self.file("test", args.test)

    def file(self, part: str, limit: int | None) -> Path:
        out = self.folder / f"{part}-{limit or 'all'}.jsonl"
        if not out.exists():
            whole = self.folder / f"{part}.jsonl"
            run([*self.args.prefix, self.args.nomen, "convert", self.args.data / self.folder.name / f"{part}.conll", whole],
                self.folder / f"{part}.log")
            lines = whole.read_text(encoding="utf-8").splitlines(True)
            # By chance: a file may be sorted, as that of snips_slots is by what its speakers want.
            kept = lines if limit is None else random.Random(0).sample(lines, min(limit, len(lines)))
            out.write_text("".join(kept), encoding="utf-8")
        return out

    def rows(self, part: str, limit: int | None) -> list[dict]:
        return [json.loads(line) for line in self.file(part, limit).read_text(encoding="utf-8").splitlines()]

    def scored(self, folder: Path, chosen: list[int], seed: int, keep: bool) -> float:
        """F1 on the test set of a model of these texts; the model stays where `keep` says so."""
        known = folder / "f1.json"
        model = folder / "run" / "model-best"
        if not known.exists() or (keep and not model.exists()):
            train = write(folder / "train.jsonl", [self.train[position] for position in chosen])
            command = [*self.args.prefix, self.args.nomen, "train", "--base", self.args.base, "--out", folder / "run"]
            command += ["--train", train, "--dev", self.dev, "--set", f"seed={seed}", "--resume"]
            if not (folder / "run").exists():
                command.remove("--resume")
            for setting in self.args.set:
                command += ["--set", setting]
            run(command, folder / "train.log")
            report = evaluate_nomen(self.args.nomen, model, self.test, "f32")
            for rest in ("checkpoints", "model-last"):
                shutil.rmtree(folder / "run" / rest, ignore_errors=True)
            known.write_text(json.dumps({"texts": len(chosen), "ents_f": report["ents_f"]}))
        return json.loads(known.read_text())["ents_f"]

    def next(self, folder: Path, order: str, chosen: list[int], count: int, seed: int) -> list[int]:
        """The texts that the order takes next, by a model of those that were chosen before."""
        known = folder / "next.json"
        if not known.exists():
            texts = write(folder / "pool.jsonl", [{"text": row["text"]} for row in self.train])
            rows = [{"text": row["text"]} for row in self.train]
            if order in ("uncertainty", "mixed"):
                model = folder / "run" / "model-best"
                command = [*self.args.prefix, self.args.nomen, "tag", "--model", model, "--json", texts]
                rows = [json.loads(line) for line in output(command).splitlines()]
                if len(rows) != len(self.train):
                    raise SystemExit(f"{len(rows)} answers for {len(self.train)} texts of {texts}")
            for position in chosen:
                rows[position]["annotated"] = True
            with write(texts, rows).open("rb") as read:
                done = subprocess.run([str(self.args.order), order, str(count), str(seed)], stdin=read, capture_output=True)
            if done.returncode != 0:
                raise SystemExit(done.stderr.decode())
            known.write_text(json.dumps([json.loads(line)["position"] for line in done.stdout.decode().splitlines()]))
            texts.unlink()
        return json.loads(known.read_text())


def curve(data: Set, order: str, seed: int, sizes: list[int], target: float) -> list[tuple[int, float]]:
    """Number of texts and F1 of each round, up to the first that reaches the target."""
    chosen = random.Random(seed).sample(range(len(data.train)), min(sizes[0], len(data.train)))
    points = []
    for size, following in zip(sizes, [*sizes[1:], None]):
        # The first round is the same for all orders.
        name = "begin" if size == sizes[0] else order
        folder = data.folder / f"seed-{seed}" / name / f"{len(chosen)}"
        points.append((len(chosen), data.scored(folder, chosen, seed, keep=following is not None)))
        say(f"{data.folder.name}, {order}, seed {seed}: {points[-1][0]} texts, F1 {100 * points[-1][1]:.2f}")
        if points[-1][1] >= target or following is None or len(chosen) == len(data.train):
            break
        asked = data.folder / f"seed-{seed}" / order / f"{len(chosen)}-next"
        (asked / "run").mkdir(parents=True, exist_ok=True)
        if not (asked / "run" / "model-best").exists():
            (asked / "run" / "model-best").symlink_to((folder / "run" / "model-best").resolve())
        chosen = chosen + data.next(asked, order, chosen, following - len(chosen), seed)
    return points


def reached(points: list[tuple[int, float]], target: float) -> float:
    """Texts that reach the target, between two rounds by a straight line; infinite where no round does."""
    before = None
    for texts, score in points:
        if score >= target:
            if before is None:
                return texts
            share = (target - before[1]) / (score - before[1])
            return before[0] + share * (texts - before[0])
        before = (texts, score)
    return float("inf")


def main() -> None:
    args = arguments()
    results = Results(args.results)

    def known(name: str, made):
        """A result of these settings, which is made unless it is there."""
        name = f"{name} {args.base if '/' not in args.base else 'of a folder'} {' '.join(args.set)}".strip()
        if results.get(name) is None:
            results.put(name, made())
        return results.get(name)

    for name in args.sets:
        data = Set(args, name)
        sizes = rounds(args.begin, args.growth, min(args.most, len(data.train)))
        whole = list(range(len(data.train)))
        limits = [(args.dev, "dev"), (args.test, "test")]
        of = f"{name} of {len(data.train)}" + "".join(f", {limit} {part} texts" for limit, part in limits if limit)
        full = {
            seed: known(f"{of}, all, seed {seed}", lambda: data.scored(data.folder / f"seed-{seed}" / "whole", whole, seed, keep=False))
            for seed in args.seeds
        }
        print(f"\n## {name}: {len(data.train)} texts, F1 {spread([100 * score for score in full.values()])}\n")
        print(f"| order | texts to {100 * SHARE:.0f} % of that F1, median (lowest to highest) | F1 by number of texts, mean |")
        print("|---|---|---|")
        for order in args.orders:
            plan = f"from {args.begin} by {args.growth:g} to {sizes[-1]}"
            curves = {
                seed: known(f"{of}, {order} {plan}, seed {seed}", lambda: curve(data, order, seed, sizes, SHARE * full[seed]))
                for seed in args.seeds
            }
            texts = [reached(points, SHARE * full[seed]) for seed, points in curves.items()]
            by_size = {}
            for points in curves.values():
                for size, score in points:
                    by_size.setdefault(size, []).append(100 * score)
            complete = [(size, scores) for size, scores in by_size.items() if len(scores) == len(curves)]
            told = ", ".join(f"{size}: {statistics.mean(scores):.1f}" for size, scores in complete)
            print(f"| {order} | {spread(texts, '.0f')} | {told} |", flush=True)


if __name__ == "__main__":
    main()
