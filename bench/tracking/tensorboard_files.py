"""Event files of Nomen in the real TensorBoard: read by its `EventAccumulator`, and shown by its server on loopback.

    .venv-tracking/bin/python bench/tracking/tensorboard_files.py --run RUN

RUN is the folder of a run that was trained with `--track tensorboard`. Every number is compared with events.jsonl (TensorBoard
keeps 32 bits of each). Standard output is Markdown; exit code 1 where something differs.
"""

import argparse
import json
import math
import socket
import struct
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

from mlflow_server import histories  # noqa: E402


def single(value: float) -> float:
    """The value in 32 bits."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def served(folder: Path, names: list[str]) -> dict[str, int]:
    """How many points of each scalar the server shows."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port), "--load_fast=false"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        base, shown = f"http://127.0.0.1:{port}/data/plugin/scalars", {}
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{base}/tags", timeout=5) as answer:
                    tags = json.load(answer)
                if tags and all(name in next(iter(tags.values())) for name in names):
                    break
            except OSError:
                pass
            time.sleep(0.2)
        else:
            return shown
        run = next(iter(tags))
        for name in names:
            query = urllib.parse.urlencode({"tag": name, "run": run})
            with urllib.request.urlopen(f"{base}/scalars?{query}", timeout=5) as answer:
                shown[name] = len(json.load(answer))
        return shown
    finally:
        server.kill()
        server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path)
    run = parser.parse_args().run
    expected, wrong = histories(run), []
    files = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
    files.Reload()
    if set(files.Tags()["scalars"]) != set(expected):
        wrong.append(f"scalars: {sorted(set(files.Tags()['scalars']) ^ set(expected))}")
    points = 0
    for name, history in expected.items():
        there = [(event.step, event.value) for event in files.Scalars(name)]
        points += len(there)
        wanted = [(step, single(value)) for step, value in history]
        if len(there) != len(wanted) or not all(a[0] == b[0] and same(a[1], b[1]) for a, b in zip(there, wanted)):
            wrong.append(f"{name} differs")
    texts = {name: files.Tensors(name)[0].tensor_proto.string_val[0].decode() for name in files.Tags()["tensors"]}
    if "learning_rate" not in texts.get("run/settings", ""):
        wrong.append("there is no text of the settings")
    shown = served(run / "tensorboard", list(expected))
    if any(shown.get(name) != len(history) for name, history in expected.items()):
        wrong.append(f"the server shows {shown}")
    print("| read by | scalars | points | texts | lost or different |\n|---|---|---|---|---|")
    print(f"| `EventAccumulator` | {len(expected)} | {points:,} | {len(texts)} | {'; '.join(wrong) or 'nothing'} |")
    print(f"| the server | {len(shown)} | {sum(shown.values()):,} | | |")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
