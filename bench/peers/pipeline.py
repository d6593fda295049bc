"""Entities of transformers' `pipeline("token-classification", aggregation_strategy="first")`, as JSON lines.

Texts come from a CoNLL file (words joined by one space) or from JSON lines with a `text`. Each line out is
`{"text", "entities": [{"start", "end", "label", "text", "score"}]}` in code points, what `nomen tag --json` prints;
with --words also `words`, the `[start, end, tag]` of every word that the pipeline formed, before entities are put
together. The rate goes to standard error.

    python bench/peers/pipeline.py --model DIR --data test.conll --out entities.jsonl
"""

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path

import conll

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers.pipelines.token_classification import TokenClassificationPipeline  # noqa: E402


class KeepsWords(TokenClassificationPipeline):
    """Remembers the words of the last text, which the pipeline itself does not hand out."""

    words: list[list]

    def group_entities(self, entities: list[dict]) -> list[dict]:
        self.words = [[e["start"], e["end"], e["entity"]] for e in entities]
        return super().group_entities(entities)


def texts_of(path: Path) -> list[str]:
    if path.suffix == ".jsonl":
        # Only "\n" ends a line: JSON may hold U+2028 as it is.
        return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    return [sentence.text for sentence in conll.read(path)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--words", action="store_true", help="also the tag of every word; texts go one by one")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")

    recognize = KeepsWords(
        model=transformers.AutoModelForTokenClassification.from_pretrained(args.model, dtype=torch.float32).eval(),
        tokenizer=transformers.AutoTokenizer.from_pretrained(args.model),
        aggregation_strategy="first",
        device=-1,
    )
    texts = texts_of(args.data)
    asked = [text for text in texts if text.strip()]  # the pipeline refuses empty texts
    started = time.perf_counter()
    if args.words:
        found, words = [], []
        for text in asked:
            recognize.words = []
            found.append(recognize(text))
            words.append(recognize.words)
    else:
        found, words = recognize(asked, batch_size=args.batch), [None] * len(asked)
    seconds = time.perf_counter() - started

    print(f"{len(asked) / seconds:.1f} texts/s", file=sys.stderr)
    answers = iter(zip(found, words))
    lines = []
    for text in texts:
        entities, tags = next(answers) if text.strip() else ([], [])
        row = {"text": text, "entities": [entity(text, e) for e in entities]}
        if args.words:
            row["words"] = tags
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    if args.out:
        args.out.write_text("".join(lines), encoding="utf-8")
    else:
        sys.stdout.write("".join(lines))


def entity(text: str, found: dict) -> dict:
    start, end = int(found["start"]), int(found["end"])
    return {
        "start": start,
        "end": end,
        "label": found["entity_group"],
        "text": text[start:end],
        "score": float(found["score"]),
    }


if __name__ == "__main__":
    main()
