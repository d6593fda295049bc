"""A real doccano whose auto-labelling asks the server, by its "Custom REST Request"."""

import json
from pathlib import Path

import doccano as proof

# What stands for the text in doccano's request, and what turns the answer into its spans: the answer has their shape already.
BODY, TEMPLATE = {"text": "{{ text }}"}, "{{ input | tojson }}"


def check(checks, server, texts: list[str], tool: Path, scratch: Path) -> None:
    with proof.started(tool, scratch) as doccano:
        project = doccano.project("clients")
        labels = sorted({label for entities in server.entities for _, _, label in entities})
        known = {}
        for number, label in enumerate(labels):
            kind = {"text": label, "background_color": "#73D8FF", "text_color": "#ffffff", "suffix_key": str(number)}
            known[doccano.json("POST", f"projects/{project}/span-types", kind)["id"]] = label
        lines = "".join(json.dumps({"text": text, "label": []}) + "\n" for text in texts)
        doccano.put(project, lines.encode())
        request = {"url": f"{server.url}/doccano", "method": "POST", "params": {}, "headers": {}, "body": BODY}
        model = {"model_name": "Custom REST Request", "model_attrs": request}

        # The three steps of its dialogue: the request, the mapping of the answer, the mapping of the labels.
        path = f"projects/{project}/auto-labeling"
        answer = doccano.json("POST", f"{path}/request-testing", model | {"text": texts[0], "task_type": "Span"})
        spans = [(span["start_offset"], span["end_offset"], span["label"]) for span in answer]
        checks.equal("the request of the dialogue gets the spans", spans, server.entities[0])
        asked = {"response": answer, "template": TEMPLATE, "task_type": "Span"}
        mapped = doccano.json("POST", f"{path}/label-extractor-testing", asked)
        checks.equal("its template maps them to themselves", mapped, answer)
        config = model | {"template": TEMPLATE, "label_mapping": {}, "task_type": "Span"}
        doccano.json("POST", f"{path}/configs", config)

        examples = doccano.json("GET", f"projects/{project}/examples?limit=100")["results"]
        checks.equal("every text is there", sorted(example["text"] for example in examples), sorted(texts))
        for example in examples:
            doccano.json("POST", f"{path}?example={example['id']}")
            found = doccano.json("GET", f"projects/{project}/examples/{example['id']}/spans")
            spans = sorted((span["start_offset"], span["end_offset"], known[span["label"]]) for span in found)
            expected = server.entities[texts.index(example["text"])]
            checks.equal(f"auto-labelling of {example['text']!r}", spans, expected)
