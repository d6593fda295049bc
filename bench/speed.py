"""Training speed and peak memory of Nomen beside transformers, in turn, in one run.

Every round trains the same number of steps of the same base on the same texts, in this order: transformers with
its default collator, transformers grouped by length with fused AdamW, Nomen. The table has the medians of all
rounds and the ratios pair by pair, with their lowest and highest.

    python bench/speed.py --base BASE --nomen target/release/nomen --rounds 3

Word pieces are real ones (special tokens counted, padding not); time is that of the steps, evaluation left out.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data/wnut17", help="folder with train.conll")
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--python", default=sys.executable, help="python with requirements.txt installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=107, help="107 steps of 32 texts are one epoch of wnut17")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def peak_of(command: list) -> int:
    """Runs a command to its end; its peak resident memory in bytes, as the system accounts it."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            log.seek(0)
            raise SystemExit(f"exit code {child.returncode} from {command}\n{log.read().decode(errors='replace')[-2000:]}")
    return usage.ru_maxrss * 1024


def transformers(args, extra: list) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [args.python, HERE / "peers/train_transformers.py", "--base", args.base, "--quiet", *extra]
        command += ["--train", args.data / "train.conll", "--batch", args.batch, "--max-steps", args.steps]
        command += ["--lr", 1e-4, "--threads", args.threads, "--json", result]
        peak = peak_of(command)
        return json.loads(result.read_text())["pieces_per_s"], peak


def nomen(args) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        settings = {"learning_rate": 1e-4, "train_batch_size": args.batch, "max_steps": args.steps, "warmup_ratio": 0.1}
        settings |= {"num_train_epochs": 1000, "threads": args.threads, "eval_every": 1_000_000, "patience": 0}
        command = [args.nomen, "train", "--base", f"path:{args.base}", "--out", out]
        command += ["--train", args.data / "train.conll", "--dev", args.data / "dev.conll"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        peak = peak_of(command)
        events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
        steps = [event for event in events if event["event"] == "step"]
        pieces = sum(step["pieces"] for step in steps)
        return pieces / sum(step["pieces"] / step["pieces_per_s"] for step in steps), peak


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    args = arguments()
    sides = {
        "transformers, default collator": lambda: transformers(args, []),
        "transformers, grouped by length, fused AdamW": lambda: transformers(args, ["--group-by-length", "--fused"]),
        "Nomen": lambda: nomen(args),
    }
    speeds = {name: [] for name in sides}
    peaks = {name: [] for name in sides}
    for turn in range(args.rounds):
        for name, measure in sides.items():
            speed, peak = measure()
            speeds[name].append(speed)
            peaks[name].append(peak / 2**20)
            print(f"round {turn + 1}: {name}: {speed:.0f} pieces/s, {peak / 2**20:.0f} MiB", file=sys.stderr, flush=True)
    print(f"{processor()}, {args.threads} threads, {args.rounds} rounds of {args.steps} steps of {args.batch} texts\n")
    print("| who | word pieces a second | Nomen over it | peak memory, MiB | Nomen's over it |\n|---|---|---|---|---|")
    for name in sides:
        ratios = [ours / theirs for ours, theirs in zip(speeds["Nomen"], speeds[name])]
        memory = [ours / theirs for ours, theirs in zip(peaks["Nomen"], peaks[name])]
        median = statistics.median
        print(f"| {name} | {median(speeds[name]):.0f} | {spread(ratios)} | {median(peaks[name]):.0f} | {spread(memory)} |")


if __name__ == "__main__":
    main()
