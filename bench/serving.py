"""Throughput and latency of `nomen serve` beside two servers made in Python, in turn, in one run.

    cargo install oha --version 1.16.0 --locked
    .venv-peers/bin/pip install -r bench/requirements.txt
    .venv-peers/bin/python bench/serving.py --model DIR --rounds 3

The peers are FastAPI around transformers' `pipeline` and FastAPI around ONNX Runtime int8 (`peers/serve_pipeline.py`,
`peers/serve_onnx.py`). Every request has one text, drawn from the test texts of a set; all sides get the same bodies at the same
route. In a round each server is started, asked every text once, one after the other, and then driven by oha with each number of
connections. Whether the answers have entities, and as many as in the round before, is looked at first. Server and oha share the
machine.

Exit code 1: a bound is missed. At 64 connections the texts a second must be at least 10 times those of `pipeline` and 1.5 times
those of ONNX Runtime; at 8 connections p99 must be at most a third of that of `pipeline`.
"""

import argparse
import http.client
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from common import HERE, machine, output, say, spread, texts_of
from servers import answers, free_port, running, wait_for

PIPELINE, ONNX, NOMEN = "FastAPI, `pipeline`", "FastAPI, ONNX Runtime int8", "`nomen serve`, int8"
SIDES = {"pipeline": PIPELINE, "onnx": ONNX, "nomen": NOMEN}
# Side, connections, figure, what Nomen's is divided by or divides, and the least ratio.
BOUNDS = [
    (PIPELINE, 64, "texts a second", lambda ours, theirs: ours["rate"] / theirs["rate"], 10.0),
    (ONNX, 64, "texts a second", lambda ours, theirs: ours["rate"] / theirs["rate"], 1.5),
    (PIPELINE, 8, "p99", lambda ours, theirs: theirs["p99"] / ours["p99"], 3.0),
]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a token classifier")
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data", help="folder of the sets")
    parser.add_argument("--sets", nargs="*", default=["wnut17", "ncbi_disease"], help="folders of --data with test.conll")
    parser.add_argument("--sides", nargs="*", choices=SIDES, default=list(SIDES))
    parser.add_argument("--connections", nargs="*", type=int, default=[1, 8, 64])
    parser.add_argument("--nomen", nargs="+", default=["target/release/nomen"])
    parser.add_argument("--python", default=sys.executable, help="python of the peers")
    parser.add_argument("--oha", default=shutil.which("oha") or "oha")
    parser.add_argument("--work", type=Path, help="folder for converted models, one a model; kept")
    parser.add_argument("--peer", nargs="*", default=[], help="options for the peers, such as workers=2 batch=0")
    parser.add_argument("--threads", type=int, default=2, help="of Nomen")
    parser.add_argument("--asked", type=int, default=300, help="texts of each set that are asked one by one first")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def command(args, side: str, port: int) -> list:
    if side == NOMEN:
        serve = [*args.nomen, "serve", "--model", args.model, "--addr", f"127.0.0.1:{port}"]
        return [*serve, "--precision", "int8", "--threads", args.threads]
    script = {PIPELINE: "serve_pipeline.py", ONNX: "serve_onnx.py"}[side]
    peer = [args.python, HERE / "peers" / script, "--model", args.model, "--port", port, "--work", args.work]
    for option in args.peer:
        name, _, value = option.partition("=")
        peer += [f"--{name}", value]
    return peer


@contextmanager
def serving(args, side: str):
    """The side's server for as long as the block lasts; its port."""
    port = free_port()
    # Neither side writes a line a request.
    with running(command(args, side, port), {"NOMEN_SERVE_LOG__REQUESTS": "false"}, args.work / "server.log") as child:
        wait_for(side, lambda: answers(f"http://127.0.0.1:{port}/health/ready"), child)
        yield port


def entities(port: int, texts: list[str]) -> int:
    """How many entities the texts have, asked one by one over one connection."""
    link, found = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0
    for text in texts:
        link.request("POST", "/v1/tag", json.dumps({"texts": [text]}), {"Content-Type": "application/json"})
        reply = link.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{reply.status} for {text!r}: {body[:500]}")
        (result,) = json.loads(body)["results"]
        for entity in result["entities"]:
            if text[entity["start"] : entity["end"]] != entity["text"]:
                raise SystemExit(f"{text!r}: {entity} is not at its place")
        found += len(result["entities"])
    link.close()
    return found


def drive(args, port: int, bodies: Path, connections: int, seconds: float) -> dict:
    """Texts a second, p50 and p99 in milliseconds, as oha saw them."""
    asked = [args.oha, "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-c", connections, "-m", "POST"]
    # The slowest answers count as well: those that are under way when time is over are waited for.
    asked += ["-w", "-T", "application/json", "-Z", bodies, f"http://127.0.0.1:{port}/v1/tag"]
    told = json.loads(output(asked))
    if told["errorDistribution"]:
        raise SystemExit(f"oha: {told['errorDistribution']}")
    if set(told["statusCodeDistribution"]) != {"200"}:
        raise SystemExit(f"status codes: {told['statusCodeDistribution']}")
    latency = told["latencyPercentiles"]
    return {"rate": told["summary"]["requestsPerSec"], "p50": 1000 * latency["p50"], "p99": 1000 * latency["p99"]}


def measured(args, sets: dict[str, list[str]]) -> tuple[dict, dict]:
    """Figures of every round by set, connections and side; entities by set and side."""
    figures, counts = defaultdict(list), {}
    for turn in range(args.rounds):
        for side in (SIDES[name] for name in args.sides):
            with serving(args, side) as port:
                for name, texts in sets.items():
                    found = entities(port, texts[: args.asked])
                    before = counts.setdefault((name, side), found)
                    if not found or found != before:
                        raise SystemExit(f"{side}, {name}: {found} entities, {before} in the first round")
                for name in sets:
                    bodies = args.work / f"{name}.bodies.jsonl"
                    drive(args, port, bodies, max(args.connections), min(2, args.seconds))
                    for connections in args.connections:
                        figure = drive(args, port, bodies, connections, args.seconds)
                        figures[name, connections, side].append(figure)
                        say(f"round {turn + 1}: {name}, {connections} connections, {side}: {figure}")
    return figures, counts


def report(args, figures: dict, counts: dict) -> bool:
    """Prints the tables; whether all bounds hold."""
    sides = [SIDES[name] for name in args.sides]
    print(f"{args.rounds} rounds of {args.seconds:g} s, one text a request.\n")
    print("| texts | connections | server | texts a second | p50, ms | p99, ms |\n|---|---|---|---|---|---|")
    for (name, connections, side), rounds in sorted(figures.items(), key=lambda item: (*item[0][:2], sides.index(item[0][2]))):
        rate, half, most = (spread([figure[key] for figure in rounds], ".1f") for key in ("rate", "p50", "p99"))
        print(f"| {name} | {connections} | {side} | {rate} | {half} | {most} |")
    print(f"\nEntities in the first {args.asked} texts, asked one by one, the same number in every round: ", end="")
    print("; ".join(f"{name}, {side}: {found}" for (name, side), found in counts.items()) + ".")
    held = True
    if NOMEN in sides:
        print("\n| texts | bound | ratio | at least | held |\n|---|---|---|---|---|")
        for name in dict.fromkeys(key[0] for key in figures):
            for side, connections, what, ratio, least in BOUNDS:
                ours, theirs = (figures.get((name, connections, who)) for who in (NOMEN, side))
                if not ours or not theirs:
                    continue
                ratios = [ratio(*pair) for pair in zip(ours, theirs)]
                good = median(ratios) >= least
                held &= good
                against = f"{what} at {connections} connections beside {side}"
                print(f"| {name} | {against} | {spread(ratios)} | {least:g} | {'yes' if good else 'NO'} |")
    return held


def main() -> None:
    args = arguments()
    say(machine())
    with tempfile.TemporaryDirectory() as folder:
        args.work = args.work or Path(folder)
        args.work.mkdir(parents=True, exist_ok=True)
        sets = {name: texts_of(args.data / name / "test.conll") for name in args.sets}
        for name, texts in sets.items():
            bodies = "".join(json.dumps({"texts": [text]}) + "\n" for text in texts)
            (args.work / f"{name}.bodies.jsonl").write_text(bodies, encoding="utf-8")
        held = report(args, *measured(args, sets))
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
