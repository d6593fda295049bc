"""A text of 100,000 characters is tagged from end to end.

Joins texts of the bundled example that hold no entity until there are 100,000 characters, plants one sentence with
entities at the beginning, in the middle and at the end, and tags the whole as one line. Exit code 1: one is missing.

    python3 bench/long_text.py --model nomen-quickstart/model-best --nomen target/release/nomen
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

EXAMPLE = Path(__file__).parent / "../examples/tech/train.jsonl"
PLANTED = "We moved the service from Python to Rust last spring and talk gRPC to the Raspberry Pi now."
EXPECTED = [("Python", "PROGRAMMING_LANGUAGE"), ("Rust", "PROGRAMMING_LANGUAGE"), ("gRPC", "PROTOCOL")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a model of the quickstart's labels")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--characters", type=int, default=100_000)
    args = parser.parse_args()

    rows = [json.loads(line) for line in EXAMPLE.read_text(encoding="utf-8").splitlines()]
    filler = [row["text"] for row in rows if not row["entities"]]
    sentences, length = [], 0
    while length < args.characters - 3 * (len(PLANTED) + 1):
        sentences.append(filler[len(sentences) % len(filler)])
        length += len(sentences[-1]) + 1
    for place in (len(sentences), len(sentences) // 2, 0):
        sentences.insert(place, PLANTED)
    text = " ".join(sentences)

    began = time.perf_counter()
    command = [args.nomen, "tag", "--model", args.model, "--json"]
    done = subprocess.run(command, input=text + "\n", capture_output=True, text=True, encoding="utf-8")
    took = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode}: {done.stderr}")
    entities = json.loads(done.stdout)["entities"]
    moved = [e for e in entities if text[e["start"] : e["end"]] != e["text"]]
    found = {(e["start"], e["text"], e["label"]) for e in entities}
    missing, start = [], -1
    for name in ("beginning", "middle", "end"):
        start = text.index(PLANTED, start + 1)
        for surface, label in EXPECTED:
            if (start + PLANTED.index(surface), surface, label) not in found:
                missing.append(f"{surface} ({label}) at the {name}")
    print(f"{len(text):,} characters in {took:.1f} s: {len(entities)} entities, {len(moved)} with shifted offsets.")
    if missing or moved:
        raise SystemExit(f"not found: {', '.join(missing) or 'nothing'}; shifted: {moved[:5]}")
    print("All planted entities are found, at the beginning, in the middle and at the end.")


if __name__ == "__main__":
    main()
