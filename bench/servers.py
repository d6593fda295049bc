"""Servers on loopback for as long as a block lasts, and what is asked of them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from common import say


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command: list, env: dict, log: Path):
    """A server for as long as the block lasts, with all processes that it starts; what it prints goes into `log`."""
    with log.open("wb") as out:
        child = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env=os.environ | env, cwd=log.parent, start_new_session=True,
        )  # fmt: skip
    try:
        yield child
    except BaseException:
        say("\n".join(log.read_text(errors="replace").splitlines()[-15:]))
        raise
    finally:
        # The session is the child's own: it and its workers, and nobody else.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def wait_for(what: str, ready, child: subprocess.Popen | None = None, seconds: float = 180) -> object:
    """What `ready` returns as soon as that is something; an end of the server, or of patience, ends the proof."""
    end = time.monotonic() + seconds
    while not (found := ready()):
        if child is not None and child.poll() is not None:
            raise SystemExit(f"{what}: the server ended with {child.returncode}")
        if time.monotonic() > end:
            raise SystemExit(f"{what}: nothing after {seconds:.0f} s")
        time.sleep(0.5)
    return found


def answers(url: str) -> bool:
    """Whether a server answers at all, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def request(method: str, url: str, headers: dict, body: object = None, kind: str = "application/json") -> bytes:
    """One exchange with a server; `body` is JSON unless it is bytes of another kind."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, headers | ({"Content-Type": kind} if data is not None else {}), method=method)
    try:
        with urllib.request.urlopen(asked, timeout=300) as reply:
            return reply.read()
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {url}: {error.code}: {error.read()[:1000].decode(errors='replace')}") from None
