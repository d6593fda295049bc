"""Tagging speed of Nomen beside ONNX Runtime, OpenVINO and CTranslate2, in turn, in one run.

The same model and texts everywhere, the encoder's forward pass and the head alone: batches of 32 sorted by length,
batches of 32 in arrival order, one text at a time; f32 and int8. The table has the medians of all rounds and Nomen's
ratio to the best peer of each round, with the lowest and highest.

    python bench/tagging.py --model DIR --data FOLDER --rounds 3

The texts are those of FOLDER/test.conll, words joined by one space; FOLDER/train.conll has those for calibration.
--model is a token classifier's folder, as `nomen train` leaves it. Needs `cargo build --release -p nomen-model
--example forward`. With --f1 the F1 of every int8 model on test.conll stands beside that of f32.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from common import HERE, evaluate_nomen, last_json, machine, say, spread, texts_of, write_texts

PEERS = ("onnxruntime", "openvino", "ctranslate2")
MODES = {
    "sorted, batches of 32": (32, True),
    "arrival order, batches of 32": (32, False),
    "arrival order, one at a time": (1, False),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.conll and test.conll")
    parser.add_argument("--work", type=Path, help="folder for converted models, one a model; kept")
    parser.add_argument("--limit", type=int, help="only so many of the test texts")
    parser.add_argument("--f1", action="store_true", help="also the F1 of every side")
    parser.add_argument("--forward", default="target/release/examples/forward")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precisions", nargs="*", default=["f32", "int8"])
    return parser.parse_args()


def peer(args, runtime: str, precision: str, extra: list) -> dict:
    command = [args.python, HERE / "peers/tagging.py", "--runtime", runtime, "--precision", precision]
    command += ["--model", args.model, "--work", args.work, "--calibration", args.work / "calibration.txt"]
    return last_json([*command, "--threads", args.threads, *extra])


def speed(args, who: str, precision: str, batch: int, by_length: bool) -> float:
    texts = args.work / "texts.txt"
    if who == "Nomen":
        command = [args.forward, args.model, texts, precision, args.threads, batch, args.seconds]
        return last_json(command + ["sorted"] * by_length)["pieces_per_s"]
    extra = ["--texts", texts, "--batch", batch, "--seconds", args.seconds] + ["--sorted"] * by_length
    return peer(args, who, precision, extra)["pieces_per_s"]


def f1(args, who: str, precision: str) -> float:
    if who == "Nomen":
        return evaluate_nomen(args.nomen, args.model, args.data / "test.conll", precision)["ents_f"]
    return peer(args, who, precision, ["--predictions", args.data / "test.conll"])["f1"]


def report(args) -> str:
    """The tables."""
    texts = texts_of(args.data / "test.conll", args.limit)
    write_texts(args.work / "texts.txt", texts)
    write_texts(args.work / "calibration.txt", texts_of(args.data / "train.conll"))
    names = (*PEERS, "Nomen")
    how = f"{args.threads} threads, {args.rounds} rounds of {args.seconds:g} s"
    lines = [f"{len(texts):,} texts, {how}; word pieces a second.\n"]
    lines.append(f"| precision | texts | {' | '.join(names)} | Nomen over the best of them |")
    lines.append(f"|---|---|{'---|' * (len(names) + 1)}")
    for precision in args.precisions:
        for mode, (batch, by_length) in MODES.items():
            rounds = []
            for turn in range(args.rounds):
                rounds.append({who: speed(args, who, precision, batch, by_length) for who in names})
                say(f"round {turn + 1}: {precision}, {mode}: {rounds[-1]}")
            medians = [f"{median(r[who] for r in rounds):,.0f}" for who in names]
            ratios = [r["Nomen"] / max(r[who] for who in PEERS) for r in rounds]
            lines.append(f"| {precision} | {mode} | {' | '.join(medians)} | {spread(ratios)} |")
    if args.f1:
        lines += [f"\n| F1 | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
        for precision in args.precisions:
            scores = [f"{f1(args, who, precision):.4f}" for who in names]
            lines.append(f"| {precision} | {' | '.join(scores)} |")
    return "\n".join(lines)


def main() -> None:
    args = arguments()
    say(machine())
    with tempfile.TemporaryDirectory() as folder:
        args.work = args.work or Path(folder)
        print(report(args))


if __name__ == "__main__":
    main()
