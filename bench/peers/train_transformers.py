"""Fine-tunes a token classifier with transformers and PyTorch, the way the Trainer does it.

The plain recipe: labels on first pieces, batches padded to their longest text, AdamW without decay on
biases and layer norms, linear schedule with warm-up, clipping by global norm, the model of the last epoch.
Prints one JSON object with scores, speed and memory.

    python bench/peers/train_transformers.py --base BASE --train train.conll --test test.conll \
        --epochs 3 --batch 32 --lr 1e-4 --seed 1 --threads 2 --json result.json
"""

import argparse
import contextlib
import json
import math
import os
import resource
import sys
import time
from pathlib import Path

import conll


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="folder of the base model")
    parser.add_argument("--train", required=True)
    parser.add_argument("--dev", help="scored after training, never used to choose")
    parser.add_argument("--test")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--max-steps", type=int, default=0, help="stop after so many steps; overrides --epochs")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--warmup", type=float, default=0.1, help="share of all steps")
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--max-grad-norm", type=float, default=1.0)
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--group-by-length", action="store_true")
    parser.add_argument("--fused", action="store_true", help="torch's fused AdamW")
    parser.add_argument("--compile", action="store_true", help="torch.compile with dynamic shapes")
    parser.add_argument("--bf16", action="store_true", help="forward passes of training under autocast to bfloat16")
    parser.add_argument("--warm-steps", type=int, default=20, help="steps left out of warm_pieces_per_s")
    parser.add_argument("--predictions", help="JSON lines of the test set: words, gold, predicted")
    parser.add_argument("--save", help="folder for the trained model")
    parser.add_argument("--json", help="file for the result")
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args()


args = arguments()
# Thread pools read these when they start, so they are set before torch is imported.
os.environ["OMP_NUM_THREADS"] = str(args.threads)
os.environ["MKL_NUM_THREADS"] = str(args.threads)
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
import transformers  # noqa: E402
from seqeval.metrics import f1_score, precision_score, recall_score  # noqa: E402
from seqeval.scheme import IOB2  # noqa: E402
from transformers.trainer_pt_utils import get_length_grouped_indices  # noqa: E402

torch.set_num_threads(args.threads)


def peak_rss() -> int:
    """Bytes of the largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def optimizer_for(model: torch.nn.Module) -> torch.optim.AdamW:
    norms = {id(p) for m in model.modules() if isinstance(m, torch.nn.LayerNorm) for p in m.parameters()}
    decayed, plain = [], []
    for name, parameter in model.named_parameters():
        spared = id(parameter) in norms or name.endswith("bias")
        (plain if spared else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": args.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.999), eps=1e-8, fused=args.fused or None)


def epoch_batches(texts: list[conll.Encoded], generator: torch.Generator) -> list[list[int]]:
    if args.group_by_length:
        lengths = [len(t.input_ids) for t in texts]
        order = get_length_grouped_indices(lengths, args.batch, generator=generator)
    else:
        order = torch.randperm(len(texts), generator=generator).tolist()
    return [order[i : i + args.batch] for i in range(0, len(order), args.batch)]


def score(model, collate, sentences: list[conll.Sentence], texts: list[conll.Encoded], names: list[str]) -> tuple:
    """Entity scores of argmax on first pieces; a word without a piece counts as `O`."""
    model.eval()
    predicted = [["O"] * len(s.words) for s in sentences]
    by_length = sorted(range(len(texts)), key=lambda i: len(texts[i].input_ids))
    with torch.no_grad():
        for start in range(0, len(by_length), 32):
            chosen = by_length[start : start + 32]
            batch = collate([{"input_ids": texts[i].input_ids, "labels": texts[i].labels} for i in chosen])
            best = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.argmax(-1)
            for row, i in enumerate(chosen):
                for word, piece in enumerate(texts[i].first):
                    if piece is not None:
                        predicted[i][word] = names[best[row, piece]]
    gold = [s.tags for s in sentences]
    result = {
        "f1": float(f1_score(gold, predicted)),
        "precision": float(precision_score(gold, predicted)),
        "recall": float(recall_score(gold, predicted)),
        "strict_f1": float(f1_score(gold, predicted, mode="strict", scheme=IOB2, zero_division=0)),
        "cut_words": sum(t.cut_words for t in texts),
        "pieces": sum(len(t.input_ids) for t in texts),
    }
    return result, predicted


def main() -> None:
    started = time.perf_counter()
    transformers.logging.set_verbosity_error()
    transformers.set_seed(args.seed)

    files = {name: conll.read(getattr(args, name)) for name in ("train", "dev", "test") if getattr(args, name)}
    names = conll.tag_names(files["train"] + files.get("dev", []))
    tag_ids = {name: i for i, name in enumerate(names)}
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.base)
    model = transformers.AutoModelForTokenClassification.from_pretrained(
        args.base, num_labels=len(names), id2label=dict(enumerate(names)), label2id=tag_ids, dtype=torch.float32
    )
    texts = {name: conll.encode(tokenizer, s, tag_ids, args.max_length) for name, s in files.items()}
    collate = transformers.DataCollatorForTokenClassification(tokenizer)

    steps_per_epoch = math.ceil(len(texts["train"]) / args.batch)
    total_steps = args.max_steps or math.ceil(args.epochs * steps_per_epoch)
    optimizer = optimizer_for(model)
    schedule = transformers.get_linear_schedule_with_warmup(
        optimizer, math.ceil(args.warmup * total_steps), total_steps
    )

    # Saving and scoring go on with `model`, which shares its weights.
    forward = torch.compile(model, dynamic=True) if args.compile else model
    precision = torch.autocast("cpu", dtype=torch.bfloat16) if args.bf16 else contextlib.nullcontext()
    generator = torch.Generator().manual_seed(args.seed)
    batches: list[list[int]] = []
    step, pieces, slots, seconds = 0, 0, 0, 0.0
    warm_pieces, warm_seconds, loss_sum = 0, 0.0, 0.0
    model.train()
    while step < total_steps:
        if not batches:
            batches = epoch_batches(texts["train"], generator)[::-1]
        chosen = [texts["train"][i] for i in batches.pop()]
        began = time.perf_counter()
        batch = collate([{"input_ids": t.input_ids, "labels": t.labels} for t in chosen])
        with precision:
            loss = forward(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        loss_sum += loss.item()
        took = time.perf_counter() - began

        real = int(batch["attention_mask"].sum())
        step, pieces, slots, seconds = step + 1, pieces + real, slots + batch["input_ids"].numel(), seconds + took
        if step > args.warm_steps:
            warm_pieces, warm_seconds = warm_pieces + real, warm_seconds + took
        if not args.quiet and step % 50 == 0:
            print(f"step {step}/{total_steps} loss {loss_sum / 50:.4f} {pieces / seconds:.0f} pieces/s", file=sys.stderr)
            loss_sum = 0.0

    result = {
        "settings": {k: v for k, v in vars(args).items() if k not in ("base", "json", "save", "predictions", "quiet")},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "steps": step,
        "train_cut_words": sum(t.cut_words for t in texts["train"]),
        "train_pieces_seen": pieces,
        "slots_per_piece": slots / pieces,
        "train_seconds": seconds,
        "pieces_per_s": pieces / seconds,
        "warm_pieces_per_s": warm_pieces / warm_seconds if warm_seconds else None,
        "train_peak_rss_bytes": peak_rss(),
    }
    for name in ("dev", "test"):
        if name in files:
            result[name], predicted = score(model, collate, files[name], texts[name], names)
    if args.predictions and args.test:
        with Path(args.predictions).open("w", encoding="utf-8") as out:
            for sentence, tags in zip(files["test"], predicted):
                row = {"words": sentence.words, "gold": sentence.tags, "predicted": tags}
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    if args.save:
        model.save_pretrained(args.save)
        tokenizer.save_pretrained(args.save)
    result["peak_rss_bytes"] = peak_rss()
    result["wall_seconds"] = time.perf_counter() - started
    text = json.dumps(result, indent=2)
    print(text)
    if args.json:
        beside = Path(args.json + ".part")
        beside.write_text(text + "\n")
        beside.replace(args.json)


if __name__ == "__main__":
    main()
