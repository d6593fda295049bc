"""Real clients, from their own packages, at a real `nomen serve` on loopback.

    python3 -m venv .venv-clients && .venv-clients/bin/pip install -r bench/clients/requirements.txt
    .venv-clients/bin/python bench/clients --nomen target/release/nomen --model MODEL

`hub`: huggingface_hub's InferenceClient. `triton`: tritonclient over HTTP, JSON and binary. `examples`: the programs of
examples/clients. `label-studio`: a project is made, the server connected as its backend, pre-annotations fetched, an
annotation submitted and received. `doccano`: its auto-labelling by a custom REST request. `prometheus`: Debian's package
scrapes, the rules of deploy/ are computed, alerts fire and end.

What each gets is compared with what `nomen tag` says of the same texts. Label Studio and doccano need the environments of
bench/formats (`--label-studio`, `--doccano`), Prometheus the program of that name. A part whose tool is missing is left
out, which is said.

Exit code 1: something differs.
"""

import argparse
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "formats")]

from common import Checks, say  # noqa: E402
from servers import answers, free_port, running, wait_for  # noqa: E402

ROOT = HERE.parent.parent
# What is looked at, and the file that does it: not called as a package that it imports.
PARTS = {
    "hub": "inference_client",
    "triton": "inference_protocol",
    "examples": "example_programs",
    "label-studio": "ml_backend",
    "doccano": "auto_labelling",
    "prometheus": "scraping",
}
# Offsets go wrong behind emoji, joined characters and line ends first.
TEXTS = [
    "Anna Smith met Tom Hanks in London .",
    "😀 Anna met 👩‍👩‍👧 Tom Hanks in Paris 🎉 today",
    "First line\r\nTom Hanks lives in\r\nBerlin\r\n",
    "Cafe\u0301 in Zu\u0308rich, said Tom Hanks",
    "the of and",
]


@dataclass
class Server:
    """A server that runs, what it was started with, and what it has to find."""

    url: str
    annotations: Path
    # `(start, end, label)` in code points of each of TEXTS, as `nomen tag` has them.
    entities: list[list[tuple[int, int, str]]]
    # Ends it, for those who watch it end; its exit code.
    stop: Callable[[], int]


def tagged(nomen: list[str], model: Path, texts: list[str]) -> list[list[tuple[int, int, str]]]:
    """What `nomen tag` finds; texts hold line ends, so they go as JSON lines."""
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [*nomen, "tag", "--json", "--format", "jsonl", "--model", str(model)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    rows = [json.loads(line) for line in done.stdout.split("\n") if line]
    return [[(entity["start"], entity["end"], entity["label"]) for entity in row["entities"]] for row in rows]


@contextmanager
def serving(args, scratch: Path, entities: list):
    """A server for as long as the block lasts."""
    port, annotations = free_port(), scratch / "annotations.jsonl"
    command = [*args.nomen, "serve", "--model", args.model.absolute(), "--addr", f"127.0.0.1:{port}"]
    env = {"NOMEN_SERVE_ANNOTATIONS": str(annotations)}
    with running(command, env, scratch / "nomen.log") as child:
        url = f"http://127.0.0.1:{port}"
        wait_for("nomen serve", lambda: answers(f"{url}/health/ready"), child)

        def stop() -> int:
            child.terminate()
            return child.wait(40)

        yield Server(url, annotations, entities, stop)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", nargs="+", default=[str(ROOT / "target/release/nomen")])
    parser.add_argument("--model", type=Path, required=True, help="folder of a model that knows persons and locations")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--label-studio", type=Path, default=ROOT / ".venv-label-studio/bin/label-studio")
    parser.add_argument("--doccano", type=Path, default=ROOT / ".venv-doccano/bin/doccano")
    parser.add_argument("--prometheus", type=Path, default=shutil.which("prometheus") or Path("prometheus"))
    args = parser.parse_args()
    args.nomen[0] = str(Path(args.nomen[0]).absolute()) if "/" in args.nomen[0] else args.nomen[0]
    tools = {"label-studio": args.label_studio, "doccano": args.doccano, "prometheus": args.prometheus}
    checks, entities = Checks(), tagged(args.nomen, args.model, TEXTS)
    checks.equal("nomen tag finds entities in all texts but the last", list(map(bool, entities)), [True] * 4 + [False])
    for part in args.parts:
        tool = tools.get(part)
        if tool is not None and not Path(tool).exists():
            say(f"LEFT OUT: {part}, because there is no {tool}")
            continue
        print(f"\n{part}")
        with tempfile.TemporaryDirectory() as scratch, serving(args, Path(scratch), entities) as server:
            importlib.import_module(PARTS[part]).check(checks, server, TEXTS, tool, Path(scratch))
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
