"""A real Label Studio between `nomen convert --to label-studio` and Nomen's reader.

    python3 -m venv .venv-label-studio
    .venv-label-studio/bin/pip install -r bench/formats/requirements-label-studio.txt
    python3 bench/formats/label_studio.py --tool .venv-label-studio/bin/label-studio

Starts Label Studio on a free port of the loopback, with its data in a temporary folder. Each set becomes a project whose
labels are those of the set. Complete documents go in as annotations, partial ones as predictions. What comes back has to have
the same texts, entities and completeness, in both exports that Label Studio has: the snapshot with predictions written out
(all documents), and the export of the button (`export?exportType=JSON`), which names predictions by number only: there the
complete documents are compared.

Its editor (1.23.2, seen in a browser) counts code points as the files here do, CR and LF as two, and quotes a line end as a
backslash and an n.
"""

import contextlib
import json
import tempfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

from exchange import Table, arguments, convert, labels, read, sets

from servers import answers, free_port, request, running, wait_for

USER, PASSWORD = "nomen@example.com", "loopback-only"
# Only this server, which lives as long as the script, knows it.
TOKEN = "0123456789abcdef0123456789abcdef01234567"

SNAPSHOT = {"serialization_options": {"predictions": {"only_id": False}}}


class Studio:
    """The parts of Label Studio's API that an exchange needs."""

    def __init__(self, address: str) -> None:
        self.address, self.headers = address, {"Authorization": f"Token {TOKEN}"}

    def call(self, method: str, path: str, body: object = None) -> bytes:
        return request(method, f"{self.address}/api/{path}", self.headers, body)

    def json(self, method: str, path: str, body: object = None) -> dict:
        return json.loads(self.call(method, path, body))

    def project(self, name: str, names: list[str]) -> int:
        values = "".join(f"<Label value={quoteattr(label)}/>" for label in names)
        # The names are those that Nomen's regions refer to.
        config = f'<View><Labels name="label" toName="text">{values}</Labels><Text name="text" value="$text"/></View>'
        return self.json("POST", "projects/", {"title": name, "label_config": config})["id"]

    def put(self, project: int, tasks: list) -> None:
        told = self.json("POST", f"projects/{project}/import", tasks)
        if told["task_count"] != len(tasks):
            raise SystemExit(f"Label Studio took {told['task_count']} of {len(tasks)} tasks: {told}")

    def button(self, project: int) -> bytes:
        return self.call("GET", f"projects/{project}/export?exportType=JSON&download_all_tasks=true")

    def snapshot(self, project: int) -> bytes:
        number = self.json("POST", f"projects/{project}/exports/", SNAPSHOT)["id"]
        path = f"projects/{project}/exports/{number}"
        wait_for("snapshot", lambda: self.json("GET", path)["status"] == "completed")
        return self.call("GET", f"{path}/download?exportType=JSON")


def exchange(args, studio: Studio, table: Table, name: str, path: Path, folder: Path) -> None:
    before = read(path)
    tasks = convert(args, path, folder / f"{name}.tasks.json", "--to", "label-studio")
    project = studio.project(name, labels(before))
    studio.put(project, json.loads(tasks.read_text(encoding="utf-8")))
    complete = [document for document in before if document.get("complete", True)]
    for way, exported, expected in (
        ("snapshot", studio.snapshot(project), before),
        ("button", studio.button(project), complete),
    ):
        export = folder / f"{name}.{way}.json"
        export.write_bytes(exported)
        after = read(convert(args, export, folder / f"{name}.{way}.jsonl", "--from", "label-studio"))
        if len(after) != len(before):
            raise SystemExit(f"{name}, {way}: {len(after)} documents of {len(before)}")
        if way == "button":
            after = [document for document in after if document.get("complete", True)]
        table.row(f"{name}, {way}", expected, after)


@contextlib.contextmanager
def started(tool: Path, scratch: Path, **settings: str):
    """A Label Studio with its data below `scratch`, for as long as the block lasts; settings are added to its environment."""
    data, port = scratch / "data", free_port()
    command = [tool.absolute(), "start", "--no-browser", "--data-dir", data, "--internal-host", "127.0.0.1"]
    command += ["--port", port, "--username", USER, "--password", PASSWORD, "--user-token", TOKEN]
    command += ["--enable-legacy-api-token"]
    # Nothing is reported to anybody, and nothing asked.
    env = {"HOME": scratch, "LABEL_STUDIO_BASE_DATA_DIR": data, "COLLECT_ANALYTICS": "0", "LATEST_VERSION_CHECK": "0"}
    env |= {"SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    with running(command, {key: str(value) for key, value in (env | settings).items()}, scratch / "label-studio.log") as child:
        studio = Studio(f"http://127.0.0.1:{port}")
        wait_for("Label Studio", lambda: answers(f"{studio.address}/health"), child)
        yield studio


def main() -> None:
    parser = arguments(__doc__, tool=(Path(".venv-label-studio/bin/label-studio"), "Label Studio's program"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        with started(args.tool, Path(scratch)) as studio:
            table = Table()
            for name, path in sets(args, folder, partial=True).items():
                exchange(args, studio, table, name, path, folder)
    table.exit()


if __name__ == "__main__":
    main()
