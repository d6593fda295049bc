"""The web side of both servers that Nomen's is measured against: FastAPI, a queue, batches as large as what is waiting.

`POST /v1/tag` takes `{"texts": [...]}` and answers `{"results": [{"entities": [{"start", "end", "label", "text", "score"}]}]}`
in code points, so that one load generator and one set of bodies serve all sides; `GET /health/ready` answers 200.

A batch is whatever waits when a runner gets free: nobody waits for a batch to fill. With `--batch 0` there is no queue, and
every request is judged by itself in FastAPI's thread pool.
"""

import argparse
import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel
from pydantic_core import to_json

Recognize = Callable[[list[str]], list[list[dict]]]

# What a worker process needs to know travels in the environment: uvicorn starts each from the module's name.
OPTIONS = {"model": str, "work": str, "batch": int, "group": int, "runners": int, "threads": int}


class Tag(BaseModel):
    texts: list[str]


class Queue:
    """Requests that wait, and the runners that judge them in batches."""

    def __init__(self, recognize: Recognize, batch: int, runners: int) -> None:
        self.recognize, self.batch = recognize, batch
        self.waiting: asyncio.Queue[tuple[list[str], asyncio.Future]] = asyncio.Queue()
        self.threads = ThreadPoolExecutor(runners)
        self.runners = [asyncio.create_task(self.run()) for _ in range(runners)]

    async def ask(self, texts: list[str]) -> list[list[dict]]:
        answer = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait((texts, answer))
        return await answer

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            asked = [await self.waiting.get()]
            while len(asked) < self.batch and not self.waiting.empty():
                asked.append(self.waiting.get_nowait())
            texts = [text for several, _ in asked for text in several]
            try:
                found = iter(await loop.run_in_executor(self.threads, self.recognize, texts))
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                for _, answer in asked:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for several, answer in asked:
                results = [next(found) for _ in several]
                if not answer.done():
                    answer.set_result(results)

    def stop(self) -> None:
        for runner in self.runners:
            runner.cancel()
        self.threads.shutdown(cancel_futures=True)


def chosen() -> argparse.Namespace:
    """The options of the process that started this worker."""
    return argparse.Namespace(**{name: kind(os.environ[f"PEER_{name.upper()}"]) for name, kind in OPTIONS.items()})


def application(load: Callable[[argparse.Namespace], Recognize]) -> FastAPI:
    """The server around what `load` returns."""
    options = chosen()
    recognize = load(options)
    queue: Queue | None = None

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        nonlocal queue
        if options.batch:
            queue = Queue(recognize, options.batch, options.runners)
        yield
        if queue:
            queue.stop()

    app = FastAPI(lifespan=lifespan)

    # Bytes that pydantic's serializer wrote: FastAPI would validate and copy every answer once more.
    def answer(found: list[list[dict]]) -> Response:
        return Response(to_json({"results": [{"entities": entities} for entities in found]}), media_type="application/json")

    if options.batch:

        @app.post("/v1/tag")
        async def tag(body: Tag) -> Response:
            return answer(await queue.ask(body.texts))

    else:

        @app.post("/v1/tag")
        def tag(body: Tag) -> Response:
            return answer(recognize(body.texts))

    @app.get("/health/ready")
    def ready() -> dict:
        return {"status": "ready"}

    return app


def main(module: str, doc: str, prepare: Callable[[str, str], object] | None = None, **defaults: int) -> None:
    """Serves `module:app` until it is stopped; `prepare` makes of the model, in `--work`, what the workers share."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a token classifier")
    parser.add_argument("--port", type=int, required=True, help="on the loopback")
    parser.add_argument("--work", required=prepare is not None, default="", help="folder for converted models, kept")
    parser.add_argument("--workers", type=int, default=defaults["workers"], help="processes")
    parser.add_argument("--runners", type=int, default=defaults["runners"], help="batches that a process judges at a time")
    parser.add_argument("--threads", type=int, default=defaults["threads"], help="threads that a batch is judged by")
    parser.add_argument("--batch", type=int, default=defaults["batch"], help="most requests of a batch; 0: no queue")
    parser.add_argument("--group", type=int, default=defaults["group"], help="most texts of one forward pass")
    args = parser.parse_args()
    for name in OPTIONS:
        os.environ[f"PEER_{name.upper()}"] = str(getattr(args, name))
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(args.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["HF_HUB_OFFLINE"] = "1"
    if prepare:
        prepare(args.model, args.work)
    uvicorn.run(f"{module}:app", host="127.0.0.1", port=args.port, workers=args.workers, log_level="warning", access_log=False)
