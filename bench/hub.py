"""Proves that transformers and huggingface_hub read what `nomen registry push` writes, and that Nomen pulls back what they write.

Needs transformers, torch and huggingface_hub (bench/requirements.txt), a model folder, and no network:

    .venv-peers/bin/python bench/hub.py --nomen target/release/nomen --model MODEL

Exit code 1: something differs.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from common import Checks

os.environ["HF_HUB_OFFLINE"] = "1"

from huggingface_hub import ModelCard, scan_cache_dir, snapshot_download  # noqa: E402
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
NAME = "acme/news-ner"
TEXTS = ["Anna Smith lives in Rome.", "The book of Kant was printed in Berlin by Google."]


def run(command, text=None):
    done = subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen", nargs="+", default=[ROOT / "target/release/nomen"])
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args()
    nomen, checks = arguments.nomen, Checks()

    with tempfile.TemporaryDirectory() as top:
        top = Path(top)
        registry, hub = top / "models", top / "hub"
        common = ["--registry", registry, "--json"]

        def tagged(model):
            lines = run([*nomen, "tag", "--json", "--model", model], "\n".join(TEXTS) + "\n").splitlines()
            return [[(e["start"], e["end"], e["label"]) for e in json.loads(line)["entities"]] for line in lines]

        gold = top / "gold.jsonl"
        rows = zip(TEXTS, tagged(arguments.model))
        gold.write_text("".join(
            json.dumps({"text": text, "meta": {"source": "web"},
                        "entities": [{"start": s, "end": e, "label": l} for s, e, l in entities]}) + "\n"
            for text, entities in rows
        ))
        scores = top / "scores.json"
        scores.write_text(run([*nomen, "evaluate", "--json", "--slice", "meta.source", "--model", arguments.model, "--data", gold]))
        run([*nomen, "registry", "add", arguments.model, *common])
        pushed = json.loads(run([
            *nomen, "registry", "push", "v1", "--to", hub, "--name", NAME, "--evaluation", scores,
            "--licence", "apache-2.0", "--language", "en", *common,
        ]))

        # huggingface_hub reads the cache: by the branch, by the pinned revision, and as a whole.
        for what, revision in [("main", None), ("the pinned revision", pushed["revision"])]:
            folder = snapshot_download(NAME, revision=revision, cache_dir=hub, local_files_only=True)
            checks.equal(f"snapshot_download finds {what}", Path(folder).resolve(), Path(pushed["folder"]).resolve())
        scan = scan_cache_dir(hub)
        checks.equal("scan_cache_dir has no warnings", scan.warnings, [])
        (repository,) = scan.repos
        checks.equal("scan_cache_dir knows the repository", (repository.repo_id, repository.repo_type), (NAME, "model"))
        (revision,) = repository.revisions
        checks.equal("and its revision and branch", (revision.commit_hash, revision.refs), (pushed["revision"], {"main"}))

        # The card.
        card = ModelCard.load(Path(folder) / "README.md")
        data = card.data.to_dict()
        expected = {"license": "apache-2.0", "language": ["en"], "library_name": "transformers", "pipeline_tag": "token-classification"}
        checks.equal("ModelCard.load reads the metadata", {key: data[key] for key in expected}, expected)
        results = {result.metric_type: result.metric_value for result in card.data.eval_results}
        said = json.loads(scores.read_text())
        for metric, key in [("f1", "ents_f"), ("precision", "ents_p"), ("recall", "ents_r")]:
            checks.equal(f"and the {metric}", results[metric], round(said[key], 6))
        checks.equal("and the model's name", card.data.model_name, NAME)
        checks.equal("and the slices are in the text", "### By source" in card.text, True)

        # transformers opens it, with the labels and the entities.
        at = {"cache_dir": hub, "local_files_only": True, "revision": pushed["revision"]}
        model = AutoModelForTokenClassification.from_pretrained(NAME, **at)
        tokenizer = AutoTokenizer.from_pretrained(NAME, **at)
        config = json.loads((Path(folder) / "config.json").read_text())
        checks.equal("transformers has the labels", {str(k): v for k, v in model.config.id2label.items()}, config["id2label"])
        tag = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="first")
        checks.equal("and its pipeline answers every text", len(tag(TEXTS)), len(TEXTS))

        # What they wrote comes back: a downloaded copy, and a model that transformers saved.
        other = ["--registry", top / "other", "--json"]
        pulled = json.loads(run([*nomen, "registry", "pull", "--from", hub, "--name", NAME, "--expect", pushed["version"], *other]))
        checks.equal("nomen pulls the same version from the cache", pulled["id"], pushed["version"])
        saved = top / "saved"
        model.save_pretrained(saved)
        tokenizer.save_pretrained(saved)
        pulled = json.loads(run([*nomen, "registry", "pull", "--from", saved, *other]))
        checks.equal("nomen pulls what transformers saved", pulled["number"], 2)
        run([*nomen, "registry", "promote", "v2", *other])
        checks.equal("and tags with it as before", tagged(top / "other"), tagged(arguments.model))

        # A byte that was changed on the way.
        weights = (Path(folder) / "model.safetensors").resolve()
        content = bytearray(weights.read_bytes())
        content[len(content) // 2] ^= 1
        weights.chmod(0o644)
        weights.write_bytes(content)
        refused = subprocess.run(
            [str(part) for part in [*nomen, "registry", "pull", "--from", hub, "--name", NAME, *other]], capture_output=True, text=True
        )
        checks.equal("a changed file is refused", (refused.returncode, "SHA-256" in refused.stderr), (2, True))
    raise SystemExit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
