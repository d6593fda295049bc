"""Trains spaCy's CNN from scratch and tags with it: words a second of both, F1.

    python bench/peers/spacy_cnn.py --train train.conll --test test.conll --epochs 10

`spacy.blank("en")` with `ner` and its default tok2vec, spaCy's default optimizer, batches and dropout, one core. Words
are those of the CoNLL files. Training takes them as they are; tagging is timed on the texts, tokenizer included, after
a first pass; F1 is strict, of the tags of the file's own words. Prints one JSON object.
"""

import argparse
import json
import os
import random
import time

import conll

# One core, whatever library multiplies; read when they start, so set before spaCy is imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[name] = "1"

import spacy  # noqa: E402
from seqeval.metrics import f1_score  # noqa: E402
from seqeval.scheme import IOB2  # noqa: E402
from spacy.tokens import Doc  # noqa: E402
from spacy.training import Example  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def words(sentences: list[conll.Sentence]) -> int:
    return sum(len(sentence.words) for sentence in sentences)


def train(nlp: spacy.Language, sentences: list[conll.Sentence], epochs: int) -> float:
    """Words a second of the updates."""
    examples = []
    for sentence in sentences:
        gold = Doc(nlp.vocab, words=sentence.words, ents=sentence.tags)
        examples.append(Example(Doc(nlp.vocab, words=sentence.words), gold))
    settings = spacy.util.registry.resolve(
        {"training": {key: nlp.config["training"][key] for key in ("batcher", "dropout")}}
    )["training"]
    optimizer = nlp.initialize(lambda: examples)
    began = time.perf_counter()
    for _ in range(epochs):
        random.shuffle(examples)
        for batch in settings["batcher"](examples):
            nlp.update(batch, sgd=optimizer, drop=settings["dropout"])
    return epochs * words(sentences) / (time.perf_counter() - began)


def tag(nlp: spacy.Language, sentences: list[conll.Sentence]) -> float:
    """Words a second over the texts."""
    texts = [sentence.text for sentence in sentences]
    for _ in nlp.pipe(texts):
        pass
    began = time.perf_counter()
    for _ in nlp.pipe(texts):
        pass
    return words(sentences) / (time.perf_counter() - began)


def score(nlp: spacy.Language, sentences: list[conll.Sentence]) -> float:
    docs = nlp.pipe([Doc(nlp.vocab, words=sentence.words) for sentence in sentences])
    found = [[f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in doc] for doc in docs]
    gold = [sentence.tags for sentence in sentences]
    return float(f1_score(gold, found, mode="strict", scheme=IOB2, zero_division=0))


def main() -> None:
    args = arguments()
    spacy.util.fix_random_seed(args.seed)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    training, test = conll.read(args.train), conll.read(args.test)
    result = {"version": spacy.__version__, "epochs": args.epochs}
    result["train_words_per_s"] = train(nlp, training, args.epochs)
    result["tag_words_per_s"] = tag(nlp, test)
    result["f1"] = score(nlp, test)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
