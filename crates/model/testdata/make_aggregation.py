"""Makes the golden answers of transformers' token-classification pipeline on the tiny models that `make_golden.py` left.

    python crates/model/testdata/make_aggregation.py

aggregation/NAME.json holds for one model a list of `{"text", "strategy", "ignore", "answer"}`: the aggregation strategy, the
`ignore_labels` (`null`: transformers' default) and what the pipeline answers, one `[label, score, word, start, end]` an entity,
with the `index` behind it where the strategy is `none`. Offsets are code points. Texts that a model's window of 64 pieces does
not hold are left out: the pipeline would cut them.
"""

import json
import platform
import warnings
from pathlib import Path

import tokenizers
import torch
import transformers

HERE = Path(__file__).parent
FOLDER = HERE / "aggregation"
MODELS = ("bert", "distilbert", "roberta", "xlm-roberta", "camembert")
STRATEGIES = ("none", "simple", "first", "average", "max")
# Marks and joined emoji are spelled as escapes where an editor would hide or reorder them.
TEXTS = [
    "Anna Lindgren moved from Aarhus to Lyon, didn't she?",
    "  The old   harbour  office of Aarhus , near Lyon ",
    "cafe\u0301 caf\u00e9 Stra\u00dfe \u0130stanbul A\u030angstro\u0308m \ufb01nd \u00bd",
    "Happy \U0001f382\U0001f389 Anna \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd end",
    "\u6771\u4eac\u306e\u99c5\u3067 Anna \u5317\u4eac\u7684Library\u3002",
    "C++, a->b; (see https://example.org/docs) \u201cquoted\u201d \u2014 it's do not",
    "unbelievably-long-hyphenated-words and boating",
    "tabs\there\nline no\u00a0break\u3000wide zero\u200bwidth",
    "[SEP] <mask> [UNK] <unk> </s> read",
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0645\u0631\u062d\u0628\u0627 \u0e2a\u0e27\u0e31\u0e2a",
    "a",
    ".",
]
# `none` answers with tags, which `B-PER` names, the others with labels, which `PER` and `creative-work` name.
IGNORED = [[], ["O", "PER"], ["B-PER", "creative-work"]]
OTHER_IGNORED_ON = 3

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
warnings.simplefilter("ignore")


def rows(answer: list[dict]) -> list[list]:
    def row(entity: dict) -> list:
        label = entity["entity"] if "entity" in entity else entity["entity_group"]
        values = [label, round(float(entity["score"]), 7), entity["word"], int(entity["start"]), int(entity["end"])]
        return [*values, int(entity["index"])] if "index" in entity else values

    return [row(entity) for entity in answer]


def cases(name: str) -> list[dict]:
    folder = HERE / name
    model = transformers.AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    pipeline = transformers.pipeline("token-classification", model=model, tokenizer=tokenizer, device=-1)
    made = []
    for number, text in enumerate(TEXTS):
        if len(tokenizer(text)["input_ids"]) > tokenizer.model_max_length:
            continue
        for strategy in STRATEGIES:
            for ignore in [None, *(IGNORED if number < OTHER_IGNORED_ON else [])]:
                answer = pipeline(text, aggregation_strategy=strategy, ignore_labels=ignore)
                made.append({"text": text, "strategy": strategy, "ignore": ignore, "answer": rows(answer)})
    return made


def main() -> None:
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        made = cases(name)
        lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in made)
        file = FOLDER / f"{name}.json"
        file.write_text(f"[\n{lines}\n]\n")
        found = sum(len(case["answer"]) for case in made)
        print(f"{name}: {len(made)} cases, {found} entities, {file.stat().st_size // 1024} KiB")
        assert file.stat().st_size < 160 * 1024
    (FOLDER / "VERSIONS.md").write_text(
        "# Versions that made these files\n\n"
        f"* Python {platform.python_version()}\n* PyTorch {torch.__version__}\n"
        f"* transformers {transformers.__version__}\n* tokenizers {tokenizers.__version__}\n\n"
        "Made by `make_aggregation.py` from the tiny models beside this folder.\n"
    )


if __name__ == "__main__":
    main()
