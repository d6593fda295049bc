"""The programs of examples/clients, run as their users do."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "examples/clients"


def check(checks, server, texts: list[str], _tool, _scratch) -> None:
    expected = []
    for text, entities in zip(texts, server.entities):
        expected += [text, *(f"  {label}: {text[start:end]}" for start, end, label in entities)]
    # What is printed ends lines where texts do.
    expected = "\n".join(expected).replace("\r\n", "\n").split("\n")
    for name in ("with_requests.py", "with_inference_client.py"):
        command = [sys.executable, FOLDER / name, "--url", server.url, *texts]
        done = subprocess.run(list(map(str, command)), capture_output=True, encoding="utf-8")
        checks.equal(f"{name} ends well", (done.returncode, done.stderr), (0, ""))
        shown = [line.rsplit(" (", 1)[0] if line.startswith("  ") else line for line in done.stdout.rstrip("\n").split("\n")]
        checks.equal("  and shows every entity", shown, expected)
