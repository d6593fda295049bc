"""FastAPI around transformers' `pipeline("token-classification", aggregation_strategy="first")`, f32.

    python bench/peers/serve_pipeline.py --model DIR --port 8081

What it answers and how it batches: `web.py`. The defaults are the fastest that were found at 64 connections on two cores.
"""

import argparse
import warnings

import web


def load(options: argparse.Namespace) -> web.Recognize:
    import torch
    import transformers

    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    recognize = transformers.pipeline(
        "token-classification",
        model=transformers.AutoModelForTokenClassification.from_pretrained(options.model, dtype=torch.float32).eval(),
        tokenizer=transformers.AutoTokenizer.from_pretrained(options.model),
        aggregation_strategy="first",
        device=-1,
    )

    def entities(text: str, found: list[dict]) -> list[dict]:
        return [
            {
                "start": int(entity["start"]),
                "end": int(entity["end"]),
                "label": entity["entity_group"],
                "text": text[entity["start"] : entity["end"]],
                "score": float(entity["score"]),
            }
            for entity in found
        ]

    def answer(texts: list[str]) -> list[list[dict]]:
        results: list[list[dict]] = [[] for _ in texts]
        # The pipeline refuses empty texts. In the order of their lengths its batches hold little padding.
        order = sorted((number for number, text in enumerate(texts) if text.strip()), key=lambda number: len(texts[number]))
        asked = [texts[number] for number in order]
        for number, found in zip(order, recognize(asked, batch_size=options.group) if asked else []):
            results[number] = entities(texts[number], found)
        return results

    return answer


if __name__ == "__main__":
    web.main("serve_pipeline", __doc__, workers=2, runners=1, threads=1, batch=64, group=8)
else:
    app = web.application(load)
