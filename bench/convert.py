"""Speed and memory of `nomen convert` beside spaCy's `convert`, CoNLL to JSON lines and to DocBin, in turn, in one run.

Sentences of a set, again and again up to --megabytes, are converted by both sides (spaCy knows no JSON lines and writes its
own binary format, which Nomen writes too); then Nomen alone converts a file of --large megabytes, for its memory.

    python bench/convert.py --nomen target/release/nomen --rounds 3
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from common import HERE, cost_of, machine, say, spread


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data/wnut17/train.conll", help="a CoNLL file")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--python", default=sys.executable, help="python with spaCy")
    parser.add_argument("--megabytes", type=int, default=20, help="size of the file that both convert")
    parser.add_argument("--large", type=int, default=1000, help="size of the file that Nomen alone converts; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def repeated(source: Path, target: Path, megabytes: int) -> Path:
    """The sentences of `source` as often as it takes to fill so many megabytes."""
    text = source.read_bytes().strip() + b"\n\n"
    with target.open("wb") as file:
        for _ in range(max(1, round(megabytes * 1e6 / len(text)))):
            file.write(text)
    return target


def main() -> None:
    args = arguments()
    say(machine())
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        rows = repeated(args.data, folder / "rows.conll", args.megabytes)
        sides = {
            "`spacy convert`, to DocBin": [args.python, "-m", "spacy", "convert", rows, folder, "--converter", "ner"],
            "`nomen convert`, to DocBin": [args.nomen, "convert", rows, folder / "out.spacy", "--force"],
            "`nomen convert`, to JSON lines": [args.nomen, "convert", rows, folder / "out.jsonl", "--force"],
        }
        costs = {name: [] for name in sides}
        for number in range(args.rounds):
            for name, command in sides.items():
                costs[name].append(cost_of(command)[:2])
                say(f"round {number + 1}: {name}: {costs[name][-1][0]:.2f} s")
        first = next(iter(sides))
        print(f"{rows.stat().st_size / 1e6:.0f} MB of CoNLL, {args.rounds} rounds, whole processes.\n")
        print("| who | seconds | times as fast | peak memory, MB |\n|---|---|---|---|")
        for name in sides:
            ratios = [spacy[0] / own[0] for spacy, own in zip(costs[first], costs[name])]
            faster = "" if name == first else spread(ratios, ".1f")
            memory = median(cost[1] for cost in costs[name]) / 1e6
            print(f"| {name} | {spread([cost[0] for cost in costs[name]])} | {faster} | {memory:,.0f} |")
        if args.large:
            large = repeated(args.data, folder / "large.conll", args.large)
            seconds, peak = cost_of([args.nomen, "convert", large, folder / "large.jsonl"])[:2]
            size = large.stat().st_size / 1e6
            print(f"\n{size:,.0f} MB by Nomen, to JSON lines: {seconds:.1f} s, {peak / 1e6:.0f} MB of memory.")


if __name__ == "__main__":
    main()
