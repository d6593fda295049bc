"""The quickstart from a clean clone: seconds to build, seconds to the tagged sentences, F1.

    python3 bench/quickstart.py --rounds 3

Clones what is committed, builds it once and runs `nomen quickstart` in a new folder every round. Crates and base model
are fetched within these times where no cache has them. Exit code 1: a quickstart took longer than it may.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from common import HERE, evaluate_nomen, machine, say, shown, spread

# Seconds that a quickstart may take, as in ./check.
BOUND = 240


def seconds(command: list, folder: Path) -> float:
    # The clone is built as a newcomer builds it, whatever this shell is set to.
    settings = ("CARGO_TARGET", "CARGO_BUILD", "CARGO_PROFILE", "RUSTFLAGS")
    env = {key: value for key, value in os.environ.items() if not key.startswith(settings)}
    began = time.perf_counter()
    done = subprocess.run([str(c) for c in command], cwd=folder, env=env, stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {shown(command)}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    say(machine())
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "fresh"
        seconds(["git", "clone", "--quiet", HERE.parent, clone], Path(folder))
        built = seconds(["cargo", "build", "--locked", "--release"], clone)
        say(f"built in {built:.0f} s")
        nomen, took = clone / "target/release/nomen", []
        for turn in range(args.rounds):
            out = clone / f"quickstart-{turn + 1}"
            took.append(seconds([nomen, "quickstart", "--out", out], clone))
            say(f"round {turn + 1}: {took[-1]:.0f} s")
        report = evaluate_nomen(nomen, out / "model-best", out / "data/test.jsonl", "f32")
    interval = report["ents_f_interval"]
    print(f"- Build from a clean clone: {built:.0f} s.")
    print(f"- Quickstart, {args.rounds} rounds: {spread(took, '.0f')} s (bound {BOUND} s).")
    print(f"- Test F1 {report['ents_f']:.3f} ({interval['low']:.3f} to {interval['high']:.3f}).")
    raise SystemExit(0 if max(took) <= BOUND else 1)


if __name__ == "__main__":
    main()
