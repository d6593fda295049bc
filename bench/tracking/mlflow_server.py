"""Runs of Nomen at a real MLflow server on loopback: read back, through the death of the server, and what they cost.

    python3 -m venv .venv-tracking && .venv-tracking/bin/pip install -r bench/tracking/requirements.txt
    .venv-tracking/bin/python bench/tracking/mlflow_server.py --nomen target/release/nomen --base path:BASE --data DATA/wnut17

Four parts. `whole`: parameters, the history of every metric and every artifact are equal to the run's own files. `killed`:
the same after the server was killed by SIGKILL in the middle of the run and started again. `away`: the same after it was
killed and came back only when the run was over, by `nomen runs sync`. `time`: step times of runs with and without trackers,
in turn; the server works on the same machine.

Standard output is Markdown. Exit code 1 where something is lost, or a step takes more than 1 % longer.
"""

import argparse
import json
import math
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mlflow import MlflowClient  # noqa: E402

import common  # noqa: E402

BOUND = 1.01
NUMBERS = {
    "train/loss": "loss",
    "train/learning_rate": "learning_rate",
    "train/gradient_norm": "gradient_norm",
    "train/pieces_per_s": "pieces_per_s",
}


class Server:
    """An MLflow server over a folder, which can be killed and started again."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--workers", "1"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        log = (self.folder / "server.log").open("ab")
        # A group of its own: the server's workers die with it.
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the server does not start; see {self.folder}/server.log")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def events(run: Path, kind: str) -> list[dict]:
    path = run / "events.jsonl"
    # The last line may be half written.
    lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def histories(run: Path) -> dict[str, list[tuple[int, float]]]:
    """What the events say, by name of the metric."""
    found: dict[str, list[tuple[int, float]]] = {}

    def note(name: str, step: int, value: float | None) -> None:
        found.setdefault(name, []).append((step, math.nan if value is None else value))

    def scores(name: str, step: int, of: dict) -> None:
        for key in ["ents_p", "ents_r", "ents_f"]:
            note(f"{name}/{key}", step, of[key])
        for label, figures in of["ents_per_type"].items():
            note(f"{name}/ents_f/{label}", step, figures["f"])

    for event in events(run, "step"):
        for name, key in NUMBERS.items():
            note(name, event["step"], event[key])
    for event in events(run, "evaluation"):
        scores("dev", event["step"], event)
    for event in events(run, "scores"):
        for part in ["dev", "test"]:
            if part in event:
                scores(f"best/{part}", event["best"], event[part])
    return found


def compare(server: Server, run: Path) -> tuple[str, list[str]]:
    """What the server has of a run, in words, and what it has not."""
    client, wrong = MlflowClient(server.url), []
    experiment = client.get_experiment_by_name("nomen")
    runs = [found for found in client.search_runs([experiment.experiment_id]) if found.info.run_name == run.name]
    if len(runs) != 1:
        return "", [f"{len(runs)} runs are called {run.name}"]
    found = runs[0]
    if found.info.status != "FINISHED":
        wrong.append(f"its status is {found.info.status}")
    settings = events(run, "start")[0]["identity"]["settings"]
    for key, value in settings.items():
        there = found.data.params.get(key)
        if there is None or there != value and json.loads(there) != value:
            wrong.append(f"{key} is {there}, not {value}")
    expected, points = histories(run), 0
    if set(found.data.metrics) != set(expected):
        wrong.append(f"metrics: {sorted(set(found.data.metrics) ^ set(expected))}")
    for name, history in expected.items():
        there = sorted((metric.step, metric.value) for metric in client.get_metric_history(found.info.run_id, name))
        points += len(there)
        if there != sorted(history):
            wrong.append(f"{name}: {len(there)} points, not the {len(history)} of the events")
    files = [run / name for name in ["report.html", "run.toml", "events.jsonl"]]
    files += [path for path in (run / "model-best").rglob("*") if path.is_file()]
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            name = str(path.relative_to(run))
            there = Path(client.download_artifacts(found.info.run_id, name, folder))
            if there.read_bytes() != path.read_bytes():
                wrong.append(f"{name} differs")
    words = f"{len(found.data.params)} parameters, {len(expected)} metrics with {points:,} points, {len(files)} artifacts"
    return words, wrong


class Trainer:
    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options, self.folder = options, folder

    def command(self, name: str, track: list[str], test: bool = True) -> list[str]:
        data = self.options.data
        command = [self.options.nomen, "train", "--train", str(data / "train.conll"), "--dev", str(data / "dev.conll")]
        command += ["--test", str(data / "test.conll")] if test else []
        command += ["--base", self.options.base, "--out", str(self.folder / name)]
        for setting in [f"max_steps={self.options.steps}", f"eval_every={self.options.steps // 3}", "patience=0"]:
            command += ["--set", setting]
        for tracker in track:
            command += ["--track", tracker]
        return command

    def start(self, name: str, track: list[str], **more: bool) -> subprocess.Popen:
        log = (self.folder / f"{name}.log").open("wb")
        return subprocess.Popen(self.command(name, track, **more), stdout=log, stderr=log)

    def run(self, name: str, track: list[str], **more: bool) -> Path:
        if self.start(name, track, **more).wait() != 0:
            raise SystemExit(f"the run {name} failed; see {self.folder}/{name}.log")
        return self.folder / name


def wait_for_step(run: Path, step: int, process: subprocess.Popen) -> None:
    while len(events(run, "step")) < step:
        if process.poll() is not None:
            raise SystemExit(f"the run {run.name} is over before step {step}")
        time.sleep(0.1)


def step_times(run: Path) -> list[float]:
    return [event["pieces"] / event["pieces_per_s"] for event in events(run, "step")]


def timed(trainer: Trainer, server: Server, rounds: int) -> tuple[list[str], bool]:
    """Lines of a table, and whether the bound holds."""
    ways = {"no tracker": [], "MLflow and TensorBoard": [f"mlflow:{server.url}", "tensorboard"]}
    times: dict[str, list[list[float]]] = {way: [] for way in ways}
    for round_ in range(rounds):
        # Who is first takes turns, too.
        for way in sorted(ways, reverse=round_ % 2 == 1):
            common.say(f"time: {way}, round {round_ + 1} of {rounds}")
            times[way].append(step_times(trainer.run(f"time-{round_}-{len(ways[way])}", ways[way], test=False)))
    lines = ["| trackers | milliseconds a step, median |", "|---|---|"]
    for way, runs in times.items():
        lines.append(f"| {way} | {common.spread([1000 * statistics.median(run) for run in runs], '.1f')} |")
    # The same step does the same work in every run.
    without, tracked = times.values()
    fair = [[statistics.median(step) for step in zip(*runs, strict=True)] for runs in (without, tracked)]
    ratio = statistics.median(b / a for a, b in zip(*fair, strict=True))
    lines += ["", f"The same step with trackers over without, medians over {rounds} runs, median over steps: {ratio:.4f}."]
    return lines, ratio <= BOUND


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", required=True, help="the program")
    parser.add_argument("--base", required=True, help="the base's spec")
    parser.add_argument("--data", required=True, type=Path, help="folder with train.conll, dev.conll and test.conll")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="*", default=["whole", "killed", "away", "time"])
    parser.add_argument("--keep", type=Path, help="leave the runs and the server's folder here")
    options = parser.parse_args()
    good, results, lines = True, [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        trainer, server = Trainer(options, folder), Server(folder)
        track = [f"mlflow:{server.url}", "tensorboard"]
        early, later = options.steps // 5, options.steps // 4
        try:
            if "whole" in options.parts:
                common.say("whole")
                results.append(("never interrupted", *compare(server, trainer.run("whole", track))))
            if "killed" in options.parts:
                common.say("killed")
                process = trainer.start("killed", track)
                wait_for_step(folder / "killed", early, process)
                server.kill()
                wait_for_step(folder / "killed", later, process)
                server.start()
                back = len(events(folder / "killed", "step"))
                process.wait()
                words = f"killed after step {early}, back after step {back} of {options.steps}"
                results.append((words, *compare(server, folder / "killed")))
            if "away" in options.parts:
                common.say("away")
                process = trainer.start("away", track)
                wait_for_step(folder / "away", early, process)
                server.kill()
                process.wait()
                server.start()
                sync = subprocess.run([options.nomen, "runs", "sync", str(folder / "away")], check=False)
                words, wrong = compare(server, folder / "away")
                wrong += [f"nomen runs sync ended with {sync.returncode}"] if sync.returncode else []
                results.append((f"killed after step {early}, back after the run; `nomen runs sync`", words, wrong))
            if "time" in options.parts:
                lines, good = timed(trainer, server, options.rounds)
        finally:
            server.kill()
    if results:
        print("| server | what it has, all of it equal to the run's own | lost or different |\n|---|---|---|")
    for name, words, wrong in results:
        good = good and not wrong
        print(f"| {name} | {words} | {'; '.join(wrong) or 'nothing'} |")
    print("\n".join(["", *lines]))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
