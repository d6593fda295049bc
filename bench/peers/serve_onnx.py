"""FastAPI around ONNX Runtime, int8 by dynamic quantization, with entities put together by hand.

    python bench/peers/serve_onnx.py --model DIR --port 8082 --work FOLDER

What it answers and how it batches: `web.py`. The model is exported and quantized into `--work` once. The tag of a word is that
of its first piece; `B-` or a change of label begins an entity, as conlleval counts. The defaults are the fastest that were found
at 64 connections on two cores.
"""

import argparse
import json
from pathlib import Path

import web

# Pieces that the model takes; what is longer is cut off, as servers like this do.
LONGEST = 512


def load(options: argparse.Namespace) -> web.Recognize:
    import numpy as np
    import onnxruntime
    from onnx_files import quantized
    from tokenizers import Tokenizer

    folder = Path(options.model)
    tags = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
    labels = [tags[str(number)].partition("-")[2] for number in range(len(tags))]
    begins = [tags[str(number)].startswith("B-") for number in range(len(tags))]
    outside = labels.index("")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.no_padding()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Two runners with a thread each must not wait for each other in a loop.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "1" if options.runners == 1 else "0")
    path = str(quantized(options.model, Path(options.work)))
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])

    def entities(text: str, encoding, best: list[int], scores: list[float]) -> list[dict]:
        found: list[dict] = []
        offsets, last, label = encoding.offsets, None, ""
        for piece, word in enumerate(encoding.word_ids):
            if word is None:
                continue
            start, end = offsets[piece]
            if word == last:
                if label:
                    found[-1]["end"] = end
                continue
            tag = best[piece]
            last, before, label = word, label, labels[tag]
            if not label:
                continue
            if label == before and not begins[tag]:
                found[-1]["end"] = end
                found[-1]["score"].append(scores[piece])
            else:
                found.append({"start": start, "end": end, "label": label, "score": [scores[piece]]})
        for entity in found:
            entity["text"] = text[entity["start"] : entity["end"]]
            entity["score"] = sum(entity["score"]) / len(entity["score"])
        return found

    def answer(texts: list[str]) -> list[list[dict]]:
        encodings = tokenizer.encode_batch(texts)
        rows = [encoding.ids for encoding in encodings]
        # In the order of their lengths, so that little is padded.
        order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
        results: list[list[dict]] = [[] for _ in texts]
        for at in range(0, len(order), options.group):
            group = order[at : at + options.group]
            ids = np.zeros((len(group), len(rows[group[-1]])), np.int64)
            mask = np.zeros_like(ids)
            for row, number in enumerate(group):
                ids[row, : len(rows[number])], mask[row, : len(rows[number])] = rows[number], 1
            (logits,) = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
            best, peak = logits.argmax(-1), logits.max(-1)
            for row, number in enumerate(group):
                judged = best[row, : len(rows[number])]
                if (judged == outside).all():
                    continue
                scores = 1 / np.exp(logits[row, : len(judged)] - peak[row, : len(judged), None]).sum(-1)
                results[number] = entities(texts[number], encodings[number], judged.tolist(), scores.tolist())
        return results

    return answer


def prepare(model: str, work: str) -> Path:
    from onnx_files import quantized

    return quantized(model, Path(work))


if __name__ == "__main__":
    web.main("serve_onnx", __doc__, prepare, workers=2, runners=1, threads=1, batch=64, group=16)
else:
    app = web.application(load)
