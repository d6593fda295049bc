"""Makes adamw.json, schedules.json and functions.json: PyTorch's optimizer, transformers' schedules and the
values of the functions that the kernels compute.

    python crates/engine/testdata/make_adamw.py

adamw.json: cases of `torch.optim.AdamW` with gradients given for ten steps. A case has `lr`, `betas`, `eps`, `clip`
(null: none) and `params` with `decay` (the group's weight decay) and `start`; each step has the `rate`, the
`grads`, the `norm` before clipping and the parameters `after` it. The arithmetic is f32, as in training.
`f64_after` holds the last step's parameters from the same run in double precision, to tell rounding from error.

schedules.json: the rate of every step, from the rate that the first step uses.

functions.json: values in double precision. Infinite values and NaN are written as strings.
"""

import json
import math
import platform
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).parent
STEPS = 10


def plain(values: torch.Tensor) -> list:
    return [v if math.isfinite(v) else str(v) for v in values.double().flatten().tolist()]


def shaped(values: torch.Tensor) -> list:
    return [plain(row) for row in values]


def adamw_cases() -> list[dict]:
    generator = torch.Generator().manual_seed(7)

    def drawn(*sizes: int, scale: float = 1.0) -> torch.Tensor:
        return scale * torch.randn(*sizes, generator=generator)

    usual = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, clip=1.0, decays=[0.01, 0.0], scale=1.0, warmup=3)
    variants = {
        "usual": {},
        "no clipping": dict(clip=None),
        "gradients below the clipping norm": dict(scale=1e-3),
        "gradients near eps": dict(scale=1e-8, clip=None),
        "huge gradients": dict(scale=1e6),
        "strong decay": dict(decays=[0.5, 0.1], lr=1e-2),
        "other betas and eps": dict(betas=(0.8, 0.95), eps=1e-3),
        "constant rate": dict(warmup=None),
    }
    cases = []
    for name, changed in variants.items():
        case = usual | changed
        starts = [drawn(7), drawn(4)]
        grads = [[drawn(7, scale=case["scale"]), drawn(4, scale=case["scale"])] for _ in range(STEPS)]
        # An embedding row that no text of the batch has: its gradient is zero, its decay is not.
        for step in grads[::2]:
            step[0][:2] = 0.0
        single = adamw_run(case, starts, grads, torch.float32)
        double = adamw_run(case, starts, grads, torch.float64)
        cases.append(
            {
                "name": name,
                "lr": case["lr"],
                "betas": case["betas"],
                "eps": case["eps"],
                "clip": case["clip"],
                "params": [{"decay": d, "start": plain(s)} for d, s in zip(case["decays"], starts)],
                "steps": single,
                "f64_after": double[-1]["after"],
            }
        )
    return cases


def adamw_run(case: dict, starts: list, grads: list, dtype: torch.dtype) -> list[dict]:
    parameters = [torch.nn.Parameter(s.to(dtype, copy=True)) for s in starts]
    groups = [{"params": [p], "weight_decay": d} for p, d in zip(parameters, case["decays"])]
    optimizer = torch.optim.AdamW(groups, lr=case["lr"], betas=case["betas"], eps=case["eps"], foreach=False)
    if case["warmup"] is None:
        schedule = transformers.get_constant_schedule(optimizer)
    else:
        schedule = transformers.get_linear_schedule_with_warmup(optimizer, case["warmup"], STEPS)
    steps = []
    for given in grads:
        for parameter, gradient in zip(parameters, given):
            parameter.grad = gradient.to(dtype, copy=True)
        limit = math.inf if case["clip"] is None else case["clip"]
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit).item()
        rate = schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()
        steps.append(
            {
                "rate": rate,
                "grads": [plain(g) for g in given],
                "norm": norm,
                "after": [plain(p.detach()) for p in parameters],
            }
        )
    return steps


def schedule_cases() -> list[dict]:
    cases = []
    for kind in ("constant", "linear", "cosine"):
        for total, warmup, peak in [(10, 3, 1e-3), (10, 0, 2e-4), (1, 0, 1.0), (7, 7, 1.0), (50, 5, 5e-5), (12, 1, 3e-4)]:
            optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=peak)
            schedule = transformers.get_scheduler(
                "constant_with_warmup" if kind == "constant" else kind, optimizer, warmup, total
            )
            rates = []
            for _ in range(total):
                rates.append(schedule.get_last_lr()[0])
                optimizer.step()
                schedule.step()
            cases.append({"kind": kind, "total": total, "warmup": warmup, "peak": peak, "rates": rates})
    return cases


def inputs() -> torch.Tensor:
    """Values that are exact in f32: a grid, tiny and huge ones, both zeros."""
    grid = [i / 4 for i in range(-20, 21)]
    small = [1e-40, -1e-40, 1e-8, -1e-8, 1e-3, -1e-3]
    large = [6.0, -6.0, 9.5, -9.5, 13.0, -13.0, 40.0, -40.0, 88.0, -88.0, 1e4, -1e4, 3e38, -3e38, -0.0]
    return torch.tensor(grid + small + large, dtype=torch.float32).double()


def with_gradient(function, x: torch.Tensor) -> dict:
    x = x.clone().requires_grad_()
    y = function(x)
    y.sum().backward()
    return {"x": plain(x.detach()), "y": plain(y.detach()), "dy_dx": plain(x.grad)}


def rows(generator: torch.Generator) -> torch.Tensor:
    """`[10, 5]`: ordinary rows, equal values, large offsets, one value far above, tiny differences."""
    ordinary = torch.randn(5, 5, generator=generator) * torch.tensor([[0.1], [1.0], [3.0], [10.0], [50.0]])
    special = [
        [2.0] * 5,
        [1000.0, 1001.0, 999.0, 1000.5, 998.0],
        [-1e4, 0.0, 1e4, 5.0, -5.0],
        [1e30, -1e30, 0.0, 1.0, 2.0],
        [1.0, 1.0 + 2**-20, 1.0 - 2**-20, 1.0, 1.0],
    ]
    return torch.cat([ordinary, torch.tensor(special)]).float().double()


def function_cases() -> dict:
    functional = torch.nn.functional
    generator = torch.Generator().manual_seed(11)
    x = rows(generator)

    soft = x.clone().requires_grad_()
    weights = torch.randn(x.shape, generator=generator).float().double()
    result = soft.softmax(-1)
    (result * weights).sum().backward()
    softmax = {"x": shaped(x), "y": shaped(result.detach()), "dy": shaped(weights), "dx": shaped(soft.grad)}

    normal = []
    for eps in (1e-12, 1e-5):
        # Rows of equal values divide rounding by eps, which no two implementations share: left out.
        chosen = x[[0, 1, 2, 3, 4, 6, 7]]
        values = chosen.clone().requires_grad_()
        gain = (1 + 0.3 * torch.randn(5, generator=generator)).float().double().requires_grad_()
        bias = (0.3 * torch.randn(5, generator=generator)).float().double().requires_grad_()
        upstream = torch.randn(chosen.shape, generator=generator).float().double()
        output = functional.layer_norm(values, (5,), gain, bias, eps)
        (output * upstream).sum().backward()
        normal.append(
            {
                "eps": eps,
                "x": shaped(chosen),
                "gain": plain(gain.detach()),
                "bias": plain(bias.detach()),
                "y": shaped(output.detach()),
                "dy": shaped(upstream),
                "dx": shaped(values.grad),
                "dgain": plain(gain.grad),
                "dbias": plain(bias.grad),
            }
        )

    gold = torch.tensor([0, 4, -100, 2, 1, 3, 1, 2, 0, -100])
    logits = x.clone().requires_grad_()
    loss = functional.cross_entropy(logits, gold)
    loss.backward()
    cross_entropy = {
        "logits": shaped(x),
        "gold": [None if g < 0 else g for g in gold.tolist()],
        "row_losses": plain(functional.cross_entropy(x, gold, reduction="none")),
        "loss": loss.item(),
        "dlogits": shaped(logits.grad),
    }
    return {
        "erf": with_gradient(torch.erf, inputs()),
        "gelu": with_gradient(functional.gelu, inputs()),
        "gelu_tanh": with_gradient(lambda v: functional.gelu(v, approximate="tanh"), inputs()),
        "exp": with_gradient(torch.exp, inputs()[inputs().abs() <= 88]),
        "tanh": with_gradient(torch.tanh, inputs()),
        "softmax": softmax,
        "layer_norm": normal,
        "cross_entropy": cross_entropy,
    }


def write(name: str, cases) -> None:
    """One case a line, so that a change shows as a change of its line."""
    if isinstance(cases, list):
        body = "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n"
    else:
        lines = (f'"{k}":' + json.dumps(v, separators=(",", ":")) for k, v in cases.items())
        body = "{\n" + ",\n".join(lines) + "\n}\n"
    (HERE / name).write_text(body)


def main() -> None:
    torch.set_num_threads(1)
    write("adamw.json", adamw_cases())
    write("schedules.json", schedule_cases())
    write("functions.json", function_cases())
    (HERE / "VERSIONS.md").write_text(
        "# Versions that made these files\n\n"
        f"* Python {platform.python_version()}\n* PyTorch {torch.__version__}\n"
        f"* transformers {transformers.__version__}\n\nMade by `make_adamw.py`.\n"
    )


if __name__ == "__main__":
    main()
