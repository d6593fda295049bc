"""Proves that `nomen registry` keeps its promises in an object store, looked at from outside with Amazon's own client.

    python3 -m venv .venv-store && .venv-store/bin/pip install -r bench/object_store/requirements.txt
    .venv-store/bin/python bench/object_store.py --nomen target/release/nomen

Starts moto's S3 on loopback behind a gate that checks signatures and sums, and runs add, promote, tag, diff, rollback, push and
verify against it; then two promotions at once, and processes that are killed while they add or promote. boto3 reads what lies
there. No network is needed.

Exit code 1: something differs.
"""

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import Checks

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "object_store"))

import boto3  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from checked_store import CheckedStore  # noqa: E402

TESTDATA = HERE.parent / "crates/model/testdata"
BUCKET, PREFIX = "acme-models", "teams a+b/news"
KEY, SECRET = "AKIAEXAMPLEEXAMPLE", "secret/of+the=bench"
TEXTS = "Anna Smith lives in Rome.\nThe book of Kant was printed in Berlin.\n"


class Nomen:
    def __init__(self, command, environment):
        self.command, self.environment = command, environment

    def start(self, *arguments):
        return subprocess.Popen(
            [str(part) for part in [*self.command, *arguments]], env=self.environment, text=True, encoding="utf-8",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def run(self, *arguments, code=0):
        child = self.start(*arguments)
        out, error = child.communicate()
        if child.returncode != code:
            raise SystemExit(f"exit code {child.returncode} from {' '.join(map(str, arguments))}\n{out}{error}")
        if SECRET in out + error or KEY in out + error:
            raise SystemExit(f"a key is shown by {' '.join(map(str, arguments))}")
        return out if code == 0 else error


class Outside:
    """What boto3 sees of the registry."""

    def __init__(self, endpoint):
        self.client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )
        # What was read once under a key and an ETag, moto's sum of the bytes.
        self.read = {}

    def look(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX + "/")
        objects = {}
        for entry in (entry for page in pages for entry in page.get("Contents", [])):
            key, tag = entry["Key"], (entry["Key"], entry["ETag"])
            if tag not in self.read:
                self.read[tag] = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            objects[key.removeprefix(PREFIX + "/")] = self.read[tag]
        return Look(objects)


class Look:
    """The registry at one moment."""

    def __init__(self, objects):
        self.objects = objects

    def events(self):
        """The history; ends the bench where the chain of sums is broken."""
        files = sorted((key, body) for key, body in self.objects.items() if key.startswith("history/"))
        previous, events = None, []
        for number, (key, body) in enumerate(files, 1):
            sealed = json.loads(body)
            if key != f"history/{number:08}.json" or sealed["event"]["previous"] != previous:
                raise SystemExit(f"{key} does not follow the event before it")
            previous = sealed["sum"]
            events.append(sealed["event"])
        return events

    def live(self):
        moves = [event["version"] for event in self.events() if event["what"] in ("promoted", "rolled_back")]
        return moves[-1] if moves else None

    def is_whole(self, version):
        manifest = self.objects.get(f"versions/{version}/nomen.json", b"")
        if hashlib.sha256(manifest).hexdigest() != version:
            return False
        files = json.loads(manifest)["files"]
        return all(
            hashlib.sha256(self.objects.get(f"versions/{version}/{name}", b"")).hexdigest() == file["sha256"]
            for name, file in files.items()
        )


def life_cycle(nomen, outside, store, top, models, checks):
    at = f"s3://{BUCKET}/{PREFIX}"
    common = ["--registry", at, "--json"]
    texts = top / "texts.txt"
    texts.write_text(TEXTS)
    said = nomen.run("registry", "list", *common, code=2)
    checks.equal("an empty prefix is no registry, and the way out is said", "nomen registry add" in said, True)
    added = [json.loads(nomen.run("registry", "add", model, *common)) for model in models]
    ids = [version["id"] for version in added]
    checks.equal("two versions came in", [version["number"] for version in added], [1, 2])
    checks.equal("boto3 sees both whole", [outside.look().is_whole(id) for id in ids], [True, True])
    again = json.loads(nomen.run("registry", "add", models[0], *common))
    checks.equal("adding one again changes nothing", (again["id"], again["was_known"], len(outside.look().events())), (ids[0], True, 2))
    nomen.run("registry", "promote", "v1", *common)
    checks.equal("boto3 sees the first live", outside.look().live(), ids[0])

    def tagged(model):
        return nomen.run("tag", "--json", "--model", model, texts)

    checks.equal("a model in the store tags as the folder does", tagged(at), tagged(models[0]))
    before = dict(store.counts)
    tagged(at)
    checks.equal("what was fetched is not fetched again", store.counts["GET"] - before["GET"], 2 + len(outside.look().events()))
    checks.equal("another version can be named", tagged(f"registry:{at}@v2"), tagged(models[1]))
    difference = json.loads(nomen.run("registry", "diff", "v1", "v2", texts, *common))
    checks.equal("diff reads both", (difference["texts"], len(difference["labels"]) > 0), (2, True))
    refused = nomen.run("registry", "promote", "v2", *common, code=2)
    checks.equal("without a gate nothing follows a live version", "has not been judged" in refused, True)
    nomen.run("registry", "promote", "v2", "--force", "--reason", "a bench", *common)
    checks.equal("boto3 sees the second live", outside.look().live(), ids[1])
    nomen.run("registry", "rollback", *common)
    checks.equal("and after the rollback the first", outside.look().live(), ids[0])
    nomen.run("registry", "push", "v2", "--to", top / "pushed", *common)
    checks.equal("a pushed folder tags as its version", tagged(top / "pushed"), tagged(models[1]))
    checks.equal("verify finds nothing", json.loads(nomen.run("registry", "verify", *common)), [])

    key = f"{PREFIX}/history/00000001.json"
    try:
        outside.client.put_object(Bucket=BUCKET, Key=key, Body=b"other", IfNoneMatch="*")
        checks.equal("the store keeps what is there", "overwritten", "PreconditionFailed")
    except ClientError as error:
        checks.equal("the store keeps what is there", error.response["Error"]["Code"], "PreconditionFailed")

    key = f"{PREFIX}/versions/{ids[1]}/model.safetensors"
    body = outside.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    outside.client.put_object(Bucket=BUCKET, Key=key, Body=body[:-1] + bytes([body[-1] ^ 1]))
    child = nomen.start("registry", "verify", *common)
    out, _ = child.communicate()
    problems = json.loads(out)
    checks.equal("verify names a changed object", (child.returncode, [p["path"] for p in problems]), (1, [f"s3://{BUCKET}/{key}"]))
    refused = nomen.run("registry", "promote", "v2", "--force", "--reason", "a bench", *common, code=2)
    checks.equal("and it does not become live", "SHA-256" in refused, True)
    nomen.run("registry", "add", models[1], *common)
    checks.equal("adding the model again mends it", outside.look().is_whole(ids[1]), True)
    return ids


def rivals(nomen, outside, ids, checks, rounds=10):
    at = f"s3://{BUCKET}/{PREFIX}"
    start = len(outside.look().events())
    done = 0
    for _ in range(rounds):
        promote = ["registry", "promote", "--force", "--reason", "a rival", "--registry", at]
        children = [nomen.start(*promote, version) for version in ("v1", "v2")]
        for child in children:
            child.communicate()
        done += sum(child.returncode == 0 for child in children)
    checks.equal(f"of {2 * rounds} promotions, two at once, each that succeeded is one event", len(outside.look().events()) - start, done)
    checks.equal("and one of them is live", outside.look().live() in ids, True)


def killed(nomen, outside, top, models, ids, checks, rounds):
    """Processes that die by SIGKILL at any moment of an addition or a promotion."""
    at = f"s3://{BUCKET}/{PREFIX}"
    began = time.perf_counter()
    nomen.run("registry", "add", models[0], "--registry", at)
    longest = time.perf_counter() - began
    draw = random.Random(0)
    whole, torn, shorter = 0, 0, 0
    for number in range(rounds):
        before = outside.look().events()
        if number % 2:
            version = "v1" if outside.look().live() == ids[1] else "v2"
            child = nomen.start("registry", "promote", "--force", "--reason", "killed", "--registry", at, version)
        else:
            # Another description makes another version of the same weights.
            bundle = top / f"bundle-{number}"
            nomen.run("registry", "push", "v1", "--to", bundle, "--registry", at)
            manifest = json.loads((bundle / "nomen.json").read_text())
            manifest["round"] = number
            (bundle / "nomen.json").chmod(0o644)
            (bundle / "nomen.json").write_text(json.dumps(manifest))
            child = nomen.start("registry", "add", bundle, "--registry", at)
        time.sleep(draw.uniform(0, longest))
        child.kill()
        child.communicate()
        torn += child.returncode < 0
        seen = outside.look()
        events = seen.events()
        shorter += events[: len(before)] != before
        whole += seen.is_whole(seen.live())
        for event in events:
            if event["what"] == "added" and not seen.is_whole(event["version"]):
                checks.equal("what the history names is whole", event["version"], "whole")
    print(f"{torn} of {rounds} processes were killed at work")
    checks.equal("after each the live version is whole", whole, rounds)
    checks.equal("and the history was only added to", shorter, 0)
    child = nomen.start("registry", "verify", "--json", "--registry", at)
    problems = json.loads(child.communicate()[0])
    checks.equal("verify finds at most what was never added", [p for p in problems if "never added" not in p["problem"]], [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", nargs="+", default=[HERE.parent / "target/release/nomen"])
    parser.add_argument("--models", nargs=2, type=Path, default=[TESTDATA / "bert", TESTDATA / "distilbert"])
    parser.add_argument("--kills", type=int, default=40)
    arguments = parser.parse_args()
    checks, store = Checks(), CheckedStore(SECRET)
    with tempfile.TemporaryDirectory() as top:
        top = Path(top)
        environment = os.environ | {
            "AWS_ENDPOINT_URL_S3": store.url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "", "NOMEN_CACHE": str(top / "cache"),
        }
        nomen, outside = Nomen(arguments.nomen, environment), Outside(store.url)
        said = nomen.run("registry", "add", arguments.models[0], "--registry", f"s3://{BUCKET}/{PREFIX}", code=2)
        checks.equal("a bucket that is not there is named", f'there is no bucket "{BUCKET}"' in said, True)
        outside.client.create_bucket(Bucket=BUCKET)
        wrong = Nomen(arguments.nomen, environment | {"AWS_SECRET_ACCESS_KEY": "wrong"})
        said = wrong.run("registry", "add", arguments.models[0], "--registry", f"s3://{BUCKET}/{PREFIX}", code=2)
        checks.equal("a wrong key is named", "AWS_SECRET_ACCESS_KEY is not the secret" in said, True)
        ids = life_cycle(nomen, outside, store, top, arguments.models, checks)
        rivals(nomen, outside, ids, checks)
        killed(nomen, outside, top, arguments.models, ids, checks, arguments.kills)
    store.stop()
    raise SystemExit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
