"""Makes the golden event file of `tests/it/tracking/tensorboard.rs` with TensorBoard's own writer and messages.

    .venv-tracking/bin/pip install -r bench/tracking/requirements.txt
    .venv-tracking/bin/python crates/train/testdata/tensorboard/make_events.py

Made with tensorboard 2.21.0, protobuf 7.36.2.
"""

import math
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_TENSOR, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.record_writer import RecordWriter

BEGUN = 1_700_000_000.0


def scalars(time: float, step: int, of: dict[str, float]) -> Event:
    found = [Summary.Value(tag=name, simple_value=value) for name, value in of.items()]
    return Event(wall_time=time, step=step, summary=Summary(value=found))


def text(time: float, name: str, fields: dict[str, str]) -> Event:
    table = "| key | value |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in fields.items())
    tensor = TensorProto(dtype=DT_STRING, tensor_shape=TensorShapeProto(), string_val=[table.encode()])
    plugin = SummaryMetadata.PluginData(plugin_name="text")
    metadata = SummaryMetadata(plugin_data=plugin, data_class=DATA_CLASS_TENSOR)
    return Event(wall_time=time, summary=Summary(value=[Summary.Value(tag=name, tensor=tensor, metadata=metadata)]))


def step(time: float, number: int, loss: float, rate: float, norm: float) -> Event:
    names = ["loss", "learning_rate", "gradient_norm", "pieces_per_s"]
    values = dict(zip([f"train/{name}" for name in names], [loss, rate, norm, 100.0], strict=True))
    return scalars(time, number, of=values)


EVENTS = [
    Event(wall_time=BEGUN, file_version="brain.Event:2"),
    text(BEGUN, "run/settings", {"lr_scheduler": "linear", "seed": "42", "labels": "2"}),
    text(BEGUN + 0.001, "run/about", {"base": "minilm", "steps": "2"}),
    step(BEGUN + 0.25, 1, 2.5, 0.001, 1.5),
    step(BEGUN + 0.5, 300, math.nan, 0.0, math.nan),
    scalars(
        BEGUN + 0.75,
        300,
        of={"dev/ents_p": 1.0, "dev/ents_r": 0.5, "dev/ents_f": 0.625, "dev/ents_f/PER": 0.625, "dev/ents_f/Ærø": 0.0},
    ),
    scalars(BEGUN + 1.0, 300, of={"best/test/ents_p": 0.5, "best/test/ents_r": 0.5, "best/test/ents_f": 0.5}),
]

with (Path(__file__).parent / "events.out.tfevents.1700000000.nomen").open("wb") as file:
    writer = RecordWriter(file)
    for event in EVENTS:
        writer.write(event.SerializeToString(deterministic=True))
    writer.flush()
