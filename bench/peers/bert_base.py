"""A base model of BERT-base's shape (12 layers of 768) with random weights, for speeds alone.

    python bench/peers/bert_base.py --base BASE --out DIR

Tokenizer and vocabulary are those of BASE, an uncased BERT.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--base", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
args = parser.parse_args()

torch.manual_seed(1)
vocabulary = json.loads((args.base / "config.json").read_text())["vocab_size"]
transformers.BertModel(transformers.BertConfig(vocab_size=vocabulary)).save_pretrained(args.out)
for name in TOKENIZER:
    if (args.base / name).exists():
        shutil.copy(args.base / name, args.out)
