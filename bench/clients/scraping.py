"""A real Prometheus, Debian's: it scrapes the server, computes the rules of deploy/, and its alerts fire and end."""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from servers import answers, free_port, running, wait_for

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
sys.path.insert(0, str(DEPLOY))

import check as deploy  # noqa: E402

SECRET = "Xanthippe"


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> dict:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=30) as reply:
            return json.load(reply)["data"]

    def value(self, query: str) -> float | None:
        """The value of a query that has one series, `None` where it has none."""
        result = self.get("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def firing(self, name: str) -> bool:
        return any(alert["labels"]["alertname"] == name and alert["state"] == "firing" for alert in self.get("alerts")["alerts"])


def settings(server, folder: Path) -> Path:
    """The configuration of deploy/, at this server, every second; its alerts wait a second where they wait minutes."""
    rules = (DEPLOY / "prometheus/rules.yml").read_text(encoding="utf-8")
    (folder / "rules.yml").write_text(re.sub(r"for: \d+[mh]", "for: 1s", rules), encoding="utf-8")
    path = folder / "prometheus.yml"
    text = (DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    path.write_text(text.replace("nomen:8080", server.url.removeprefix("http://")).replace("15s", "1s"), encoding="utf-8")
    return path


def tag(server, text: str | None) -> int:
    """The status of a request, one that is no JSON where there is no text."""
    body = json.dumps({"texts": [text]}).encode() if text else b"{"
    asked = urllib.request.Request(f"{server.url}/v1/tag", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


def check(checks, server, texts: list[str], tool: Path, scratch: Path) -> None:
    port = free_port()
    command = [tool, "--config.file", settings(server, scratch), "--storage.tsdb.path", scratch / "data"]
    command += ["--web.listen-address", f"127.0.0.1:{port}"]
    with running(command, {}, scratch / "prometheus.log") as child:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        wait_for("Prometheus", lambda: answers(f"{prometheus.url}/-/ready"), child)
        wait_for("a scrape", lambda: prometheus.value("up"), child, 30)
        checks.equal("the server is scraped and ready", prometheus.value("nomen_ready"), 1)
        (target,) = prometheus.get("targets")["activeTargets"]
        checks.equal("  without an error", (target["health"], target["lastError"]), ("up", ""))
        # Refusals are counted from the first one on.
        checks.equal("what is no JSON is refused", tag(server, None), 400)
        rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]

        def nothing() -> bool:
            tag(server, texts[-1])
            return prometheus.firing("NomenNoEntities")

        wait_for("NomenNoEntities", nothing, child, 60)
        checks.equal("texts without entities raise NomenNoEntities", prometheus.firing("NomenNoEntities"), True)

        def found() -> bool:
            tag(server, f"{texts[0]} {SECRET}")
            has_confidence = prometheus.value("job:nomen_entity_confidence:mean_rate1h") is not None
            return has_confidence and not prometheus.firing("NomenNoEntities")

        wait_for("the end of NomenNoEntities", found, child, 60)
        checks.equal("  and entities end it", prometheus.firing("NomenNoEntities"), False)
        for record in [rule["name"] for rule in rules if rule["type"] == "recording"]:
            wait_for(record, lambda: prometheus.value(f"count({record})"), child, 60)
            checks.equal(f"{record} is computed", prometheus.value(f"count({record})") > 0, True)
        # There is no day before to compare with, and no alert to mark.
        asked = [query for query in deploy.queries() if "offset" not in query and "ALERTS" not in query]
        empty = [query for query in asked if prometheus.value(f"count({query})") is None]
        checks.equal(f"{len(asked)} queries of the dashboard show something", empty, [])
        rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
        checks.equal("every rule is evaluated", {rule["name"] for rule in rules if rule["health"] == "err"}, set())
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as reply:
            metrics = reply.read().decode()
        checks.equal("what deploy/ asks for is served", deploy.unknown(deploy.served(metrics)), [])
        checks.equal("texts are in no metric", SECRET in metrics, False)
        others = {"NomenDown", "NomenNotReady", "NomenFailures", "NomenOverloaded", "NomenSlow", "NomenVersionsDiffer"}
        checks.equal("a healthy server raises nothing", {name for name in others if prometheus.firing(name)}, set())
        checks.equal("the server ends well when it is told to", server.stop(), 0)
        wait_for("NomenDown", lambda: prometheus.firing("NomenDown"), child, 60)
        checks.equal("  and raises NomenDown", prometheus.firing("NomenDown"), True)
