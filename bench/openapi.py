"""Requests made up from the server's own description, by schemathesis: no 5xx, no answer that the description does not know.

    pip install schemathesis
    python3 bench/openapi.py --nomen target/release/nomen --model MODEL --schemathesis PATH/st --examples 200

Prints what schemathesis says; the exit status is its own. Needs the standard library, `nomen` and schemathesis.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from common import machine
from servers import answers, free_port, running, wait_for

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", type=Path, default=Path("target/release/nomen"))
    parser.add_argument("--model", type=Path, required=True, help="a bundle")
    parser.add_argument("--schemathesis", default="st", help="its program")
    parser.add_argument("--examples", type=int, default=100, help="requests a route, at most")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(f"# {machine()}\n# python3 bench/openapi.py {' '.join(sys.argv[1:])}", flush=True)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            args.nomen.resolve(), "serve", "--model", f"m={args.model.resolve()}", "--addr", f"127.0.0.1:{port}",
            "--set", f"annotations={folder}/annotations.jsonl",
        ]  # fmt: skip
        with running(command, {}, Path(folder) / "server.log") as child:
            url = f"http://127.0.0.1:{port}"
            wait_for("nomen serve", lambda: answers(f"{url}/health/ready"), child, 30)
            asked = [
                args.schemathesis, "run", f"{url}/openapi.json", "--checks", ",".join(CHECKS),
                "--max-examples", str(args.examples), "--seed", str(args.seed),
                # It cannot write lines of JSON.
                "--exclude-path", "/v1/tag/stream",
            ]  # fmt: skip
            status = subprocess.run(asked, cwd=folder).returncode
            if child.poll() is not None:
                print(f"the server ended with {child.returncode}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
