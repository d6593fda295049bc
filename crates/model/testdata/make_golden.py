"""Makes the tiny random models and golden files of the `model` crate, one folder an architecture.

    python crates/model/testdata/make_golden.py        # all folders
    python crates/model/testdata/make_golden.py bert   # one

A folder holds what transformers' `save_pretrained` writes (config.json, model.safetensors, tokenizer.json,
tokenizer_config.json) and

* golden.safetensors: a packed batch of three sequences and what the model makes of it, dropout off:
  `input_ids`, `labels` [tokens] (i64, -100: no label), `lengths` [3], `hidden` [tokens, width] (the encoder's
  last layer), `logits` [tokens, labels], `loss` [1] (mean over labelled tokens), `grad.NAME` for every parameter
  NAME of the checkpoint, `losses` [10] (loss before each of ten AdamW steps on this batch), `rates` [10], `norms` [10]
  (gradient norms before clipping), and `after.NAME`: some parameters after the ten steps.
* tokenization.json: texts with ids and offsets (code points) of the fast tokenizer, special tokens added, uncut.

Values are computed in double precision and stored as f32, so that they carry no rounding of their own; the
script checks that single precision, and every sequence alone instead of in a padded batch, agree.
"""

import json
import platform
import sys
from pathlib import Path

import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from texts import PROBES, TRAINING
from tiny_tokenizers import byte_bpe, unigram, wordpiece

HERE = Path(__file__).parent
TAGS = ["O", "B-PER", "I-PER", "B-creative-work", "I-creative-work"]
LENGTHS = [9, 21, 14]
IGNORED = -100
STEPS, WARMUP, RATE = 10, 3, 1e-3

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def tiny_models() -> dict:
    """Folder name -> (configuration, tokenizer). Widths differ where an architecture lets them."""
    cased, uncased = wordpiece(TRAINING, lowercase=False), wordpiece(TRAINING, lowercase=True)
    xlmr, camembert, roberta = unigram(TRAINING, False), unigram(TRAINING, True), byte_bpe(TRAINING)
    shape = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    tags = dict(id2label=dict(enumerate(TAGS)), label2id={t: i for i, t in enumerate(TAGS)})
    # RoBERTa counts positions from the padding id + 1.
    after_padding = dict(max_position_embeddings=66, pad_token_id=1, type_vocab_size=1, layer_norm_eps=1e-5)
    return {
        "bert": (
            transformers.BertConfig(vocab_size=len(uncased), max_position_embeddings=64, **shape, **tags),
            uncased,
        ),
        "bert-gelu-new": (
            transformers.BertConfig(
                vocab_size=len(cased), max_position_embeddings=64, hidden_act="gelu_new", **shape, **tags
            ),
            cased,
        ),
        "roberta": (
            transformers.RobertaConfig(
                vocab_size=len(roberta), bos_token_id=0, eos_token_id=2, **after_padding, **shape, **tags
            ),
            roberta,
        ),
        "xlm-roberta": (
            transformers.XLMRobertaConfig(
                vocab_size=len(xlmr), bos_token_id=0, eos_token_id=2, **after_padding, **shape, **tags
            ),
            xlmr,
        ),
        "camembert": (
            transformers.CamembertConfig(
                vocab_size=len(camembert), bos_token_id=5, eos_token_id=6, **after_padding, **shape, **tags
            ),
            camembert,
        ),
        "distilbert": (
            transformers.DistilBertConfig(
                vocab_size=len(uncased), max_position_embeddings=64, dim=32, n_layers=2, n_heads=4, hidden_dim=64, **tags
            ),
            uncased,
        ),
        "electra": (
            transformers.ElectraConfig(
                vocab_size=len(uncased), max_position_embeddings=64, embedding_size=16, **shape, **tags
            ),
            uncased,
        ),
    }


def randomize(model: torch.nn.Module, generator: torch.Generator) -> None:
    """Every parameter random and none neutral: a bias or a norm left out must show."""
    norms = {id(p) for m in model.modules() if isinstance(m, torch.nn.LayerNorm) for p in m.parameters()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if id(parameter) in norms and name.endswith("weight"):
                parameter.copy_(1.0 + 0.2 * noise)
            else:
                parameter.copy_(0.2 * noise)


def sequences(tokenizer, generator: torch.Generator) -> tuple[list[list[int]], list[list[int]]]:
    """Random pieces between the tokenizer's own first and last; every third piece goes without a label."""
    vocabulary = [i for i in range(len(tokenizer)) if i not in tokenizer.all_special_ids]
    all_ids, all_labels = [], []
    for length in LENGTHS:
        drawn = torch.randint(len(vocabulary), (length - 2,), generator=generator).tolist()
        all_ids.append([tokenizer.cls_token_id, *(vocabulary[i] for i in drawn), tokenizer.sep_token_id])
        tags = torch.randint(len(TAGS), (length - 2,), generator=generator).tolist()
        all_labels.append([IGNORED, *(IGNORED if i % 3 == 2 else t for i, t in enumerate(tags)), IGNORED])
    return all_ids, all_labels


def padded(rows: list[list[int]], value: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def packed(values: torch.Tensor) -> torch.Tensor:
    """`[sequences, longest, ...]` -> `[tokens, ...]` without the padding."""
    return torch.cat([row[:length] for row, length in zip(values, LENGTHS)])


def decay_groups(model: torch.nn.Module) -> list[dict]:
    norms = {id(p) for m in model.modules() if isinstance(m, torch.nn.LayerNorm) for p in m.parameters()}
    spared = {n for n, p in model.named_parameters() if id(p) in norms or n.endswith("bias")}
    return [
        {"params": [p for n, p in model.named_parameters() if n not in spared], "weight_decay": 0.01},
        {"params": [p for n, p in model.named_parameters() if n in spared], "weight_decay": 0.0},
    ]


def golden(model: torch.nn.Module, ids: list[list[int]], labels: list[list[int]], pad: int) -> dict:
    batch = dict(
        input_ids=padded(ids, pad),
        attention_mask=padded([[1] * len(row) for row in ids], 0),
        labels=padded(labels, IGNORED),
    )
    model.eval()
    model.zero_grad()
    output = model(**batch, output_hidden_states=True)
    output.loss.backward()
    values = {
        "input_ids": torch.tensor(sum(ids, [])),
        "labels": torch.tensor(sum(labels, [])),
        "lengths": torch.tensor([len(row) for row in ids]),
        "hidden": packed(output.hidden_states[-1].detach()),
        "logits": packed(output.logits.detach()),
        "loss": output.loss.detach().reshape(1),
    }
    values |= {f"grad.{name}": p.grad.clone() for name, p in model.named_parameters()}
    check_alone(model, ids, values)

    optimizer = torch.optim.AdamW(decay_groups(model), lr=RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, rates, norms = [], [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    values |= {"losses": torch.tensor(losses), "rates": torch.tensor(rates), "norms": torch.tensor(norms)}
    kept = ("classifier.weight", "classifier.bias", "position_embeddings.weight", "LayerNorm.weight")
    values |= {f"after.{n}": p.detach().clone() for n, p in model.named_parameters() if n.endswith(kept)}
    return values


def check_alone(model: torch.nn.Module, ids: list[list[int]], values: dict) -> None:
    """Each sequence by itself gives what the padded batch gave."""
    with torch.no_grad():
        alone = torch.cat([model(input_ids=torch.tensor([row])).logits[0] for row in ids])
    worst = (alone - values["logits"]).abs().max().item()
    assert worst < 1e-4 if alone.dtype == torch.float32 else worst < 1e-10, worst


def check_single_precision(name: str, double: dict, single: dict) -> None:
    for key, value in double.items():
        if value.is_floating_point():
            worst = (value.double() - single[key].double()).abs().max().item()
            scale = value.abs().max().item()
            # Adam divides by the gradient's size, so parameters whose gradient is noise may differ by whole rates.
            bound = 1e-3 if key.startswith("after.") else 2e-5
            assert worst <= bound * max(1.0, scale), f"{name} {key}: {worst} of {scale}"


def tokenization(tokenizer) -> list[dict]:
    rows = []
    for text in PROBES:
        encoded = tokenizer(text, return_offsets_mapping=True)
        rows.append({"text": text, "ids": encoded["input_ids"], "offsets": [list(o) for o in encoded["offset_mapping"]]})
    return rows


def make(name: str, config, tokenizer) -> None:
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    model = transformers.AutoModelForTokenClassification.from_config(config, attn_implementation="eager")
    generator = torch.Generator().manual_seed(20 + len(name))
    randomize(model, generator)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    ids, labels = sequences(tokenizer, generator)

    start = {n: v.clone() for n, v in model.state_dict().items()}
    pad = tokenizer.pad_token_id
    single = golden(model, ids, labels, pad)
    model.load_state_dict(start)
    double = golden(model.double(), ids, labels, pad)
    check_single_precision(name, double, single)
    stored = {k: (v.float() if v.is_floating_point() else v).contiguous() for k, v in double.items()}
    save_file(stored, folder / "golden.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)

    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in tokenization(tokenizer))
    (folder / "tokenization.json").write_text(f"[\n{lines}\n]\n")
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: {size // 1024} KiB, loss {double['loss'].item():.4f} -> {double['losses'][-1].item():.4f}")
    assert size < 300 * 1024, f"{folder} is {size} bytes"


def main() -> None:
    torch.set_num_threads(1)
    for name, (config, tokenizer) in tiny_models().items():
        if not sys.argv[1:] or name in sys.argv[1:]:
            make(name, config, tokenizer)
    (HERE / "VERSIONS.md").write_text(
        "# Versions that made these files\n\n"
        f"* Python {platform.python_version()}\n* PyTorch {torch.__version__}\n"
        f"* transformers {transformers.__version__}\n* tokenizers {tokenizers.__version__}\n\n"
        "Made by `make_golden.py`; the models are random and carry no licence of another's.\n"
    )


if __name__ == "__main__":
    main()
