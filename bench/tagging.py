"""Tagging speed of Nomen beside ONNX Runtime, OpenVINO and CTranslate2, in turn, in one run.

The same model and texts everywhere, the encoder's forward pass and the head alone: batches of 32 sorted by length, batches
of 32 in arrival order, one text at a time; f32 and int8. The table has the medians of all rounds and Nomen's ratio to the
best peer of each round, with the lowest and highest.

    python bench/tagging.py --model DIR --texts TEXTS.txt --calibration TRAIN.txt --work DIR --rounds 3

--model is a token classifier's folder, as `nomen train` leaves it. Needs `cargo build --release -p nomen-model --example forward`.
With --predictions test.conll the F1 of every int8 model stands beside that of f32.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PEERS = ("onnxruntime", "openvino", "ctranslate2")
MODES = {
    "sorted, batches of 32": (32, True),
    "arrival order, batches of 32": (32, False),
    "arrival order, one at a time": (1, False),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--texts", required=True)
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--work", required=True, help="folder for converted models, kept")
    parser.add_argument("--predictions", help="a CoNLL file, for F1")
    parser.add_argument("--forward", default="target/release/examples/forward")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precisions", nargs="*", default=["f32", "int8"])
    return parser.parse_args()


def last_json(command: list) -> dict:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def peer(args, runtime: str, precision: str, extra: list) -> dict:
    command = [args.python, HERE / "peers/tagging.py", "--runtime", runtime, "--precision", precision]
    command += ["--model", args.model, "--work", args.work, "--calibration", args.calibration, "--threads", args.threads]
    return last_json(command + extra)


def speed(args, who: str, precision: str, batch: int, by_length: bool) -> float:
    if who == "Nomen":
        command = [args.forward, args.model, args.texts, precision, args.threads, batch, args.seconds]
        return last_json(command + ["sorted"] * by_length)["pieces_per_s"]
    extra = ["--texts", args.texts, "--batch", batch, "--seconds", args.seconds] + ["--sorted"] * by_length
    return peer(args, who, precision, extra)["pieces_per_s"]


def f1(args, who: str, precision: str) -> float:
    if who == "Nomen":
        command = [args.nomen, "evaluate", "--model", args.model, "--data", args.predictions, "--json", "--precision", precision]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["ents_f"]
    return peer(args, who, precision, ["--predictions", args.predictions])["f1"]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> None:
    args = arguments()
    print(f"{processor()}, {args.threads} threads, {args.rounds} rounds of {args.seconds:g} s; word pieces a second\n")
    names = (*PEERS, "Nomen")
    print(f"| precision | texts | {' | '.join(names)} | Nomen over the best of them |\n|---|---|{'---|' * (len(names) + 1)}")
    for precision in args.precisions:
        for mode, (batch, by_length) in MODES.items():
            rounds = []
            for turn in range(args.rounds):
                rounds.append({who: speed(args, who, precision, batch, by_length) for who in names})
                print(f"round {turn + 1}: {precision}, {mode}: {rounds[-1]}", file=sys.stderr, flush=True)
            medians = [f"{statistics.median(r[who] for r in rounds):,.0f}" for who in names]
            ratios = [r["Nomen"] / max(r[who] for who in PEERS) for r in rounds]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            print(f"| {precision} | {mode} | {' | '.join(medians)} | {spread} |", flush=True)
    if args.predictions:
        print(f"\n| F1 | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
        for precision in args.precisions:
            scores = [f"{f1(args, who, precision):.4f}" for who in names]
            print(f"| {precision} | {' | '.join(scores)} |", flush=True)


if __name__ == "__main__":
    main()
