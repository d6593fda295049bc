"""The server under load that means harm: rows E and H1 of the table of faults, with their figures.

    python3 bench/serving_faults.py --nomen target/release/nomen --model MODEL --data DATA
    python3 bench/serving_faults.py ... --only overload slow            # some of the checks
    python3 bench/serving_faults.py ... --only soak --seconds 1800      # 70 % load for half an hour

Each check starts a server of its own on loopback and prints what it measured beside what is expected; the exit status is 1 where
something is not as expected. Needs the standard library, `nomen` and DATA, a folder with a folder a set.
"""

import argparse
import asyncio
import json
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import HERE, Checks, machine, say, texts_of
from servers import answers, free_port, running, wait_for

SETS = ["wnut17", "ncbi_disease", "crossner_science"]
# Texts of a request where the load is measured: enough that Python is not what is measured.
TEXTS = 16


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", type=Path, default=Path("target/release/nomen"))
    parser.add_argument("--model", type=Path, required=True, help="a bundle")
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--only", nargs="*", choices=list(CHECKS), default=[name for name in CHECKS if name != "soak"])
    parser.add_argument("--seconds", type=float, default=20, help="of each load")
    return parser.parse_args()


class Server:
    """A running server, and what the system says of its process."""

    def __init__(self, args, folder: Path, *more: object, model: Path | None = None):
        self.port, self.folder = free_port(), folder
        self.command = [
            args.nomen.resolve(), "serve", "--model", f"m={model or args.model.resolve()}", "--precision", args.precision,
            "--addr", f"127.0.0.1:{self.port}", "--set", "log.requests=false", *more,
        ]  # fmt: skip

    def __enter__(self):
        self.context = running(self.command, {}, self.folder / "server.log")
        self.child = self.context.__enter__()
        wait_for("nomen serve", lambda: answers(f"http://127.0.0.1:{self.port}/health/ready"), self.child, 30)
        return self

    def __exit__(self, *error):
        return self.context.__exit__(*error)

    def megabytes(self) -> float:
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    async def ask(self, path: str, body: bytes, method: str = "POST", headers: str = "") -> tuple[int, dict, bytes]:
        """One request on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26)
        try:
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
            writer.write(head.encode() + body)
            return await answer(reader)
        finally:
            writer.close()

    async def metric(self, name: str) -> float:
        _, _, text = await self.ask("/metrics", b"", "GET")
        lines = [line for line in text.decode().splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


async def answer(reader) -> tuple[int, dict, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status = int(head.split(" ")[1])
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if "content-length" in headers:
        return status, headers, await reader.readexactly(int(headers["content-length"]))
    body = b""
    while (size := int(await reader.readline(), 16)) > 0:
        body += await reader.readexactly(size)
        await reader.readline()
    return status, headers, body


def texts(args, name: str) -> list[str]:
    return texts_of(args.data / name / "test.conll")


def bodies(args, count: int = 200) -> list[bytes]:
    every, choice = texts(args, "wnut17"), random.Random(1)
    return [json.dumps({"texts": choice.sample(every, TEXTS)}).encode() for _ in range(count)]


async def closed_loop(server: Server, requests: list[bytes], connections: int, seconds: float) -> tuple[float, list[float]]:
    """Requests answered a second, and the time of each."""
    end, times = time.monotonic() + seconds, []

    async def client(number: int):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 26)
        place = number
        while time.monotonic() < end:
            body = requests[place % len(requests)]
            place += connections
            begun = time.monotonic()
            writer.write(b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            status, _, _ = await answer(reader)
            assert status == 200, status
            times.append(time.monotonic() - begun)
        writer.close()

    begun = time.monotonic()
    await asyncio.gather(*(client(number) for number in range(connections)))
    return len(times) / (time.monotonic() - begun), times


async def open_loop(server: Server, requests: list[bytes], rate: float, seconds: float) -> list[tuple[int, float, dict]]:
    """Status, time and headers of requests that come at a rate, whatever becomes of those before."""
    done = []

    async def one(body: bytes):
        begun = time.monotonic()
        try:
            status, headers, _ = await server.ask("/v1/tag", body)
        except (OSError, asyncio.IncompleteReadError):
            status, headers = 0, {}
        done.append((status, time.monotonic() - begun, headers))

    begun, sent, tasks = time.monotonic(), 0, set()
    while (now := time.monotonic() - begun) < seconds:
        while sent < now * rate:
            task = asyncio.create_task(one(requests[sent % len(requests)]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
        await asyncio.sleep(0.002)
    await asyncio.gather(*tasks)
    return done


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


# The checks


async def equality(args, folder: Path, checks: Checks) -> None:
    """E10: whatever else is in the batch, the entities are those of `nomen tag`."""
    with Server(args, folder) as server:
        for name in SETS:
            every = texts(args, name)
            source = folder / f"{name}.jsonl"
            source.write_text("".join(json.dumps({"text": text}) + "\n" for text in every))
            command = [args.nomen.resolve(), "tag", "--model", args.model.resolve(), "--precision", args.precision, "--json", source]
            tagged = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
            expected = [json.loads(line)["entities"] for line in tagged]
            order, found, choice = list(range(len(every))), [None] * len(every), random.Random(2)
            choice.shuffle(order)
            waiting = []
            while order:
                size = choice.choice([1, 1, 2, 5, 20])
                waiting.append(order[:size])
                order = order[size:]

            async def client():
                while waiting:
                    some = waiting.pop()
                    body = json.dumps({"texts": [every[index] for index in some]}).encode()
                    status, _, content = await server.ask("/v1/tag", body)
                    assert status == 200, content
                    for index, result in zip(some, json.loads(content)["results"]):
                        found[index] = result["entities"]

            await asyncio.gather(*(client() for _ in range(64)))
            key = lambda entities: [(e["start"], e["end"], e["label"], e["text"]) for e in entities]
            same = sum(key(a) == key(b) for a, b in zip(found, expected))
            scores = [abs(a["score"] - b["score"]) for one, two in zip(found, expected) for a, b in zip(one, two)]
            checks.equal(f"{name}: texts with the entities of nomen tag", same, len(every))
            checks.below(f"{name}: largest difference of scores", max(scores, default=0), 1e-5)


async def overload(args, folder: Path, checks: Checks) -> None:
    """E1: twice the load that it carries."""
    requests = bodies(args)
    with Server(args, folder) as server:
        await closed_loop(server, requests, 16, 3)
        capacity, _ = await closed_loop(server, requests, 16, args.seconds / 2)
        before = server.megabytes()
        done = await open_loop(server, requests, 2 * capacity, args.seconds)
        after = server.megabytes()
        good = [took for status, took, _ in done if status == 200]
        busy = [took for status, took, _ in done if status == 429]
        say(f"capacity {capacity:.1f} requests a second; {len(done)} sent, {len(good)} answered, {len(busy)} refused")
        checks.equal("answers that are neither 200 nor 429", len(done) - len(good) - len(busy), 0)
        checks.equal("refusals without Retry-After", sum(status == 429 and "retry-after" not in head for status, _, head in done), 0)
        checks.above("goodput at twice the load, of the capacity", len(good) / args.seconds / capacity, 0.9)
        if busy:
            checks.below("time until a refusal, p99, s", percentile(busy, 99), 0.05)
        checks.below("growth of memory, MB", after - before, 64)


async def large(args, folder: Path, checks: Checks) -> None:
    """E2 to E4: many texts, oversize bodies, a million characters on every route."""
    with Server(args, folder) as server:
        before = server.megabytes()
        status, _, _ = await server.ask("/v1/tag", json.dumps({"texts": ["Anna"] * 10_000}).encode())
        checks.equal("10,000 texts in a request", status, 413)
        for _ in range(8):
            status, _, _ = await server.ask("/v1/tag", b"", headers="Content-Type: application/json\r\nContent-Encoding: identity\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000000\r\n\r\n")
        begun = time.monotonic()
        status, _, _ = await answer(reader)
        checks.equal("a body of 2 GB, announced", status, 413)
        checks.below("time until then, s", time.monotonic() - begun, 0.5)
        writer.close()
        checks.below("memory behind them, MB", server.megabytes() - before, 8)
        million = "Anna went to Oslo. " * 52_632
        text = json.dumps(million[:1_000_000])
        routes = {
            "/v1/tag": f'{{"texts": [{text}]}}', "/": f'{{"inputs": {text}}}', "/models/m": f'{{"inputs": {text}}}',
            "/v2/models/m/infer": f'{{"inputs": [{{"name": "text", "shape": [1], "datatype": "BYTES", "data": [{text}]}}]}}',
            "/label-studio/predict": f'{{"tasks": [{{"data": {{"text": {text}}}}}]}}', "/doccano": f'{{"text": {text}}}',
            "/v1/tag/stream": f'{{"text": {text}}}\n',
        }  # fmt: skip
        for route, body in routes.items():
            begun = time.monotonic()
            status, _, content = await server.ask(route, body.encode())
            say(f"a million characters on {route}: {status} with {len(content):,} bytes in {time.monotonic() - begun:.1f} s")
            checks.equal(f"a million characters on {route}", status, 200)
        checks.below("memory behind all of them, MB", server.megabytes() - before, 400)


async def slow(args, folder: Path, checks: Checks) -> None:
    """E6: 5,000 connections that are slow with headers, bodies and reading."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 20_000), most))
    requests = [json.dumps({"texts": [text]}).encode() for text in texts(args, "wnut17")[:200]]
    with Server(args, folder) as server:
        await closed_loop(server, requests, 8, 2)
        _, alone = await closed_loop(server, requests, 8, 6)

        async def slow_one(kind: int) -> float:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            begun = time.monotonic()
            sent = [
                b"POST /v1/tag HTTP/1.1\r\nHost: loc",
                b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
                b"",
            ][kind]
            writer.write(sent)
            try:
                while await asyncio.wait_for(reader.read(4096), 30):
                    pass
            except (ConnectionError, TimeoutError):
                pass
            writer.close()
            return time.monotonic() - begun

        held = [asyncio.create_task(slow_one(index % 3)) for index in range(5_000)]
        await asyncio.sleep(1)
        _, beside = await closed_loop(server, requests, 8, 6)
        times = await asyncio.gather(*held)
        p99 = [percentile(times_, 99) for times_ in (alone, beside)]
        say(f"p99 of others: {1000 * p99[0]:.1f} ms alone, {1000 * p99[1]:.1f} ms beside 5,000 slow connections")
        checks.below("longest life of a slow connection, s", max(times), 10)
        checks.below("p99 of others beside them, of p99 alone", p99[1] / p99[0], 2)


async def leaving(args, folder: Path, checks: Checks) -> None:
    """E7: the work of clients that left is dropped."""
    every = texts(args, "ncbi_disease")
    with Server(args, folder, "--set", "limits.batch_pieces=1024") as server:
        body = json.dumps({"texts": every[:300]}).encode()
        await server.ask("/v1/tag", json.dumps({"texts": every[:5]}).encode())
        before = await server.metric("nomen_batch_tokens_sum")
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        await asyncio.sleep(0.15)
        writer.close()
        left = await server.metric("nomen_batch_tokens_sum")
        await asyncio.sleep(2)
        computed = await server.metric("nomen_batch_tokens_sum")
        say(f"pieces computed until the client left: {left - before:.0f}, behind that: {computed - left:.0f}")
        checks.below("pieces computed for a client that has left (batches of 1,024)", computed - left, 1_024)
        checks.equal("pieces that still wait", await server.metric("nomen_queue_tokens"), 0)


async def stopping(args, folder: Path, checks: Checks) -> None:
    """E8: SIGTERM under load."""
    requests = bodies(args)
    with Server(args, folder) as server:
        await closed_loop(server, requests, 16, 2)
        statuses = []

        async def client(number: int):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 26)
                except OSError:
                    return  # It takes no more.
                body = requests[number % len(requests)]
                writer.write(b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                try:
                    status, _, _ = await answer(reader)
                    statuses.append(status)
                except (ConnectionError, asyncio.IncompleteReadError):
                    statuses.append(0)
                writer.close()

        clients = [asyncio.create_task(client(number)) for number in range(32)]
        await asyncio.sleep(2)
        begun = time.monotonic()
        server.child.send_signal(signal.SIGTERM)
        await asyncio.gather(*clients)
        while server.child.poll() is None:
            await asyncio.sleep(0.02)
        lost = sum(status not in (200, 429, 503) for status in statuses)
        say(f"{len(statuses)} requests, {lost} without an answer")
        checks.equal("exit status behind SIGTERM", server.child.returncode, 0)
        checks.below("time until it is gone, s", time.monotonic() - begun, 30)
        checks.equal("requests without an answer", lost, 0)
        text = (server.folder / "server.log").read_text()
        checks.equal("failures in its log", text.count('"failed"'), 0)


async def reloading(args, folder: Path, checks: Checks) -> None:
    """20 swaps under load, every fifth version broken."""
    good = [folder / "good-0", folder / "good-1"]
    for path in good:
        shutil.copytree(args.model, path)
    # Another version of the same weights.
    manifest = json.loads((good[1] / "nomen.json").read_text())
    manifest["scores"] = {}
    (good[1] / "nomen.json").write_text(json.dumps(manifest))
    broken = folder / "broken"
    shutil.copytree(args.model, broken)
    weights = next(broken.glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1000])
    link = folder / "live"
    link.symlink_to(good[0])
    requests = bodies(args)
    with Server(args, folder, "--set", "reload_every_s=0.1", model=link) as server:
        stop, statuses = time.monotonic() + 3_600, []

        async def client(number: int):
            nonlocal stop
            while time.monotonic() < stop:
                status, _, _ = await server.ask("/v1/tag", requests[number % len(requests)])
                statuses.append(status)

        clients = [asyncio.create_task(client(number)) for number in range(8)]
        versions, problems = [json.loads((await server.ask("/health", b"", "GET"))[2])["models"][0]["version"]], 0
        for swap in range(20):
            to = broken if swap % 5 == 4 else good[len(versions) % 2]
            beside = folder / "beside"
            beside.symlink_to(to)
            beside.rename(link)
            for _ in range(400):
                await asyncio.sleep(0.05)
                model = json.loads((await server.ask("/health", b"", "GET"))[2])["models"][0]
                if (to == broken) == ("problem" in model) and (to == broken or model["version"] != versions[-1]):
                    break
            problems += "problem" in model
            if to != broken:
                versions.append(model["version"])
        stop = 0
        await asyncio.gather(*clients)
        loads = await server.metric('nomen_model_loads_total{reason="done"}')
        say(f"{len(statuses)} requests during 20 swaps, {loads:.0f} loads")
        checks.equal("requests that failed", sum(status != 200 for status in statuses), 0)
        checks.equal("broken versions that were refused", problems, 4)
        checks.above("loads, the first one among them", loads, 17)


async def soak(args, folder: Path, checks: Checks) -> None:
    """70 % load: memory stays flat."""
    requests = bodies(args, 1_000)
    with Server(args, folder) as server:
        await closed_loop(server, requests, 16, 5)
        capacity, _ = await closed_loop(server, requests, 16, 20)
        memory, failed, all_ = [server.megabytes()], 0, 0
        end = time.monotonic() + args.seconds
        while time.monotonic() < end:
            done = await open_loop(server, requests, 0.7 * capacity, min(30, max(1, end - time.monotonic())))
            all_ += len(done)
            failed += sum(status != 200 for status, _, _ in done)
            memory.append(server.megabytes())
            say(f"{memory[-1]:.0f} MB, {all_} requests, {failed} not answered, p99 {1000 * percentile([t for _, t, _ in done], 99):.0f} ms")
        half = len(memory) // 2
        checks.below("requests refused, of all", failed / max(1, all_), 0.01)
        checks.below("growth of memory in the second half, MB", statistics.mean(memory[half:][-3:]) - statistics.mean(memory[half:][:3]), 8)


CHECKS = {
    "equality": equality, "overload": overload, "large": large, "slow": slow, "leaving": leaving, "stopping": stopping,
    "reloading": reloading, "soak": soak,
}  # fmt: skip


def main() -> int:
    args = arguments()
    checks = Checks()
    print(f"# {machine()}\n# python3 bench/serving_faults.py {' '.join(sys.argv[1:])}")
    for name in args.only:
        print(f"\n## {name}: {CHECKS[name].__doc__}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(CHECKS[name](args, Path(folder), checks))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
