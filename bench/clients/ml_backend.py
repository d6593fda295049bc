"""A real Label Studio with the server as its ML backend: pre-annotations out, an annotation back.

The names in the labelling configuration are not those that Nomen uses elsewhere, so that they must have been read from it.
"""

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

from label_studio import started

from servers import wait_for

# Label Studio refuses addresses of the loopback unless it is told otherwise.
LOOPBACK = {"ML_BLOCK_LOCAL_IP": "false", "SSRF_PROTECTION_ENABLED": "false"}


def check(checks, server, texts: list[str], tool: Path, scratch: Path) -> None:
    with started(tool, scratch, **LOOPBACK) as studio:
        backend = f"{server.url}/label-studio"
        labels = sorted({label for entities in server.entities for _, _, label in entities})
        values = "".join(f"<Label value={quoteattr(label)}/>" for label in labels)
        config = f'<View><Labels name="names" toName="body">{values}</Labels><Text name="body" value="$report"/></View>'
        project = studio.json("POST", "projects/", {"title": "clients", "label_config": config})["id"]
        connected = studio.json("POST", "ml/", {"url": backend, "title": "Nomen", "project": project, "is_interactive": True})
        checks.equal("the backend is connected", connected["readable_state"], "Connected")
        # Label Studio fills in the version when it looks at its backends.
        (listed,) = studio.json("GET", f"ml/?project={project}")
        checks.equal("  and has told its version", bool(listed["model_version"]), True)

        studio.put(project, [{"report": text} for text in texts])
        everything = {"selectedItems": {"all": True, "excluded": []}}
        studio.call("POST", f"dm/actions?id=retrieve_tasks_predictions&project={project}", everything)
        tasks = studio.json("GET", f"tasks?project={project}&fields=all&page_size=100")["tasks"]
        checks.equal("every task is there", sorted(task["data"]["report"] for task in tasks), sorted(texts))
        by_text = {task["data"]["report"]: studio.json("GET", f"tasks/{task['id']}/") for task in tasks}
        for text, expected in zip(texts, server.entities):
            (prediction,) = by_text[text]["predictions"]
            found = prediction["result"]
            spans = [(region["value"]["start"], region["value"]["end"], region["value"]["labels"][0]) for region in found]
            checks.equal(f"the pre-annotation of {text!r}", spans, expected)
            names = {(region["from_name"], region["to_name"], region["type"]) for region in found}
            checks.equal("  with the names of the configuration", names, {("names", "body", "labels")} if expected else set())
            checks.equal("  of the model's version", prediction["model_version"], listed["model_version"])

        hooks = [hook["url"] for hook in studio.json("GET", f"webhooks/?project={project}")]
        checks.equal("connecting the backend has connected its webhook", hooks, [f"{backend}/webhook"])
        # What an annotator does who accepts the pre-annotation but for its last region.
        text, task = texts[1], by_text[texts[1]]
        kept = task["predictions"][0]["result"][:-1]
        made = studio.json("POST", f"tasks/{task['id']}/annotations/", {"result": kept, "lead_time": 3.5})
        wait_for("the webhook", server.annotations.exists, seconds=30)
        rows = [json.loads(line) for line in server.annotations.read_text(encoding="utf-8").split("\n") if line]
        rows = [row for row in rows if row.get("annotations")]
        checks.equal("one annotation was received", len(rows), 1)
        checks.equal("  of this task, with its text", (rows[0]["id"], rows[0]["data"]["report"]), (task["id"], text))
        (annotation,) = rows[0]["annotations"]
        checks.equal("  as it was submitted", (annotation["id"], annotation["result"]), (made["id"], kept))
        interactive = studio.json("POST", f"ml/{connected['id']}/interactive-annotating", {"task": task["id"]})
        found = [region["value"]["text"] for region in interactive["data"]["result"]]
        checks.equal("interactive pre-annotation quotes the text", found, [text[s:e] for s, e, _ in server.entities[1]])
