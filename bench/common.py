"""What the measuring scripts share: the machine in words, texts of CoNLL files, programs run and what they cost."""

import contextlib
import fcntl
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))

import conll  # noqa: E402

# What a processor has for fast products, and the flags of the kernel that say so.
INSTRUCTIONS = {
    "AVX-512": {"avx512f"},
    "VNNI": {"avx512_vnni", "avx_vnni"},
    "BF16": {"avx512_bf16"},
    "AMX": {"amx_tile"},
}


def machine() -> str:
    """One line: the processor, which of the instructions above it has, cores, memory."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = set(fields.get("flags", "").split())
    has = ", ".join(name for name, known in INSTRUCTIONS.items() if flags & known)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = fields.get("model name") or platform.processor() or platform.machine()
    return f"{name} ({has or 'no AVX-512'}), {os.cpu_count()} cores, {math.ceil(memory)} GiB"


def say(text: str) -> None:
    """Progress, on standard error: standard output is for the report alone."""
    print(text, file=sys.stderr, flush=True)


def spread(values: list[float], form: str = ".2f") -> str:
    """`median (lowest to highest)`, or the one value."""
    shown = [format(value, form) for value in (statistics.median(values), min(values), max(values))]
    return f"{shown[0]} ({shown[1]} to {shown[2]})" if len(values) > 1 else shown[0]


class Results:
    """What was measured, by a name for what it is: one file of JSON, so that hours of runs can stop here and go on elsewhere.

    Several scripts may write to one file at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known = self.read()

    def read(self) -> dict:
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def get(self, name: str):
        return self.known.get(name)

    def put(self, name: str, value) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.parent):
            # Another run may have written since.
            self.known = self.read() | {name: value}
            rows = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(self.known.items())]
            part = self.path.with_suffix(".part")
            part.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
            part.replace(self.path)


@contextlib.contextmanager
def locked(folder: Path):
    """Alone among the processes that ask for this folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Checks:
    """Counts what is not as expected, and prints every comparison."""

    def __init__(self) -> None:
        self.failed = 0

    def equal(self, what: str, found, expected) -> None:
        ok = found == expected
        self.failed += not ok
        told = "" if ok else f": found {found!r}, expected {expected!r}"
        print(f"{'ok' if ok else 'DIFFERS'}: {what}{told}", flush=True)

    def below(self, what: str, found: float, most: float) -> None:
        self._bounded(what, found, found <= most, f"at most {most:g}")

    def above(self, what: str, found: float, least: float) -> None:
        self._bounded(what, found, found >= least, f"at least {least:g}")

    def _bounded(self, what: str, found: float, ok: bool, bound: str) -> None:
        self.failed += not ok
        print(f"{'ok' if ok else 'MISSED'}: {what}: {found:.4g} ({bound})", flush=True)


def texts_of(path: Path, limit: int | None = None) -> list[str]:
    """The first `limit` sentences of a CoNLL file as texts, words joined by one space."""
    return [sentence.text for sentence in conll.read(path)[:limit]]


def words_of(path: Path) -> int:
    return sum(len(sentence.words) for sentence in conll.read(path))


def write_texts(path: Path, texts: list[str]) -> Path:
    """A file with one text a line; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def shown(command: list) -> str:
    return " ".join(map(str, command))


def output(command: list) -> str:
    """Standard output of a command."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {shown(command)}\n{done.stderr[-2000:]}")
    return done.stdout


def last_json(command: list) -> dict:
    """The JSON object on the last line of a command's standard output."""
    return json.loads(output(command).strip().split("\n")[-1])


def run(command: list, log: Path) -> None:
    """Runs a command, what it prints into `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        done = subprocess.run([str(c) for c in command], stdout=out, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise SystemExit(f"exit code {done.returncode} from {shown(command)}\n{tail}\nfull log: {log}")


def cost_of(
    command: list, stdin: Path | None = None, stdout: Path | None = None, env: dict | None = None
) -> tuple[float, int]:
    """Runs a command to its end: wall seconds, and peak resident memory in bytes as the system accounts it.

    `env` is added to the environment; what is printed and goes to no `stdout` is shown if the command fails.
    """
    command = [str(c) for c in command]
    with tempfile.TemporaryFile() as log, open(stdin or os.devnull, "rb") as read:
        with open(stdout, "wb") if stdout else contextlib.nullcontext(log) as out:
            began = time.perf_counter()
            child = subprocess.Popen(command, stdin=read, stdout=out, stderr=log, env=os.environ | (env or {}))
            _, status, usage = os.wait4(child.pid, 0)
            took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            log.seek(0)
            tail = log.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"exit code {child.returncode} from {shown(command)}\n{tail}")
    return took, usage.ru_maxrss * 1024


def peak_of(command: list, env: dict | None = None) -> int:
    """Runs a command to its end; its peak resident memory in bytes."""
    return cost_of(command, env=env)[1]


def train_nomen(nomen: str, base: Path, data: Path, settings: dict) -> tuple[int, float, int]:
    """Trains and drops the model: word pieces, seconds of the steps (evaluation left out), peak memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [nomen, "train", "--base", f"path:{base}", "--out", out]
        command += ["--train", data / "train.conll", "--dev", data / "dev.conll"]
        for key, value in (settings | {"eval_every": 1_000_000, "patience": 0, "augment.copies": 0}).items():
            command += ["--set", f"{key}={value}"]
        peak = peak_of(command)
        events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    steps = [event for event in events if event["event"] == "step"]
    return sum(s["pieces"] for s in steps), sum(s["pieces"] / s["pieces_per_s"] for s in steps), peak


def tag_nomen(nomen: str, model: Path, precision: str, threads: int) -> list:
    """The command of `nomen tag` but for its input."""
    return [nomen, "tag", "--model", model, "--precision", precision, "--threads", threads]


def evaluate_nomen(nomen: str, model: Path, data: Path, precision: str) -> dict:
    """The report of `nomen evaluate`; its `ents_f` is the strict F1. Published sets share a few texts
    between train and test, and the peers are scored on them too."""
    command = [nomen, "evaluate", "--model", model, "--data", data, "--json", "--precision", precision, "--seen-too"]
    return json.loads(output(command))
