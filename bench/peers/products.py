"""How fast PyTorch multiplies matrices in f32 on this machine: the best of a few shapes, about a second each.

    python bench/peers/products.py --threads 2

Shapes are rows, inner width, columns: a large square one, and the feed-forward block of MiniLM on a batch of 1,024 word
pieces, there and back. Prints one JSON object: `gflops`, and those of each shape.
"""

import argparse
import json
import os
import time

SHAPES = [(2048, 2048, 2048), (1024, 384, 1536), (1024, 1536, 384)]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=1, help="for each shape")
args = parser.parse_args()
# Thread pools read these when they start, so they are set before torch is imported.
os.environ["OMP_NUM_THREADS"] = str(args.threads)
os.environ["MKL_NUM_THREADS"] = str(args.threads)

import torch  # noqa: E402

torch.set_num_threads(args.threads)


def gflops(rows: int, inner: int, columns: int) -> float:
    """Of the fastest product of all that fit into the time."""
    left, right, out = torch.randn(rows, inner), torch.randn(inner, columns), torch.empty(rows, columns)
    torch.mm(left, right, out=out)
    best, until = float("inf"), time.perf_counter() + args.seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        torch.mm(left, right, out=out)
        best = min(best, time.perf_counter() - began)
    return 2 * rows * inner * columns / best / 1e9


def main() -> None:
    reached = {"x".join(map(str, shape)): gflops(*shape) for shape in SHAPES}
    print(json.dumps({"threads": args.threads, "gflops": max(reached.values()), "shapes": reached}))


if __name__ == "__main__":
    main()
