"""The programs of examples/clients, run as their users do."""

import subprocess
import sys
from pathlib import Path

from inference_client import same_words

FOLDER = Path(__file__).resolve().parent.parent.parent / "examples/clients"


def check(checks, server, texts: list[str], _tool, _scratch) -> None:
    for name, knows in (("with_requests.py", lambda _: True), ("with_inference_client.py", same_words)):
        pairs = [pair for pair in zip(texts, server.entities) if knows(pair[0])]
        expected = []
        for text, entities in pairs:
            expected += [text, *(f"  {label}: {text[start:end]}" for start, end, label in entities)]
        # What is printed ends lines where texts do.
        expected = "\n".join(expected).replace("\r\n", "\n").split("\n")
        command = [sys.executable, FOLDER / name, "--url", server.url, *(text for text, _ in pairs)]
        done = subprocess.run(list(map(str, command)), capture_output=True, encoding="utf-8")
        checks.equal(f"{name} ends well", (done.returncode, done.stderr), (0, ""))
        lines = done.stdout.rstrip("\n").split("\n")
        shown = [line.rsplit(" (", 1)[0] if line.startswith("  ") else line for line in lines]
        checks.equal("  and shows every entity", shown, expected)
