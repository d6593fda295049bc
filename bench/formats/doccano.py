"""A real doccano between `nomen convert --to doccano` and Nomen's reader.

    python3.10 -m venv .venv-doccano
    .venv-doccano/bin/pip install -r bench/formats/requirements-doccano.txt
    python3 bench/formats/doccano.py --tool .venv-doccano/bin/doccano

Starts doccano's application and its task worker, with their data in a temporary folder. `doccano webserver` would listen on
every address of the machine; so the server that it uses is started here as it does, on a free port of the loopback. Each
set becomes a project for sequence labelling. JSONL goes in and comes out through the API, as its pages do it. What comes
back has to have the same texts and entities, read with `--offsets code-points`: doccano's server keeps the offsets that it
was given.

What people select in its editor counts otherwise (seen in a browser, 1.8.4): UTF-16 units, so that such an export is read
with `--offsets utf16`; in a project with "count grapheme clusters" (`grapheme_mode`) grapheme clusters, CRLF as one, which
Nomen has no unit for. The editor shows offsets that count code points too far to the left behind an emoji.

doccano has no word for a partial document: all that are given are complete. It exports every text with a list of labels, so
a text that nobody annotated comes back like one without entities.
"""

import contextlib
import http.cookiejar
import io
import json
import tempfile
import urllib.request
import uuid
import zipfile
from pathlib import Path

from exchange import Table, arguments, convert, read, sets

from common import cost_of, output
from servers import answers, free_port, request, running, wait_for

USER, PASSWORD = "nomen", "loopback-only"


class Doccano:
    """The parts of doccano's API that an exchange needs."""

    def __init__(self, address: str) -> None:
        self.address, self.headers = address, {}

    def log_in(self) -> None:
        """The session and its token against forgery travel as cookies; writing asks for the token as a header too."""
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        body = json.dumps({"username": USER, "password": PASSWORD}).encode()
        asked = urllib.request.Request(
            f"{self.address}/v1/auth/login/", body, {"Content-Type": "application/json"}, method="POST"
        )
        opener.open(asked, timeout=60).close()
        cookies = {cookie.name: cookie.value for cookie in jar}
        self.headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        self.headers |= {"X-CSRFToken": cookies["csrftoken"], "Referer": self.address}

    def call(self, method: str, path: str, body: object = None, **more: str) -> bytes:
        return request(method, f"{self.address}/v1/{path}", self.headers, body, **more)

    def json(self, method: str, path: str, body: object = None) -> dict:
        return json.loads(self.call(method, path, body))

    def done(self, task: str) -> None:
        """Waits until the worker has done it; a refused line ends the proof as a failed task does."""

        def ready() -> dict | None:
            status = self.json("GET", f"tasks/status/{task}")
            return status if status["ready"] else None

        status = wait_for("doccano's worker", ready)
        # Of an upload the result says what was refused; of a download it is a path.
        refused = status["result"]["error"] if isinstance(status["result"], dict) else None
        if problem := status["error"] or refused:
            raise SystemExit(f"doccano's worker: {problem}")

    def project(self, name: str) -> int:
        kind = {"project_type": "SequenceLabeling", "resourcetype": "SequenceLabelingProject"}
        about = {"name": name, "description": name, "guideline": "", "collaborative_annotation": True, "tags": []}
        return self.json("POST", "projects", kind | about)["id"]

    def put(self, project: int, lines: bytes) -> None:
        mark = uuid.uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="filepond"; filename="x.jsonl"\r\n'
        form = head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + lines + f"\r\n--{mark}--\r\n".encode()
        upload = self.call("POST", "fp/process/", form, kind=f"multipart/form-data; boundary={mark}").decode()
        asked = {"format": "JSONL", "task": "SequenceLabeling", "uploadIds": [upload.strip()]}
        asked |= {"column_data": "text", "column_label": "label", "delimiter": "", "encoding": "utf_8"}
        self.done(self.json("POST", f"projects/{project}/upload", asked)["task_id"])

    def take(self, project: int) -> bytes:
        asked = {"format": "JSONL", "exportApproved": False}
        task = self.json("POST", f"projects/{project}/download", asked)["task_id"]
        self.done(task)
        archive = zipfile.ZipFile(io.BytesIO(self.call("GET", f"projects/{project}/download?taskId={task}")))
        (name,) = archive.namelist()
        return archive.read(name)


def server(tool: Path, port: int) -> list:
    """What `doccano webserver` starts, but for the address."""
    application = output([tool.with_name("python"), "-c", "import backend; print(backend.__path__[0])"]).strip()
    gunicorn = [tool.with_name("gunicorn"), "config.wsgi", "--chdir", application]
    return [*gunicorn, "--bind", f"127.0.0.1:{port}", "--workers", 1]


def settings(home: Path) -> dict[str, str]:
    """The environment that doccano's own program gives its server."""
    production = {"STANDALONE": "True", "DJANGO_SETTINGS_MODULE": "config.settings.production"}
    return production | {"DATABASE_URL": f"sqlite:///{home}/db.sqlite3", "MEDIA_ROOT": str(home / "media")}


@contextlib.contextmanager
def started(tool: Path, scratch: Path):
    """doccano and its worker with their data below `scratch`, for as long as the block lasts; logged in."""
    tool, home = tool.absolute(), scratch / "home"
    home.mkdir(parents=True, exist_ok=True)
    env = {"DOCCANO_HOME": str(home), "HOME": str(scratch)}
    cost_of([tool, "init"], env=env)
    cost_of([tool, "createuser", "--username", USER, "--password", PASSWORD], env=env)
    port = free_port()
    with (
        running(server(tool, port), env | settings(home), scratch / "doccano.log") as child,
        running([tool, "task", "--concurrency", 1], env, scratch / "worker.log"),
    ):
        doccano = Doccano(f"http://127.0.0.1:{port}")
        wait_for("doccano", lambda: answers(doccano.address), child)
        doccano.log_in()
        yield doccano


def main() -> None:
    parser = arguments(__doc__, tool=(Path(".venv-doccano/bin/doccano"), "doccano's program"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        with started(args.tool, Path(scratch)) as doccano:
            table = Table()
            for name, path in sets(args, folder, partial=False).items():
                lines = convert(args, path, folder / f"{name}.given.jsonl", "--to", "doccano")
                project = doccano.project(name)
                doccano.put(project, lines.read_bytes())
                export = folder / f"{name}.export.jsonl"
                export.write_bytes(doccano.take(project))
                options = ["--from", "doccano", "--offsets", "code-points"]
                table.row(name, read(path), read(convert(args, export, folder / f"{name}.back.jsonl", *options)))
    table.exit()


if __name__ == "__main__":
    main()
