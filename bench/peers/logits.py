"""Logits of every word piece, special pieces included: one line `{"ids": [...], "logits": [[...]]}` a text.

    python bench/peers/logits.py BUNDLE TEXTS.txt > logits.jsonl

TEXTS.txt has one text a line. `cargo run --release -p nomen-model --example logits -- BUNDLE TEXTS.txt` prints the same.
"""

import argparse
import json
from pathlib import Path

import torch
import transformers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    tokenizer = transformers.AutoTokenizer.from_pretrained(args.bundle)
    model = transformers.AutoModelForTokenClassification.from_pretrained(args.bundle, dtype=torch.float32).eval()
    for text in args.texts.read_text(encoding="utf-8").removesuffix("\n").split("\n"):
        encoded = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            logits = model(**encoded).logits[0]
        print(json.dumps({"ids": encoded["input_ids"][0].tolist(), "logits": logits.tolist()}))


if __name__ == "__main__":
    main()
