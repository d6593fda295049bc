"""One bundle opened by both sides: Nomen's in transformers, transformers' in Nomen.

    python bench/bundles.py --nomen-bundle DIR    # logits within 1e-4 on 200 sentences
    python bench/bundles.py --peer-model DIR      # the same entities as the pipeline on all texts

DIR of --nomen-bundle is a `model-best` of `nomen train`, DIR of --peer-model what `train_transformers.py --save` wrote.
Differences are listed on standard error, with a reason where there is one:

* impossible: where the two disagree, the pipeline's words carry a tag sequence that is no IOB2 (an `I-` that continues
  nothing). The pipeline makes entities of it all the same; Nomen's decoder never lets one come out.
* in reach: the words' tags are possible there, and the two still disagree. None is expected.

Exit code 1: a bound is missed or a difference has no reason.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import HERE, say, shown, texts_of, write_texts

BOUND = 1e-4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nomen-bundle", type=Path)
    parser.add_argument("--peer-model", type=Path)
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data/wnut17/test.conll")
    parser.add_argument("--sentences", type=int, default=200, help="for the logits")
    parser.add_argument("--nomen", default="nomen", help="the nomen binary")
    parser.add_argument(
        "--logits", help="program that prints Nomen's logits; default: the example of the model crate through cargo"
    )
    parser.add_argument("--python", default=sys.executable)
    return parser.parse_args()


def json_lines(command: list) -> list[dict]:
    """Standard output of `command`, a JSON object a line; its standard error is passed on."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, cwd=HERE.parent)
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {shown(command)}")
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def compare_logits(args, bundle: Path, texts: list[str], folder: Path) -> bool:
    file = write_texts(folder / "texts.txt", texts)
    example = ["cargo", "run", "--quiet", "--release", "-p", "nomen-model", "--example", "logits", "--"]
    ours = json_lines([*([args.logits] if args.logits else example), bundle.resolve(), file])
    theirs = json_lines([args.python, HERE / "peers/logits.py", bundle.resolve(), file])
    if not len(ours) == len(theirs) == len(texts):
        say(f"{len(texts)} texts, {len(ours)} answers of Nomen, {len(theirs)} of transformers")
        return False
    worst, pieces, other_pieces = 0.0, 0, 0
    for text, mine, peer in zip(texts, ours, theirs):
        if mine["ids"] != peer["ids"]:
            other_pieces += 1
            say(f"other word pieces: {text!r}\n  Nomen        {mine['ids']}\n  transformers {peer['ids']}")
            continue
        pieces += len(mine["ids"])
        for row, expected in zip(mine["logits"], peer["logits"], strict=True):
            worst = max(worst, *(abs(a - b) for a, b in zip(row, expected, strict=True)))
    trained_by = "transformers" if bundle == args.peer_model else "Nomen"
    print(
        f"- A model trained by {trained_by}, logits of both sides: {len(texts):,} texts, {pieces:,} word pieces, "
        f"largest difference {worst:.1e} (bound {BOUND:.0e})."
    )
    return worst <= BOUND and other_pieces == 0


def impossible_stretches(words: list[list]) -> list[tuple[int, int]]:
    """Character ranges of runs of tagged words that hold an impossible tag, with one word either side.

    The decoder may change any tag of such a run, and what stands beside it, to make the sequence possible.
    """
    stretches, first = [], 0
    while first < len(words):
        last = first
        while last < len(words) and words[last][2] != "O":
            last += 1
        tags = ["O"] + [tag for _, _, tag in words[first:last]]
        if any(tag.startswith("I-") and before[2:] != tag[2:] for before, tag in zip(tags, tags[1:])):
            stretches.append((words[max(first - 1, 0)][0], words[min(last, len(words) - 1)][1]))
        first = last + 1
    return stretches


def compare_entities(args, model: Path, texts: list[str], folder: Path) -> bool:
    file, out = folder / "texts.jsonl", folder / "pipeline.jsonl"
    file.write_text("".join(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts), encoding="utf-8")
    subprocess.run(
        [args.python, HERE / "peers/pipeline.py", "--model", model, "--data", file, "--out", out, "--words"], check=True
    )
    theirs = [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n") if line]
    ours = json_lines([args.nomen, "tag", "--model", model.resolve(), "--json", file])
    if [row["text"] for row in ours] != texts:
        say(f"`nomen tag` gave {len(ours)} texts for {len(texts)}, or other ones")
        return False

    same, reasons, score_gap = 0, {"impossible": 0, "in reach": 0}, 0.0
    for text, mine, peer in zip(texts, ours, theirs, strict=True):
        found = {(e["start"], e["end"], e["label"]): e["score"] for e in mine["entities"]}
        expected = {(e["start"], e["end"], e["label"]): e["score"] for e in peer["entities"]}
        if found.keys() == expected.keys():
            same += 1
            score_gap = max([score_gap, *(abs(found[k] - expected[k]) for k in found)])
            continue
        stretches = impossible_stretches(peer["words"])
        explained = all(
            any(start < until and since < end for since, until in stretches)
            for start, end, _ in found.keys() ^ expected.keys()
        )
        reason = "impossible" if explained else "in reach"
        reasons[reason] += 1
        say(f"{reason}: {text!r}")
        for side, only in (("Nomen", found.keys() - expected.keys()), ("pipeline", expected.keys() - found.keys())):
            for start, end, label in sorted(only):
                say(f"  only {side}: {label} {start}..{end} {text[start:end]!r}")
        tags = " ".join(f"{text[s:e]}/{tag}" for s, e, tag in peer["words"] if tag != "O")
        say(f"  words that the pipeline tagged: {tags}")
    entities = sum(len(row["entities"]) for row in theirs)
    print(
        f"- Its entities: {len(texts):,} texts, {entities:,} entities of the pipeline; {same:,} texts have the same "
        f"(scores differ by at most {score_gap:.1e}), {reasons['impossible']} differ where the pipeline's tags are an "
        f"impossible sequence, {reasons['in reach']} without a reason."
    )
    return reasons["in reach"] == 0


def main() -> None:
    args = arguments()
    if not args.nomen_bundle and not args.peer_model:
        raise SystemExit("give --nomen-bundle, --peer-model or both")
    texts = texts_of(args.data)
    held = True
    with tempfile.TemporaryDirectory() as folder:
        for bundle in filter(None, (args.nomen_bundle, args.peer_model)):
            held &= compare_logits(args, bundle, texts[: args.sentences], Path(folder))
        if args.peer_model:
            held &= compare_entities(args, args.peer_model, texts, Path(folder))
    raise SystemExit(0 if held else 1)


if __name__ == "__main__":
    main()
