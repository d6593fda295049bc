"""Makes agreement.json: random annotations, and what scikit-learn and the krippendorff package say of them.

    python crates/evaluate/tests/golden/make_agreement.py

Needs scikit-learn and krippendorff; the versions that made the file stand in it. A case of `kappa` has two annotators'
labels of the same tokens and Cohen's kappa; a case of `alpha` has a row an annotator, null where a token was not
annotated, and Krippendorff's nominal alpha. A figure is null where the package has none.
"""

import json
import math
import random
import warnings
from importlib.metadata import version
from pathlib import Path

import krippendorff
import numpy
from sklearn.metrics import cohen_kappa_score

LABELS = ["O", "PER", "LOC", "B-creative-work"]


def drawn(rng: random.Random, tokens: int, labels: list[str]) -> list[str]:
    return [labels[0] if rng.random() < 0.6 else rng.choice(labels) for _ in range(tokens)]


def disturbed(rng: random.Random, row: list[str], labels: list[str], share: float) -> list[str]:
    return [rng.choice(labels) if rng.random() < share else label for label in row]


def known(figure: float) -> float | None:
    return None if math.isnan(figure) else float(figure)


def kappa(rng: random.Random) -> dict:
    labels = LABELS[: rng.randint(1, len(LABELS))]
    one = drawn(rng, rng.randint(1, 60), labels)
    other = disturbed(rng, one, labels, rng.choice([0.0, 0.1, 0.5, 1.0]))
    return {"one": one, "other": other, "kappa": known(cohen_kappa_score(one, other))}


def alpha(rng: random.Random) -> dict:
    labels = LABELS[: rng.randint(2, len(LABELS))]
    truth = drawn(rng, rng.randint(2, 60), labels)
    rows = [disturbed(rng, truth, labels, rng.choice([0.05, 0.3, 1.0])) for _ in range(rng.randint(2, 5))]
    missing = rng.choice([0.0, 0.2, 0.6])
    rows = [[None if rng.random() < missing else label for label in row] for row in rows]
    coded = numpy.array([[numpy.nan if label is None else LABELS.index(label) for label in row] for row in rows])
    try:
        figure = known(krippendorff.alpha(reliability_data=coded, level_of_measurement="nominal"))
    except ValueError:  # nothing to compare, or a single value
        figure = None
    return {"rows": rows, "alpha": figure}


def main() -> None:
    warnings.simplefilter("ignore")
    rng = random.Random(7)
    made = {
        "made_with": {name: version(name) for name in ["scikit-learn", "krippendorff", "numpy"]},
        "kappa": [kappa(rng) for _ in range(80)],
        "alpha": [alpha(rng) for _ in range(80)],
    }
    parts = [f'"made_with":{json.dumps(made["made_with"])}']
    for name in ["kappa", "alpha"]:
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in made[name])
        parts.append(f'"{name}":[\n{rows}\n]')
    (Path(__file__).parent / "agreement.json").write_text("{" + ",\n".join(parts) + "}\n")


if __name__ == "__main__":
    main()
