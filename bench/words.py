"""Words a second of training and tagging: Nomen beside spaCy's CNN, in turn, in one run.

    python bench/words.py --base BASE --model DIR --data FOLDER --rounds 3

spaCy trains from scratch for ten epochs on one core (`peers/spacy_cnn.py`). Nomen fine-tunes its base for one epoch,
other settings as it chooses them; time is that of the steps. Tagging is spaCy's loop over the test texts, loaded and
warm, and of Nomen the whole process `nomen tag` with --model, start and loading included. F1 is strict, on test.conll.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from common import (
    HERE,
    cost_of,
    evaluate_nomen,
    last_json,
    machine,
    say,
    spread,
    tag_nomen,
    texts_of,
    train_nomen,
    words_of,
    write_texts,
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--model", type=Path, required=True, help="a model that `nomen train` left, trained on --data")
    data = HERE / "../../shared/data/wnut17"
    parser.add_argument("--data", type=Path, default=data, help="folder with the three files")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--python", default=sys.executable, help="python with requirements.txt installed")
    parser.add_argument("--threads", type=int, default=1, help="of Nomen; spaCy has one")
    parser.add_argument("--epochs", type=int, default=10, help="of spaCy")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="only so many sentences of every file")
    return parser.parse_args()


def shortened(data: Path, limit: int | None, folder: Path) -> Path:
    """`data`, or a copy below `folder` with the first sentences alone."""
    if limit is None:
        return data
    for name in ("train.conll", "dev.conll", "test.conll"):
        blocks = (data / name).read_text(encoding="utf-8").split("\n\n")
        (folder / name).write_text("\n\n".join(blocks[:limit]) + "\n", encoding="utf-8")
    return folder


def main() -> None:
    args = arguments()
    say(machine())
    precisions = ("f32", "int8")
    training, tagging = {"spaCy": [], "Nomen": []}, {who: [] for who in ("spaCy", *precisions)}
    scores = []
    with tempfile.TemporaryDirectory() as folder:
        data = shortened(args.data, args.limit, Path(folder))
        train, test = data / "train.conll", data / "test.conll"
        file = write_texts(Path(folder) / "texts.txt", texts_of(test))
        for turn in range(args.rounds):
            command = [args.python, HERE / "peers/spacy_cnn.py", "--train", train, "--test", test]
            spacy = last_json([*command, "--epochs", args.epochs, "--seed", turn + 1])
            training["spaCy"].append(spacy["train_words_per_s"])
            tagging["spaCy"].append(spacy["tag_words_per_s"])
            scores.append(spacy["f1"])
            settings = {"num_train_epochs": 1, "threads": args.threads}
            _, seconds, _ = train_nomen(args.nomen, args.base, data, settings)
            training["Nomen"].append(words_of(train) / seconds)
            for precision in precisions:
                command = tag_nomen(args.nomen, args.model, precision, args.threads)
                seconds, _ = cost_of([*command, "--format", "text", "--json", file])
                tagging[precision].append(words_of(test) / seconds)
            say(f"round {turn + 1}: {training} {tagging} {scores}")
        ours = {form: evaluate_nomen(args.nomen, args.model, test, form)["ents_f"] for form in precisions}

    print(f"Rounds: {args.rounds}. Threads: Nomen {args.threads}, spaCy {spacy['version']} one.\n")
    print("| who | training, words a second | tagging, words a second | F1 |\n|---|---|---|---|")
    rows = [("spaCy's CNN, from scratch", training["spaCy"], tagging["spaCy"], spread(scores, ".4f"))]
    rows += [("Nomen, f32", training["Nomen"], tagging["f32"], f"{ours['f32']:.4f}")]
    rows += [("Nomen, int8", [], tagging["int8"], f"{ours['int8']:.4f}")]
    for who, trained, tagged, score in rows:
        print(f"| {who} | {spread(trained, ',.0f') if trained else '-'} | {spread(tagged, ',.0f')} | {score} |")


if __name__ == "__main__":
    main()
