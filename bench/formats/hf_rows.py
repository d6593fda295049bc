"""Rows between datasets and Nomen: tokens, tags and their names must stay what they are.

    python bench/formats/hf_rows.py --data FOLDER

For every CoNLL file of the sets in FOLDER, Nomen writes Parquet and JSON lines, which `datasets` loads and compares with
the file: tokens, the tags' names, and that the column is one of ClassLabel. Then `datasets` writes Parquet (numbers with
names) and JSON lines (numbers alone), which Nomen turns back into CoNLL and the script compares with the file. The exit
code is 1 where anything differs.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

import datasets
from datasets import ClassLabel, Dataset, Features, List, Value

import sets


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--nomen", type=shlex.split, default=["target/release/nomen"], help="the program, as a command")
    return parser.parse_args()


def differing(rows: list[tuple[list[str], list[str]]], documents: list[sets.Document]) -> int:
    pairs = zip(rows, documents, strict=True)
    return sum((list(tokens), list(tags)) != (each.words, each.tags) for (tokens, tags), each in pairs)


def loaded(builder: str, path: Path, cache: Path) -> list[tuple[list[str], list[str]]]:
    rows = datasets.load_dataset(builder, data_files=str(path), split="train", cache_dir=str(cache))
    feature = rows.features["ner_tags"].feature
    if builder == "parquet" and not isinstance(feature, ClassLabel):
        raise SystemExit(f"{path}: the tags are {feature}, not ClassLabel")
    named = feature.int2str if isinstance(feature, ClassLabel) else list
    return [(row["tokens"], named(row["ner_tags"])) for row in rows]


def main() -> int:
    args = arguments()
    datasets.disable_progress_bars()
    print("| file | rows | Parquet to datasets | JSON lines to datasets | Parquet from datasets | JSON lines from datasets |")
    print("|---|---|---|---|---|---|")
    wrong = 0
    for path in [path for path in sets.files(args.data) if path.suffix == ".conll"]:
        documents = sets.read(path)
        names = ["O"] + sorted({tag for each in documents for tag in each.tags} - {"O"})
        features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=names))})
        columns = {"tokens": [each.words for each in documents], "ner_tags": [each.tags for each in documents]}
        theirs = Dataset.from_dict(columns, features=features)
        counts = []
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            for builder, ending in (("parquet", "parquet"), ("json", "jsonl")):
                ours = folder / f"ours.{ending}"
                sets.convert(args.nomen, path, ours, "--to", "huggingface")
                counts.append(differing(loaded(builder, ours, folder / builder), documents))
            theirs.to_parquet(folder / "theirs.parquet")
            theirs.to_json(folder / "theirs.jsonl", force_ascii=False)
            for ending, options in (("parquet", []), ("jsonl", ["--tag-names", ",".join(names)])):
                back = folder / f"{ending}.conll"
                sets.convert(args.nomen, folder / f"theirs.{ending}", back, *options)
                counts.append(differing([(each.words, each.tags) for each in sets.read(back)], documents))
        wrong += sum(counts)
        name = f"{path.parent.name}/{path.name}"
        print(f"| {name} | {len(documents)} | " + " | ".join(map(str, counts)) + " |", flush=True)
    print(f"\n{wrong} rows differ (datasets {datasets.__version__})")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
