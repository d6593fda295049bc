"""How many word pieces a second other runtimes judge: the encoder's forward pass and the head, nothing else.

Texts (one a line) are tokenized before the clock starts and go in batches, in the order of the file or sorted by
length, the whole file again and again until so many seconds are over. `cargo run -p nomen-model --example forward` does
the same with Nomen. Prints one JSON object; with --predictions also F1 on a CoNLL file.

    python bench/peers/tagging.py --runtime openvino --precision int8 --model DIR --texts TEXTS.txt --work DIR

Every runtime gets its best configuration that was found: ONNX Runtime with all graph optimizations, OpenVINO with the
throughput hint and two requests for batches (latency hint for single texts), CTranslate2 with one worker a thread.
Int8: ONNX Runtime by dynamic quantization per channel, OpenVINO by NNCF calibrated on --calibration, CTranslate2 by its
own int8 weights.
"""

import argparse
import json
import os
import time
from pathlib import Path

import conll
import numpy as np
from onnx_files import exported, quantized


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", choices=("torch", "onnxruntime", "openvino", "ctranslate2"), required=True)
    parser.add_argument("--precision", choices=("f32", "int8"), default="f32")
    parser.add_argument("--model", required=True, help="folder of a token classifier")
    parser.add_argument("--work", type=Path, required=True, help="folder for converted models, kept")
    parser.add_argument("--texts", type=Path, help="one text a line; measures speed")
    parser.add_argument("--calibration", type=Path, help="one text a line, for NNCF")
    parser.add_argument("--predictions", type=Path, help="a CoNLL file; measures F1")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--sorted", action="store_true")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


args = arguments()
os.environ["OMP_NUM_THREADS"] = str(args.threads)
os.environ["MKL_NUM_THREADS"] = str(args.threads)
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
import transformers  # noqa: E402

torch.set_num_threads(args.threads)
transformers.logging.set_verbosity_error()
CALIBRATION_TEXTS = 300


def texts_of(path: Path) -> list[str]:
    """Lines; only "\n" ends one, as in `forward`."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def padded(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Ids and mask of a batch, padded to its longest row."""
    longest = max(map(len, rows))
    ids, mask = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.int64)
    for row, values in enumerate(rows):
        ids[row, : len(values)], mask[row, : len(values)] = values, 1
    return ids, mask


def torch_model() -> torch.nn.Module:
    return transformers.AutoModelForTokenClassification.from_pretrained(args.model, dtype=torch.float32).eval()


class Torch:
    def __init__(self):
        self.model = torch_model()

    def judge(self, batches: list[list[list[int]]]) -> list[np.ndarray]:
        with torch.inference_mode():
            results = []
            for rows in batches:
                ids, mask = map(torch.from_numpy, padded(rows))
                results.append(self.model(input_ids=ids, attention_mask=mask).logits.numpy())
            return results


class OnnxRuntime:
    def __init__(self):
        import onnxruntime

        path = (quantized if args.precision == "int8" else exported)(args.model, args.work)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = args.threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def judge(self, batches):
        results = []
        for rows in batches:
            ids, mask = padded(rows)
            results.append(self.session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0])
        return results


class OpenVino:
    def __init__(self):
        import openvino

        core = openvino.Core()
        model = core.read_model(str(exported(args.model, args.work)))
        if args.precision == "int8":
            path = args.work / "openvino.int8.xml"
            if not path.exists():
                import nncf

                tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
                texts = texts_of(args.calibration)[:CALIBRATION_TEXTS]
                samples = [padded([tokenizer(text, truncation=True, max_length=256)["input_ids"]]) for text in texts]
                dataset = nncf.Dataset(samples, lambda s: {"input_ids": s[0], "attention_mask": s[1]})
                kind = nncf.ModelType.TRANSFORMER
                openvino.save_model(nncf.quantize(model, dataset, model_type=kind), str(path), compress_to_fp16=False)
            model = core.read_model(str(path))
        # Several requests at once keep both cores busy where batches allow it.
        self.requests = args.threads if args.batch > 1 else 1
        hint = "THROUGHPUT" if args.batch > 1 else "LATENCY"
        config = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": args.threads, "INFERENCE_PRECISION_HINT": "f32"}
        if args.batch > 1:
            config["NUM_STREAMS"] = str(args.threads)
        self.model = core.compile_model(model, "CPU", config)
        self.queue = openvino.AsyncInferQueue(self.model, self.requests)

    def judge(self, batches):
        results = [None] * len(batches)

        def done(request, index):
            results[index] = request.get_output_tensor(0).data.copy()

        self.queue.set_callback(done)
        for index, rows in enumerate(batches):
            ids, mask = padded(rows)
            self.queue.start_async({"input_ids": ids, "attention_mask": mask}, index)
        self.queue.wait_all()
        return results


class CTranslate2:
    """The encoder in CTranslate2, the head (one product) in numpy."""

    def __init__(self):
        import ctranslate2

        folder = args.work / "ctranslate2"
        if not folder.exists():
            # The converter knows encoders without a head.
            bare = args.work / "encoder"
            model = torch_model()
            model.base_model.save_pretrained(bare)
            transformers.AutoTokenizer.from_pretrained(args.model).save_pretrained(bare)
            ctranslate2.converters.TransformersConverter(str(bare)).convert(str(folder))
        head = torch_model().classifier
        self.weight, self.bias = head.weight.detach().numpy().T.copy(), head.bias.detach().numpy()
        self.view = ctranslate2.StorageView
        # One text at a time is one batch, which one worker with all threads judges sooner.
        workers = args.threads if args.batch > 1 else 1
        self.encoder = ctranslate2.Encoder(
            str(folder),
            device="cpu",
            compute_type="int8" if args.precision == "int8" else "float32",
            inter_threads=workers,
            intra_threads=args.threads // workers,
        )

    def judge(self, batches):
        from concurrent.futures import ThreadPoolExecutor

        def one(rows):
            hidden = np.array(self.encoder.forward_batch(rows).last_hidden_state)
            return hidden @ self.weight + self.bias

        if args.batch == 1:
            return [one(rows) for rows in batches]
        with ThreadPoolExecutor(args.threads) as pool:
            return list(pool.map(one, batches))


RUNTIMES = {"torch": Torch, "onnxruntime": OnnxRuntime, "openvino": OpenVino, "ctranslate2": CTranslate2}


def speed(runtime) -> dict:
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    rows = [tokenizer(text, truncation=True, max_length=512)["input_ids"] for text in texts_of(args.texts)]
    if args.sorted:
        rows.sort(key=len)
    batches = [rows[i : i + args.batch] for i in range(0, len(rows), args.batch)]
    pieces = sum(map(len, rows))
    runtime.judge(batches)
    passes, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < args.seconds:
        runtime.judge(batches)
        passes += 1
    took = time.perf_counter() - begun
    return {"pieces_per_s": passes * pieces / took, "pieces": pieces, "passes": passes}


def score(runtime) -> dict:
    """F1 of argmax on first pieces, sorted batches of 32."""
    from seqeval.metrics import f1_score

    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    names = transformers.AutoConfig.from_pretrained(args.model).id2label
    sentences = conll.read(args.predictions)
    encoded = conll.encode(tokenizer, sentences, {}, 512)
    predicted = [["O"] * len(s.words) for s in sentences]
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].input_ids))
    for start in range(0, len(order), 32):
        chosen = order[start : start + 32]
        logits = runtime.judge([[encoded[i].input_ids for i in chosen]])[0]
        for row, i in enumerate(chosen):
            for word, piece in enumerate(encoded[i].first):
                if piece is not None:
                    predicted[i][word] = names[int(logits[row, piece].argmax())]
    return {"f1": float(f1_score([s.tags for s in sentences], predicted))}


def main() -> None:
    runtime = RUNTIMES[args.runtime]()
    result = {"runtime": args.runtime, "precision": args.precision}
    if args.texts:
        result |= speed(runtime)
    if args.predictions:
        result |= score(runtime)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
