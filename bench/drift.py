"""How soon `nomen monitor` finds that a model is asked about another domain, and how often it raises a false alarm.

Trains a model on one data set, whose dev set and half of whose test set make the profile. Tags the other half, and test
texts of another data set, with `nomen tag --log`, and draws logs from the rows: of the own domain alone, with replacement,
and of all of the own half before texts of the other domain. `nomen monitor` looks at each log again and again while it
grows; the alarm is its exit code 1. A text's row does not depend on the texts around it, so a drawn log is the one that
tagging the drawn texts would leave.

    python3 bench/drift.py --nomen target/release/nomen --base path:BASE --data DATA --cache CACHE
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import common  # noqa: E402

ROOT = HERE.parent
# Texts of the own domain in a run, and between two looks at them.
OWN, LOOK = 5_000, 250
# Texts of the other domain within which the alarm has to come, and between two looks at them.
SOON, STEP = 500, 25


def rows_of(log: Path) -> list[dict]:
    """The rows of a log, file by file."""
    files = sorted(log.glob("predictions-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def halves(path: Path, folder: Path) -> list[Path]:
    """The sentences of a CoNLL file dealt at random into two files."""
    blocks = [block for block in path.read_text(encoding="utf-8").split("\n\n") if block.strip()]
    random.Random(0).shuffle(blocks)
    files = [folder / f"half-{half}.conll" for half in (1, 2)]
    for half, file in enumerate(files):
        file.write_text("\n\n".join(blocks[half::2]) + "\n", encoding="utf-8")
    return files


class Monitor:
    """`nomen monitor` on logs that are written for it."""

    def __init__(self, command: list, scratch: Path) -> None:
        self.command, self.scratch = command, scratch

    def alarm(self, rows: list[dict]) -> dict | None:
        """The report on a log of these rows, a second apart, if it raises the alarm."""
        lines = (json.dumps(row | {"at": 1_000 * second}) for second, row in enumerate(rows))
        self.scratch.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        done = subprocess.run([*map(str, self.command), str(self.scratch), "--json"], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        return json.loads(done.stdout) if done.returncode == 1 else None


def name_of(feature: dict) -> str:
    return feature["feature"] + (f" {feature['label']}" if "label" in feature else "")


def blamed(report: dict) -> str:
    """The features that drifted in any window or over the whole log."""
    windows = [report["whole"], *report["windows"]]
    names = {name_of(f) for window in windows for f in window["features"] if f["verdict"] == "drifted"}
    return ", ".join(sorted(names))


def own_domain(monitor: Monitor, rows: list[dict], runs: int) -> list[tuple[int, str]]:
    """Of so many logs of the own domain, those that raise an alarm: after how many texts, and why."""
    alarms = []
    for run in range(runs):
        drawn = random.Random(run).choices(rows, k=OWN)
        for texts in range(LOOK, OWN + 1, LOOK):
            if report := monitor.alarm(drawn[:texts]):
                alarms.append((texts, blamed(report)))
                break
    return alarms


def other_domain(monitor: Monitor, own: list[dict], other: list[dict], runs: int) -> list[int | None]:
    """After how many texts of the other domain each log raises the alarm; nothing where it does not in time."""
    delays = []
    for run in range(runs):
        draw = random.Random(1_000 + run)
        before, after = draw.sample(own, len(own)), draw.sample(other, SOON)
        looks = range(0, SOON + 1, STEP)
        delays.append(next((texts for texts in looks if monitor.alarm(before + after[:texts])), None))
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", type=Path, default=ROOT / "target/release/nomen")
    parser.add_argument("--base", default="minilm", help="base model of the training")
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="folder of the data sets")
    parser.add_argument("--own", default="wnut17", help="the data set that the model learns")
    parser.add_argument("--other", default="ncbi_disease", help="the data set of the other domain")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the model and the logs")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--window", default="250")
    arguments = parser.parse_args()

    nomen, cache = arguments.nomen.resolve(), arguments.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    own, run = arguments.data / arguments.own, cache / arguments.own
    model = run / "model-best"
    profiled, asked = halves(own / "test.conll", cache)
    if not (model / "nomen-profile.json").exists():
        common.say(f"{arguments.own}: training")
        sets = ["--train", own / "train.conll", "--dev", own / "dev.conll", "--test", profiled]
        common.run([nomen, "train", *sets, "--base", arguments.base, "--out", run], cache / "train.log")
    logs = {}
    for name, texts in ((arguments.own, asked), (arguments.other, arguments.data / arguments.other / "test.conll")):
        log = cache / f"log-{name}"
        if not log.exists():
            common.say(f"{name}: tagging")
            common.output([nomen, "tag", "--model", model, "--log", log, "--json", texts])
        logs[name] = rows_of(log)
    monitor = Monitor([nomen, "monitor", "--model", model, "--window", arguments.window], cache / "drawn.jsonl")

    false = own_domain(monitor, logs[arguments.own], arguments.runs)
    delays = other_domain(monitor, logs[arguments.own], logs[arguments.other], arguments.runs)
    found = [texts for texts in delays if texts is not None]
    size = (model / "nomen-profile.json").stat().st_size
    print(f"{arguments.own}, {common.machine()}\n")
    print("| what | figure |\n|---|---|")
    print(f"| logs of {OWN:,} texts of {arguments.own} with an alarm, a look every {LOOK} texts | {len(false)} of {arguments.runs} |")
    print(f"| logs that turn to {arguments.other} with an alarm within {SOON} texts | {len(found)} of {arguments.runs} |")
    if found:
        print(f"| texts of {arguments.other} until the alarm, a look every {STEP}: median (least to most) | {common.spread(found, '.0f')} |")
    print(f"| size of the profile | {size / 1e3:.0f} kB |")
    for texts, why in false:
        print(f"\nfalse alarm after {texts} texts: {why}")
    if any(texts == 0 for texts in found):
        print(f"\n{found.count(0)} of these alarms came before the first text of {arguments.other}")
    median_delay = statistics.median(found) if found else None
    sys.exit(0 if len(false) <= 1 and len(found) == arguments.runs and median_delay != 0 else 1)


if __name__ == "__main__":
    main()
