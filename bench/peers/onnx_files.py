"""A token classifier as ONNX, f32 and int8, shared by the peer scripts."""

from pathlib import Path


def exported(model: str, work: Path) -> Path:
    """The model in f32, exported once into `work`."""
    path = work / "model.onnx"
    if not path.exists():
        import torch
        import transformers

        work.mkdir(parents=True, exist_ok=True)
        ids = torch.ones((2, 16), dtype=torch.int64)
        torch.onnx.export(
            transformers.AutoModelForTokenClassification.from_pretrained(model, dtype=torch.float32).eval(),
            (ids, ids),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask", "logits")},
            opset_version=17,
            dynamo=False,
        )
    return path


def quantized(model: str, work: Path) -> Path:
    """The model in int8 by dynamic quantization per channel, made once."""
    path = work / "model.int8.onnx"
    if not path.exists():
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(str(exported(model, work)), str(path), per_channel=True, weight_type=QuantType.QInt8)
    return path
