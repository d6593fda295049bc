"""The five aggregation strategies beside transformers' pipeline: texts with equal answers.

    python bench/aggregation.py --model DIR --data DATA/wnut17/test.conll --texts 200

Labels, words, offsets (and with `none` the index) must be equal and scores within 1e-5. Differences are listed on standard
error. Exit code 1: an answer differs.
"""

import argparse
import json
import os
import tempfile
import warnings
from pathlib import Path

from common import HERE, output, say, texts_of, write_texts

os.environ["HF_HUB_OFFLINE"] = "1"

STRATEGIES = ("none", "simple", "first", "average", "max")
BOUND = 1e-5
EXAMPLE = ["cargo", "run", "--quiet", "--release", "--manifest-path", HERE.parent / "Cargo.toml", "-p", "nomen"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a bundle, or a token classifier of transformers")
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data/wnut17/test.conll")
    parser.add_argument("--texts", type=int, help="the first ones only")
    parser.add_argument(
        "--answers", help="program that prints Nomen's answers; default: the example of the command line through cargo"
    )
    return parser.parse_args()


def row(found: dict) -> list:
    name = found["entity"] if "entity" in found else found["entity_group"]
    values = [name, float(found["score"]), found["word"], int(found["start"]), int(found["end"])]
    return [*values, int(found["index"])] if "index" in found else values


def pipeline_answers(model: Path, texts: list[str]) -> list[dict]:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    classifier = transformers.AutoModelForTokenClassification.from_pretrained(model, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    recognize = transformers.pipeline("token-classification", model=classifier, tokenizer=tokenizer, device=-1)
    return [{s: [row(e) for e in recognize(text, aggregation_strategy=s)] for s in STRATEGIES} for text in texts]


def equal(mine: list, peer: list) -> bool:
    """Everything but the score the same, scores within the bound."""
    same = [found[:1] + found[2:] for found in mine] == [found[:1] + found[2:] for found in peer]
    return same and all(abs(a[1] - b[1]) <= BOUND for a, b in zip(mine, peer))


def main() -> None:
    args = arguments()
    texts = texts_of(args.data, args.texts)
    with tempfile.TemporaryDirectory() as folder:
        file = write_texts(Path(folder) / "texts.txt", texts)
        program = [args.answers] if args.answers else [*EXAMPLE, "--example", "aggregation", "--"]
        printed = output([*program, args.model.resolve(), file])
    ours = [json.loads(line) for line in printed.split("\n") if line]
    theirs = pipeline_answers(args.model.resolve(), texts)
    if len(ours) != len(texts):
        raise SystemExit(f"{len(texts)} texts, {len(ours)} answers of Nomen")

    print("| strategy | texts | entities of the pipeline | equal answers | largest difference of scores |\n|---|---|---|---|---|")
    held = True
    for strategy in STRATEGIES:
        same, entities, gap = 0, 0, 0.0
        for text, mine, peer in zip(texts, ours, theirs):
            mine, peer = mine[strategy], peer[strategy]
            entities += len(peer)
            if equal(mine, peer):
                same += 1
                gap = max([gap, *(abs(a[1] - b[1]) for a, b in zip(mine, peer))])
            else:
                say(f"{strategy}: {text!r}\n  Nomen        {mine}\n  transformers {peer}")
        held &= same == len(texts)
        print(f"| {strategy} | {len(texts)} | {entities} | {same} | {gap:.1e} |")
    raise SystemExit(0 if held else 1)


if __name__ == "__main__":
    main()
