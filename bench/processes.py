"""Whole processes from start to end: `nomen tag` beside transformers' pipeline, in turn, in one run.

    python bench/processes.py --model DIR --data FOLDER --rounds 3

Every round gives the texts of FOLDER/test.conll to the pipeline (batches of 32, f32) and to `nomen tag --json` (f32 and
int8): process start, loading of the model and writing of the entities are in the time. Then one sentence from the start
of the process, and the size of the binary.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from common import HERE, cost_of, machine, say, spread, tag_nomen, texts_of, write_texts

SENTENCE = "We use Rust and gRPC."


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a token classifier")
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data/wnut17", help="folder with test.conll")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--python", default=sys.executable, help="python with requirements.txt installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=9, help="of the single sentence")
    return parser.parse_args()


def whole_file(args, folder: Path) -> None:
    data, out = args.data / "test.conll", folder / "out.jsonl"
    texts = texts_of(data)
    file = write_texts(folder / "texts.txt", texts)
    pipeline = [args.python, HERE / "peers/pipeline.py", "--model", args.model, "--data", data, "--out", out]
    sides = {"`pipeline`, f32": [*pipeline, "--batch", 32, "--threads", args.threads]}
    for precision in ("f32", "int8"):
        tag = tag_nomen(args.nomen, args.model, precision, args.threads)
        sides[f"`nomen tag`, {precision}"] = [*tag, "--format", "text", "--json", file]
    seconds, peaks = {who: [] for who in sides}, {who: [] for who in sides}
    for turn in range(args.rounds):
        for who, command in sides.items():
            # The pipeline's script writes the file itself and prints nothing.
            took, peak = cost_of(command, stdout=out if "nomen" in who else None)
            answers = out.read_text(encoding="utf-8").count("\n")
            if answers != len(texts):
                raise SystemExit(f"{who}: {answers} answers for {len(texts)} texts")
            out.unlink()
            seconds[who].append(took)
            peaks[who].append(peak / 1e6)
            say(f"round {turn + 1}: {who}: {took:.2f} s, {peak / 1e6:.0f} MB")
    first, *_ = sides
    print(f"{len(texts):,} texts, {args.rounds} rounds, {args.threads} threads, whole processes.\n")
    print("| who | seconds | times as fast as `pipeline` | peak memory, MB |\n|---|---|---|---|")
    for who in sides:
        faster = spread([theirs / ours for theirs, ours in zip(seconds[first], seconds[who])]) if who != first else ""
        print(f"| {who} | {spread(seconds[who])} | {faster} | {median(peaks[who]):,.0f} |")


def one_sentence(args, folder: Path) -> None:
    file = write_texts(folder / "sentence.txt", [SENTENCE])
    costs = {"f32": [], "int8": []}
    for _ in range(args.runs):
        for precision, measured in costs.items():
            measured.append(cost_of(tag_nomen(args.nomen, args.model, precision, args.threads), stdin=file))
    print(f"\nOne sentence from the start of the process, {args.runs} runs.\n")
    print("| precision | milliseconds | peak memory, MB |\n|---|---|---|")
    for precision, measured in costs.items():
        seconds, peaks = zip(*measured)
        milliseconds = [1000 * took for took in seconds]
        print(f"| {precision} | {spread(milliseconds, '.0f')} | {median(peaks) / 1e6:.0f} |")


def main() -> None:
    args = arguments()
    say(machine())
    with tempfile.TemporaryDirectory() as folder:
        whole_file(args, Path(folder))
        one_sentence(args, Path(folder))
    print(f"\nThe `nomen` binary has {Path(args.nomen).stat().st_size / 1e6:.1f} MB.")


if __name__ == "__main__":
    main()
