"""tritonclient over HTTP: health, metadata, and texts as JSON and as binary tensors."""

import json
import urllib.request

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException


def check(checks, server, texts: list[str], _tool, _scratch) -> None:
    client = InferenceServerClient(server.url.removeprefix("http://"))
    checks.equal("the server lives and is ready", (client.is_server_live(), client.is_server_ready()), (True, True))
    about = client.get_server_metadata()
    checks.equal("the server says its name", about["name"], "nomen")
    with urllib.request.urlopen(f"{server.url}/info") as reply:
        name = json.load(reply)["models"][0]["name"]
    model = client.get_model_metadata(name)
    (given,), (wanted,) = model["inputs"], model["outputs"]
    checks.equal("the model takes and gives texts", (given["datatype"], wanted["datatype"]), ("BYTES", "BYTES"))
    ready = (client.is_model_ready(name), client.is_model_ready("nobody"))
    checks.equal("the model is ready, another is not", ready, (True, False))
    for binary in (False, True):
        tensor = InferInput(given["name"], [len(texts)], "BYTES")
        tensor.set_data_from_numpy(np.array([text.encode() for text in texts], dtype=object), binary_data=binary)
        output = InferRequestedOutput(wanted["name"], binary_data=binary)
        reply = client.infer(name, [tensor], outputs=[output], request_id="17")
        # As binary data a text comes as bytes.
        answers = [json.loads(answer) for answer in reply.as_numpy(wanted["name"])]
        answers = [answer["entities"] if isinstance(answer, dict) else answer for answer in answers]
        found = [[(entity["start"], entity["end"], entity["label"]) for entity in answer] for answer in answers]
        kind = "binary tensors" if binary else "JSON"
        checks.equal(f"infer with {kind} finds what nomen tag finds", found, server.entities)
        checks.equal("  with the request's id", reply.get_response().get("id"), "17")
    tensor = InferInput(given["name"], [1], "FP32")
    tensor.set_data_from_numpy(np.zeros(1, np.float32), binary_data=False)
    try:
        client.infer(name, [tensor])
        told = None
    except InferenceServerException as error:
        told = error.status()
    checks.equal("numbers are refused in the client's own way", told in ("400", "422"), True)
    client.close()
