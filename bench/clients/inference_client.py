"""huggingface_hub's InferenceClient, by the address of the server and by the name of a model."""

import json
import unicodedata
import urllib.request

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

STRATEGIES = ["simple", "first", "average", "max"]


def same_words(text: str) -> bool:
    """Whether transformers' strategies see the words of a text as `nomen tag` does: combining marks end a word for them."""
    return not any(map(unicodedata.combining, text))


def check(checks, server, texts: list[str], _tool, _scratch) -> None:
    client = InferenceClient(model=server.url)
    for text, expected in zip(texts, server.entities):
        groups = client.token_classification(text, aggregation_strategy="first")
        found = [(group.start, group.end, group.entity_group) for group in groups]
        if same_words(text):
            checks.equal(f"token_classification of {text!r}", found, expected)
        checks.equal("  with a score each", all(0 < group.score <= 1 for group in groups), True)
    for strategy in STRATEGIES:
        groups = client.token_classification(texts[0], aggregation_strategy=strategy)
        checks.equal(f"{strategy} gives groups", [bool(group.entity_group) for group in groups], [True] * max(1, len(groups)))
    pieces = client.token_classification(texts[0], aggregation_strategy="none")
    checks.equal("none gives pieces with their tags", all(piece.entity and not piece.entity_group for piece in pieces), True)
    checks.equal("  in place", [texts[0][p.start : p.end].lower() for p in pieces], [p.word.lstrip("#") for p in pieces])
    labels = {label for _, _, label in server.entities[0]}
    kept = client.token_classification(texts[0], aggregation_strategy="first", ignore_labels=["O", *labels])
    checks.equal("ignore_labels leaves labels out", [group.entity_group for group in kept if group.entity_group in labels], [])
    with urllib.request.urlopen(f"{server.url}/info") as reply:
        name = json.load(reply)["models"][0]["name"]
    named = InferenceClient(model=f"{server.url}/models/{name}").token_classification(texts[0], aggregation_strategy="first")
    checks.equal("a model has an address of its own", [(g.start, g.end, g.entity_group) for g in named], server.entities[0])
    try:
        InferenceClient(model=f"{server.url}/models/nobody").token_classification(texts[0])
        told = None
    except HfHubHTTPError as error:
        told = error.response.status_code
    checks.equal("a model that is not there is an error of the client's own kind", told, 404)
