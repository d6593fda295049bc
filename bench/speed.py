"""Training speed and peak memory of Nomen beside transformers, in turn, in one run.

Every round trains the same number of steps of the same base on the same texts, once with every side, and measures how
fast this machine multiplies matrices in f32. The table has the medians of all rounds and the ratios round by round:
median (lowest to highest).

    python bench/speed.py --base BASE --nomen target/release/nomen --rounds 3
    python bench/speed.py --base BASE --sides grouped tcmalloc nomen
    python bench/speed.py --base BASE --scaling          # Nomen alone, one thread and --threads in turn

Word pieces are real ones (special tokens counted, padding not); time is that of the steps, evaluation left out. Of
torch.compile the first steps, in which it compiles, are left out too. tcmalloc is a faster allocator that PyTorch is
started with (LD_PRELOAD); where libtcmalloc_minimal.so.4 is missing, the sides that need it are left out.
"""

import argparse
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from statistics import median

from common import HERE, last_json, machine, peak_of, say, spread, train_nomen

GROUPED = "transformers, grouped by length, fused AdamW"
# Name in the table, what is added to the peer's command, and whether it runs under tcmalloc.
PEERS = {
    "default": ("transformers, default collator", [], False),
    "grouped": (GROUPED, ["--group-by-length", "--fused"], False),
    "tcmalloc": (f"{GROUPED}, tcmalloc", ["--group-by-length", "--fused"], True),
    "compile": (f"{GROUPED}, torch.compile", ["--group-by-length", "--fused", "--compile"], False),
    "bf16": (f"{GROUPED}, tcmalloc, bf16 autocast", ["--group-by-length", "--fused", "--bf16"], True),
}
# Name in the table and settings.
NOMEN = {"nomen": ("Nomen", {}), "nomen-bf16": ("Nomen, bf16", {"bf16": "true"})}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = HERE / "../../shared/data/wnut17"
    parser.add_argument("--data", type=Path, default=data, help="folder with train.conll and dev.conll")
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--nomen", default="target/release/nomen")
    parser.add_argument("--python", default=sys.executable, help="python with requirements.txt installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="107 (of 32 texts: one epoch of wnut17), 40 with --scaling")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=(*PEERS, *NOMEN), default=[*PEERS, *NOMEN])
    parser.add_argument("--scaling", action="store_true", help="Nomen alone: what more threads bring")
    args = parser.parse_args()
    args.steps = args.steps or (40 if args.scaling else 107)
    return args


@cache
def tcmalloc() -> Path | None:
    return next(Path("/usr/lib").glob("**/libtcmalloc_minimal.so.4"), None)


def transformers(args, side: str) -> tuple[float, int]:
    """Word pieces a second and peak memory in bytes."""
    _, extra, preloaded = PEERS[side]
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [args.python, HERE / "peers/train_transformers.py", "--base", args.base, "--quiet", *extra]
        command += ["--train", args.data / "train.conll", "--batch", args.batch, "--max-steps", args.steps]
        command += ["--lr", 1e-4, "--threads", args.threads, "--json", result]
        command += ["--warm-steps", min(20, args.steps // 2)]
        peak = peak_of(command, env={"LD_PRELOAD": str(tcmalloc())} if preloaded else None)
        measured = json.loads(result.read_text())
    return measured["warm_pieces_per_s" if side == "compile" else "pieces_per_s"], peak


def nomen(args, side: str, threads: int) -> tuple[float, int]:
    """Word pieces a second and peak memory in bytes."""
    settings = {"learning_rate": 1e-4, "train_batch_size": args.batch, "max_steps": args.steps, "warmup_ratio": 0.1}
    settings |= {"num_train_epochs": 1000, "threads": threads} | NOMEN[side][1]
    pieces, seconds, peak = train_nomen(args.nomen, args.base, args.data, settings)
    return pieces / seconds, peak


def affine_weights(base: Path) -> int:
    """Weights in the affine maps of the encoder's layers: four of attention, two of the feed-forward block."""
    config = json.loads((base / "config.json").read_text())
    # DistilBERT has names of its own.
    layers = config.get("num_hidden_layers") or config["n_layers"]
    width = config.get("hidden_size") or config["dim"]
    inner = config.get("intermediate_size") or config["hidden_dim"]
    return layers * (4 * width * width + 2 * width * inner)


def compare(args) -> None:
    sides = [side for side in (*PEERS, *NOMEN) if side in args.sides]
    if not tcmalloc():
        missing = [side for side in sides if side in PEERS and PEERS[side][2]]
        sides = [side for side in sides if side not in missing]
        if missing:
            say(f"left out, because libtcmalloc_minimal.so.4 is not below /usr/lib: {', '.join(missing)}")
    speeds, peaks, products = {side: [] for side in sides}, {side: [] for side in sides}, []
    for turn in range(args.rounds):
        for side in sides:
            speed, peak = transformers(args, side) if side in PEERS else nomen(args, side, args.threads)
            speeds[side].append(speed)
            peaks[side].append(peak / 2**20)
            say(f"round {turn + 1}: {side}: {speed:.0f} pieces/s, {peak / 2**20:.0f} MiB")
        products.append(last_json([args.python, HERE / "peers/products.py", "--threads", args.threads])["gflops"])
        say(f"round {turn + 1}: {products[-1]:.0f} GFLOP/s")

    def ratio(of: dict, ours: str, theirs: str) -> str:
        if ours not in sides:
            return "-"
        return spread([mine / other for mine, other in zip(of[ours], of[theirs])])

    print(f"{args.rounds} rounds of {args.steps} steps of {args.batch} texts, {args.threads} threads.\n")
    print("| who | word pieces a second | Nomen over it | Nomen, bf16 over it | peak memory, MiB | Nomen's over it |")
    print("|---|---|---|---|---|---|")
    for side in sides:
        name = (PEERS | NOMEN)[side][0]
        if side in PEERS:
            over = "-" if side == "bf16" else ratio(speeds, "nomen", side)
            cells = over, ratio(speeds, "nomen-bf16", side), ratio(peaks, "nomen", side)
        else:
            cells = "", ratio(speeds, "nomen-bf16", side) if side == "nomen" else "", ""
        speed, peak = median(speeds[side]), median(peaks[side])
        print(f"| {name} | {speed:,.0f} | {cells[0]} | {cells[1]} | {peak:,.0f} | {cells[2]} |")
    print(f"\nPyTorch's f32 matrix products reach {spread(products, ',.0f')} GFLOP/s on {args.threads} threads.")
    if "nomen" in sides:
        weights = affine_weights(args.base)
        shares = [speed * 6 * weights / 1e9 / reached for speed, reached in zip(speeds["nomen"], products)]
        print(
            f"Nomen's training in f32 is {spread(shares)} of that, at {6 * weights / 1e6:.1f} MFLOP a word piece:\n"
            f"six for each of the {weights / 1e6:.2f} million weights in affine maps. This is as if all rows were\n"
            "computed: behind the attention of the last layer Nomen computes only those that get a tag."
        )


def scaling(args) -> None:
    speeds = {1: [], args.threads: []}
    for turn in range(args.rounds):
        for threads, reached in speeds.items():
            reached.append(nomen(args, "nomen", threads)[0])
            say(f"round {turn + 1}: {threads} threads: {reached[-1]:.0f} pieces/s")
    ratios = [more / one for more, one in zip(speeds[args.threads], speeds[1])]
    print(f"{args.rounds} rounds of {args.steps} steps of {args.batch} texts.\n")
    print(f"| word pieces a second, 1 thread | {args.threads} threads | ratio |\n|---|---|---|")
    print(f"| {spread(speeds[1], ',.0f')} | {spread(speeds[args.threads], ',.0f')} | {spread(ratios)} |")


def main() -> None:
    args = arguments()
    say(machine())
    (scaling if args.scaling else compare)(args)


if __name__ == "__main__":
    main()
