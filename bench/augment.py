"""What augmenting training texts brings: mean dev F1 with and without, each method alone and together.

Trains on small sets again and again, all with the same number of steps, one seed of every way after the other so that the
ways alternate. Scores are kept in a folder as they come: a second call goes on where the first was stopped. Prints a
table: mean dev F1, standard deviation over the seeds, mean difference to no copies of the same seed with its 95 % interval
(Student's t), and how many seeds are better.

    python3 bench/augment.py --base BASE --cache target/bench/augment
"""

import argparse
import json
import math
import shutil
import statistics
import subprocess
from pathlib import Path

from common import HERE, machine, say

# As many as Nomen chooses for these sets without copies.
STEPS = {"crossner_ai": 390, "crossner_science": 525}
WAYS = {
    "none": {},
    "copies only": {"casing": 1},
    "mentions": {"mentions": 0.5},
    "context": {"context": 0.3},
    "shuffle": {"shuffle": 0.3},
    "typos": {"typos": 0.1},
    "join": {"join": 0.5},
    "mentions, context, join": {"mentions": 0.5, "context": 0.2, "join": 0.3},
}
# Two-sided 95 % quantiles of Student's t, by degrees of freedom.
T = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}


def settings(args, name, way, seed):
    """`key=value` of a run; the same number of evaluations for all."""
    given = {"max_steps": STEPS[name], "eval_every": STEPS[name] // 5, "patience": 0, "seed": seed, "bf16": args.bf16}
    if WAYS[way]:
        given |= {"augment.copies": args.copies, "augment.compare": "false"}
        given |= {f"augment.{method}": rate for method, rate in WAYS[way].items()}
    else:
        given |= {"augment.copies": 0}
    return [f"{key}={str(value).lower()}" for key, value in given.items()]


def score(args, name, way, seed):
    """Dev F1 of a run, from the cache where it is known."""
    known = args.cache / f"{name}-{way.replace(', ', '+').replace(' ', '_')}-{args.copies}-{seed}.json"
    if known.exists():
        return json.loads(known.read_text())["f"]
    out = args.cache / "run"
    shutil.rmtree(out, ignore_errors=True)
    command = [*args.before, args.nomen, "train", "--json", "--base", f"path:{args.base}", "--out", out]
    command += ["--train", args.data / name / "train.conll", "--dev", args.data / name / "dev.conll"]
    for setting in settings(args, name, way, seed):
        command += ["--set", setting]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    judged = json.loads(done.stdout)
    found = {"f": judged["dev"]["ents_f"], "augmentation": judged.get("augmentation"), "settings": settings(args, name, way, seed)}
    known.write_text(json.dumps(found) + "\n")
    say(f"{name}, {way}, seed {seed}: {found['f']:.4f}")
    return found["f"]


def row(way, scores, base):
    mean, spread = statistics.mean(scores), statistics.stdev(scores) if len(scores) > 1 else 0.0
    cells = [way, f"{100 * mean:.2f}", f"{100 * spread:.2f}"]
    if way == "none":
        return cells + ["", "", ""]
    gains = [100 * (score - other) for score, other in zip(scores, base)]
    half = T[len(gains) - 1] * statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
    gain = statistics.mean(gains)
    return cells + [f"{gain:+.2f}", f"{gain - half:+.2f} to {gain + half:+.2f}", f"{sum(g > 0 for g in gains)} of {len(gains)}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data", help="folder with a folder a set")
    parser.add_argument("--cache", type=Path, default=Path("target/bench/augment"), help="folder of scores")
    parser.add_argument("--sets", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seeds", type=int, default=5, help="at most 10")
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--bf16", action="store_true", help="factors of 16 bits in training")
    parser.add_argument("--before", nargs="*", default=[], help="what to put before each run, such as `nice`")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)

    scores = {}
    for seed in range(1, args.seeds + 1):
        for way in args.ways:
            for name in args.sets:
                scores.setdefault((name, way), []).append(score(args, name, way, seed))
    print(f"{machine()}; {args.seeds} seeds, {args.copies} copies of each text{', bf16' if args.bf16 else ''}\n")
    for name in args.sets:
        print(f"{name}, {STEPS[name]} steps\n")
        print("| way | mean dev F1 | deviation | difference to none | 95 % interval | better |")
        print("|---|---:|---:|---:|---:|---:|")
        for way in args.ways:
            print("| " + " | ".join(row(way, scores[name, way], scores.get((name, "none"), []))) + " |")
        print()


if __name__ == "__main__":
    main()
