"""Entities of texts from a running `nomen serve`, with `requests` (pip install requests).

    nomen serve --model model-best
    python examples/clients/with_requests.py "Anna Berg lives in Oslo." "Nobody is named here."

Texts go in batches, and a server that has too much to do is asked again after the time that it names. Offsets count Unicode code
points, so `text[start:end]` is the entity. A key, if the server asks for one, is read from NOMEN_KEY.
"""

import argparse
import os
import time

import requests

# Texts of a request. The server computes what many requests ask together, so larger ones are no faster.
BATCH = 32
TRIES = 6


class Nomen:
    """A connection to a server, kept open."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url, self.session = url.rstrip("/"), requests.Session()
        if key:
            self.session.headers["Authorization"] = f"Bearer {key}"

    def tag(self, texts: list[str]) -> list[list[dict]]:
        """One list of entities a text: `start`, `end`, `label`, `text`, `score`."""
        found = []
        for at in range(0, len(texts), BATCH):
            answer = self.ask({"texts": texts[at : at + BATCH]})
            found += [result["entities"] for result in answer["results"]]
        return found

    def ask(self, body: dict) -> dict:
        """The answer; 429 and 503 mean "later", everything else that is no answer is an error with the server's words."""
        for attempt in range(TRIES):
            reply = self.session.post(f"{self.url}/v1/tag", json=body, timeout=60)
            if reply.status_code not in (429, 503) or attempt + 1 == TRIES:
                break
            time.sleep(float(reply.headers.get("Retry-After", 1)))
        if not reply.ok:
            raise SystemExit(f"{reply.status_code} from {self.url}: {reply.json()['error']}")
        return reply.json()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    args = parser.parse_args()
    server = Nomen(args.url, os.environ.get("NOMEN_KEY"))
    for text, entities in zip(args.texts, server.tag(args.texts)):
        print(text)
        for entity in entities:
            print(f"  {entity['label']}: {text[entity['start']:entity['end']]} ({entity['score']:.2f})")


if __name__ == "__main__":
    main()
