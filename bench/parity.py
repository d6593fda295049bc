"""Same base, same data, same settings: test F1 of Nomen beside that of transformers.

Runs what is missing, keeps every result in a cache folder, so that it can be stopped and started again, and
prints the table of means and differences. Settings and seeds come from parity.toml.

    python bench/parity.py --base BASE --cache CACHE --side peer        # transformers only
    python bench/parity.py --base BASE --cache CACHE --nomen target/release/nomen
    python bench/parity.py --cache CACHE --side none                    # the table of what is there
    python bench/parity.py --cache CACHE --side defaults --nomen target/release/nomen
    python bench/parity.py --cache CACHE --side none --record                 # keep transformers' scores

transformers' side takes hours and does not change with Nomen, so `--record` writes its scores to
parity_transformers.json, and what stands there is not run again (`--rerun` does).
`--side defaults` runs Nomen without any setting and compares with `reference_f1`. Exit code 1: a bound is missed.
"""

import argparse
import json
import shutil
import sys
import tomllib
from pathlib import Path

from common import HERE, evaluate_nomen, run, say

# Mean difference over all sets, and of the worst set, that Nomen must not fall below.
MEAN_BOUND, SET_BOUND = -0.005, -0.015
# Name of a score, the model of the run, and the number format.
SCORED = (("model-last", "model-last", "f32"), ("int8", "model-last", "int8"), ("model-best", "model-best", "f32"))
RECORD = HERE / "parity_transformers.json"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE / "../../shared/data", help="folder with a folder a set")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--base", help="model folder; Nomen is given it as path:BASE, or `minilm` without it")
    parser.add_argument("--side", choices=("both", "peer", "nomen", "defaults", "none"), default="both")
    parser.add_argument("--nomen", default="nomen", help="the nomen binary")
    parser.add_argument("--python", default=sys.executable, help="python with requirements.txt installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="add transformers' scores in the cache to the record")
    parser.add_argument("--rerun", action="store_true", help="run transformers although its score is recorded")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of Nomen beside parity.toml's")
    return parser.parse_args()


def run_peer(args, settings: dict, folder: Path, seed: int, result: Path) -> None:
    command = [args.python, HERE / "peers/train_transformers.py", "--base", args.base, "--group-by-length", "--fused"]
    command += ["--train", folder / "train.conll", "--dev", folder / "dev.conll", "--test", folder / "test.conll"]
    command += ["--epochs", settings["num_train_epochs"], "--batch", settings["train_batch_size"]]
    command += ["--lr", settings["learning_rate"], "--warmup", settings["warmup_ratio"]]
    command += ["--weight-decay", settings["weight_decay"], "--max-grad-norm", settings["max_grad_norm"]]
    command += ["--max-length", settings["max_length"], "--seed", seed, "--threads", args.threads]
    run([*command, "--json", result], result.with_suffix(".log"))


def run_nomen(args, settings: dict, folder: Path, seed: int, result: Path) -> None:
    """Trains, scores the last model (what transformers keeps), that in int8 and the best one, then drops the models."""
    out = result.with_suffix(".run")
    shutil.rmtree(out, ignore_errors=True)
    base = f"path:{args.base}" if args.base else "minilm"
    command = [args.nomen, "train", "--base", base, "--out", out]
    command += ["--train", folder / "train.conll", "--dev", folder / "dev.conll", "--test", folder / "test.conll"]
    keys = ("learning_rate", "num_train_epochs", "train_batch_size", "warmup_ratio", "weight_decay", "max_grad_norm")
    chosen = {key: settings[key] for key in keys if key in settings} | {"seed": seed, "threads": args.threads}
    if settings:
        # As transformers' loop: the texts alone, all epochs, no early end, nothing scored on the way.
        chosen |= {"patience": 0, "eval_every": 1_000_000, "augment.copies": 0}
    for setting in [*(f"{key}={value}" for key, value in chosen.items()), *args.set]:
        command += ["--set", setting]
    run(command, result.with_suffix(".log"))
    test = folder / "test.conll"
    scores = {name: evaluate_nomen(args.nomen, out / model, test, precision) for name, model, precision in SCORED}
    beside = result.with_suffix(".part")
    beside.write_text(json.dumps(scores, indent=2) + "\n")
    beside.replace(result)
    shutil.rmtree(out)


def recorded(args) -> dict:
    """transformers' scores by `set-seed`, as they were recorded."""
    return json.loads(RECORD.read_text()) if RECORD.exists() and not args.rerun else {}


def record(args) -> None:
    """Adds the scores in the cache to the record."""
    scores = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for path in (args.cache / "peer").glob("*.json"):
        result = json.loads(path.read_text())
        kept = {key: round(result["test"][key], 6) for key in ("f1", "strict_f1")}
        scores[path.stem] = kept | {"versions": result["versions"], "threads": result["settings"]["threads"]}
    RECORD.write_text(json.dumps(dict(sorted(scores.items())), indent=2) + "\n")


def peer_f1(result: dict) -> float:
    return result["test"]["f1"] if "test" in result else result["f1"]


def nomen_f1(result: dict, model: str = "model-last") -> float:
    return result[model]["ents_f"]


def cell(values: list[float]) -> str:
    if not values:
        return "-"
    mean = sum(values) / len(values)
    return f"{mean:.4f} ({', '.join(f'{v:.3f}' for v in values)})"


def table(args, sets: dict, seeds: list[int]) -> bool:
    """Prints means with the seeds' scores; true when every bound holds on a complete table."""
    print("| set | transformers | Nomen | difference |\n|---|---|---|---|")
    known = recorded(args)
    differences = []
    for name in sets:
        peer, nomen = [], []
        for seed in seeds:
            for side, scores, f1 in (("peer", peer, peer_f1), ("nomen", nomen, nomen_f1)):
                path = args.cache / side / f"{name}-{seed}.json"
                if path.exists():
                    scores.append(f1(json.loads(path.read_text())))
                elif side == "peer" and path.stem in known:
                    scores.append(f1(known[path.stem]))
        complete = len(peer) == len(nomen) == len(seeds)
        difference = sum(nomen) / len(nomen) - sum(peer) / len(peer) if peer and nomen else None
        if complete:
            differences.append(difference)
        shown = "-" if difference is None else f"{difference:+.4f}" + ("" if complete else " (incomplete)")
        print(f"| {name} | {cell(peer)} | {cell(nomen)} | {shown} |")
    if len(differences) < len(sets):
        print(f"\n{len(differences)} of {len(sets)} sets are complete.")
        return False
    mean = sum(differences) / len(differences)
    held = mean >= MEAN_BOUND and min(differences) >= SET_BOUND
    print(f"\nmean difference {mean:+.4f} (bound {MEAN_BOUND}), worst set {min(differences):+.4f} (bound {SET_BOUND})")
    return held


def int8_table(args, sets: dict, seeds: list[int]) -> None:
    """Prints what int8 costs: F1 of the same models in both number formats."""
    print("\n| set | f32 | int8 | lost |\n|---|---|---|---|")
    for name in sets:
        paths = [args.cache / "nomen" / f"{name}-{seed}.json" for seed in seeds]
        results = [json.loads(path.read_text()) for path in paths if path.exists()]
        both = [(nomen_f1(result), nomen_f1(result, "int8")) for result in results if "int8" in result]
        if both:
            f32, int8 = ([scores[side] for scores in both] for side in (0, 1))
            print(f"| {name} | {cell(f32)} | {cell(int8)} | {(sum(f32) - sum(int8)) / len(both):+.4f} |")


def defaults_table(args, sets: dict, seeds: list[int]) -> bool:
    print("| set | reference | Nomen without settings | |\n|---|---|---|---|")
    held = True
    for name, settings in sets.items():
        paths = [args.cache / "defaults" / f"{name}-{seed}.json" for seed in seeds]
        scores = [nomen_f1(json.loads(p.read_text()), "model-best") for p in paths if p.exists()]
        reached = bool(scores) and sum(scores) / len(scores) >= settings["reference_f1"]
        held &= reached
        print(f"| {name} | {settings['reference_f1']} | {cell(scores)} | {'reached' if reached else 'missed'} |")
    return held


def main() -> None:
    args = arguments()
    config = tomllib.loads((HERE / "parity.toml").read_text())
    known = config["sets"] | (config["defaults_only"] if args.side == "defaults" else {})
    sets = {n: config["common"] | s for n, s in known.items() if not args.sets or n in args.sets}
    seeds = args.seeds or config["seeds"]
    sides = {"both": ["peer", "nomen"], "none": []}.get(args.side, [args.side])
    runners = {"peer": run_peer, "nomen": run_nomen, "defaults": run_nomen}
    if args.record:
        record(args)
    known = recorded(args)
    if "peer" in sides and not args.base:
        raise SystemExit("--base is needed to run transformers: the folder of the base model")
    # Seeds outside, so that every set has a first figure early.
    for seed in seeds:
        for name, settings in sets.items():
            for side in sides:
                result = args.cache / side / f"{name}-{seed}.json"
                if result.exists() or (side == "peer" and result.stem in known):
                    continue
                say(f"{side} {name} seed {seed}")
                result.parent.mkdir(parents=True, exist_ok=True)
                given = {} if side == "defaults" else settings
                runners[side](args, given, args.data / name, seed, result)
    held = defaults_table(args, sets, seeds) if args.side == "defaults" else table(args, sets, seeds)
    if args.side != "defaults":
        int8_table(args, sets, seeds)
    raise SystemExit(0 if held or args.side in ("peer", "none") else 1)


if __name__ == "__main__":
    main()
