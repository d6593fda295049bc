"""Whether what lies in deploy/ is sound, and asks for no metric that the server does not have.

    python3 deploy/check.py --metrics http://127.0.0.1:8080/metrics     # of a running server
    python3 deploy/check.py --metrics saved.txt

Needs the standard library. Compares every metric that the rules, their tests and the dashboard name with the `# TYPE` lines
of the server, buckets only of histograms; then, where `promtool` (Debian's package `prometheus`) is installed, lets it check
the rules, run their tests, and parse every query of the dashboard. Without --metrics only the latter.

Exit code 1: something is not as it should be.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
RULES, TESTS = HERE / "prometheus/rules.yml", HERE / "prometheus/rules.test.yml"
DASHBOARD = HERE / "grafana/nomen.json"
# A metric of the server, but no part of the name of a recorded series, such as job:nomen_entities:rate1h.
METRIC = re.compile(r"(?<![\w:])nomen_[a-z_]+(?![\w:])")
# What stands for an interval and for a choice in Grafana's expressions.
GRAFANA = [("$__rate_interval", "5m"), ("$job", ".*"), ("$instance", ".*")]


def queries() -> list[str]:
    """Every query of the dashboard, as Prometheus takes it."""

    def below(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["expr"]] if isinstance(node.get("expr"), str) else []
            return own + [found for value in node.values() for found in below(value)]
        return [found for value in node for found in below(value)] if isinstance(node, list) else []

    found = below(json.loads(DASHBOARD.read_text(encoding="utf-8")))
    for name, value in GRAFANA:
        found = [query.replace(name, value) for query in found]
    return found


def served(text: str) -> dict[str, str]:
    """The kinds of the metrics by name, buckets, sums and counts of histograms included."""
    names = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        # OpenMetrics leaves the ending of a counter out of its name.
        names[f"{name.removesuffix('_total')}_total" if kind == "counter" else name] = kind
        if kind in ("histogram", "summary"):
            names |= {f"{name}{part}": kind for part in ("_sum", "_count")}
        if kind == "histogram":
            names[f"{name}_bucket"] = kind
    return names


def unknown(names: dict[str, str]) -> list[str]:
    """What is asked for and not served."""
    problems = []
    for path in (RULES, TESTS, DASHBOARD):
        text = path.read_text(encoding="utf-8")
        problems += [f"{path.name} asks for {name}" for name in sorted(set(METRIC.findall(text)) - set(names))]
    return problems


def promtool(*arguments: object) -> list[str]:
    """What promtool has against these files."""
    done = subprocess.run([shutil.which("promtool"), *map(str, arguments)], capture_output=True, text=True)
    return [] if done.returncode == 0 else [(done.stdout + done.stderr).strip()]


def parsed(asked: list[str]) -> list[str]:
    """What promtool has against the queries: each becomes a rule."""
    rules = [{"record": f"nomen:dashboard:{number}", "expr": query} for number, query in enumerate(asked)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dashboard.yml"
        path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
        return promtool("check", "rules", path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--metrics", help="what the server answers at /metrics: its address, or a file")
    args = parser.parse_args()
    asked, problems = queries(), []
    if args.metrics:
        if args.metrics.startswith("http"):
            with urllib.request.urlopen(args.metrics, timeout=30) as reply:
                text = reply.read().decode()
        else:
            text = Path(args.metrics).read_text(encoding="utf-8")
        problems += unknown(served(text))
    if shutil.which("promtool"):
        problems += promtool("check", "rules", RULES) + promtool("test", "rules", TESTS)
        problems += parsed(asked)
        print(f"{len(asked)} queries of the dashboard, the rules and their tests were read")
    else:
        print("NOT CHECKED: rules and queries, because promtool is not installed", file=sys.stderr)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
