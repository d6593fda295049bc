"""How often `nomen gate` finds a planted regression, and how often it raises a false alarm.

Trains two models that differ in the seed alone, lets both tag the test set, and hands their answers to the example
`planted` of crates/operate, which draws test sets of several sizes from them: texts with replacement, a coin a text for
which model is live and which the candidate. The two differ as two trainings do and neither is better; then 1, 3 or 5
points of F1 are taken from one label of the candidate.

    python3 bench/gate.py --nomen target/release/nomen --base path:BASE --data DATA --cache CACHE
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import common  # noqa: E402

ROOT = HERE.parent


def answers(nomen: Path, base: str, data: Path, cache: Path, seed: int) -> Path:
    """What a model of this seed finds in the test set."""
    found = cache / f"{data.name}-{seed}.jsonl"
    if not found.exists():
        common.say(f"{data.name}: training with seed {seed}")
        run = cache / f"{data.name}-{seed}"
        sets = ["--train", data / "train.conll", "--dev", data / "dev.conll"]
        train = [nomen, "train", *sets, "--base", base, "--out", run, "--set", f"seed={seed}"]
        common.run(train, cache / f"{data.name}-{seed}.log")
        tagged = common.output([nomen, "tag", "--model", run / "model-best", "--to", "jsonl", data / "test.conll"])
        found.write_text(tagged, encoding="utf-8")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", type=Path, default=ROOT / "target/release/nomen")
    parser.add_argument("--base", default="minilm", help="base model of both trainings")
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="folder of the data sets")
    parser.add_argument("--set", default="wnut17", help="the data set")
    parser.add_argument("--cache", type=Path, required=True, help="folder for models and answers")
    parser.add_argument("--trials", type=int, default=200)
    arguments = parser.parse_args()

    data, cache = arguments.data / arguments.set, arguments.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    both = [answers(arguments.nomen, arguments.base, data, cache, seed) for seed in (1, 2)]
    gold = cache / f"{data.name}-gold.jsonl"
    if not gold.exists():
        common.output([arguments.nomen, "convert", data / "test.conll", gold])
    print(f"{arguments.set}, {common.machine()}\n", flush=True)
    example = ["cargo", "run", "--quiet", "--release", "-p", "nomen-operate", "--example", "planted", "--"]
    done = subprocess.run([*example, gold, *both, str(arguments.trials)], cwd=ROOT)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
