"""TensorBoard event files, written by tensorboard's own protobufs."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.summary.writer.record_writer import RecordWriter

from ganlib.logs import LogError, read

BEGAN = 1700000000.5


def write(path: Path, events: list[Event], version: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = RecordWriter(file)
        first = [Event(wall_time=BEGAN, file_version="brain.Event:2")] if version else []
        for event in first + events:
            writer.write(event.SerializeToString())
    return path


def scalar(step: int, tag: str, value: float, wall: float = BEGAN + 1) -> Event:
    return Event(wall_time=wall, step=step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value)]))


def tensor(step: int, tag: str, proto: TensorProto, plugin: str = "scalars") -> Event:
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin))
    value = Summary.Value(tag=tag, tensor=proto, metadata=metadata)
    return Event(wall_time=BEGAN + 2, step=step, summary=Summary(value=[value]))


@pytest.fixture
def events(tmp_path):
    return lambda *values, name="run/events.out.tfevents.1.host": write(tmp_path / name, list(values))


def test_simple_values(events, points):
    steps = [0, 1, 127, 128, 300, 2**31, 2**40]
    path = events(*(scalar(s, tag, i / 2, BEGAN + s) for i, s in enumerate(steps) for tag in ("loss/D", "loss/G")))
    frame = read(path)
    assert points(frame, "loss/D") == [(step, i / 2) for i, step in enumerate(steps)]
    assert points(frame, "loss/G") == points(frame, "loss/D")
    assert frame["wall_time"].tolist() == [BEGAN + step for step in steps] * 2
    assert frame.attrs["step_unit"] == "steps"


def test_all_points_are_kept(events):
    assert len(read(events(*(scalar(i, "a", i) for i in range(20_000))))) == 20_000


def test_tensors_of_tf2(events, points):
    none = TensorShapeProto()
    one = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    three = TensorShapeProto(dim=[TensorShapeProto.Dim(size=3)])
    frame = read(
        events(
            tensor(1, "content", TensorProto(dtype=1, tensor_shape=none, tensor_content=struct.pack("<f", 0.5))),
            tensor(2, "content", TensorProto(dtype=1, tensor_shape=none, float_val=[0.25])),
            tensor(3, "content", TensorProto(dtype=2, tensor_shape=one, double_val=[0.125])),
            tensor(4, "content", TensorProto(dtype=2, tensor_shape=none, tensor_content=struct.pack("<d", 4.5))),
            tensor(5, "content", TensorProto(dtype=3, tensor_shape=none, int_val=[-7])),
            tensor(6, "content", TensorProto(dtype=9, tensor_shape=none, int64_val=[2**40])),
            tensor(7, "content", TensorProto(dtype=19, tensor_shape=none, half_val=[0x3C00])),
            tensor(8, "content", TensorProto(dtype=1, tensor_shape=none)),
            tensor(9, "text", TensorProto(dtype=7, string_val=[b"hello"]), "text"),
            tensor(9, "curve", TensorProto(dtype=1, tensor_shape=three, float_val=[1, 2, 3]), "pr_curves"),
        )
    )
    expected = [0.5, 0.25, 0.125, 4.5, -7, 2**40, 1, 0]
    assert points(frame, "content") == list(zip(range(1, 9), expected, strict=True))
    assert set(frame["tag"]) == {"content"}
    assert frame.attrs["skipped_total"] == 0


def test_several_values_in_one_event_and_other_summaries(events, points):
    both = Summary(value=[Summary.Value(tag=tag, simple_value=0.5) for tag in ("errD", "errG")])
    image = Summary(value=[Summary.Value(tag="x", image=Summary.Image(encoded_image_string=b"\x89PNG" * 1000))])
    histogram = Summary(value=[Summary.Value(tag="h", histo=HistogramProto(min=0, bucket=[1.0, 2.0]))])
    values = [Event(wall_time=BEGAN, step=s, summary=summary) for s in (1, 2) for summary in (both, image, histogram)]
    frame = read(events(*values, scalar(3, "ä" * 600, 2.0)))
    assert points(frame, "loss/D") == [(1, 0.5), (2, 0.5)]
    assert points(frame, "loss/G") == [(1, 0.5), (2, 0.5)]
    assert points(frame, "ä" * 600) == [(3, 2.0)]
    assert set(frame["original"]) == {"errD", "errG", "ä" * 600}


def test_keras_writes_means_of_epochs_and_zeros_of_hyperparameters(events, points):
    """Its callback's names are those of any log, and what no scalar is shows no curve at zero."""
    one = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    empty = TensorProto(dtype=1, tensor_shape=one, float_val=[0.0])
    values = [
        tensor(step, f"epoch_{tag}", TensorProto(dtype=1, float_val=[step + 0.5]))
        for step in (0, 1)
        for tag in ("loss", "d_loss", "time")
    ]
    frame = read(events(tensor(0, "_hparams_/session_start_info", empty, "hparams"), *values))
    assert set(frame["tag"]) == {"loss", "loss/D", "epoch_time"}
    assert points(frame, "loss/D") == [(0, 0.5), (1, 1.5)]
    assert set(frame["original"]) == {"epoch_loss", "epoch_d_loss", "epoch_time"}


def test_tags_that_differ_in_one_letter_or_by_zeros(events):
    tags = [f"tag/{chr(97 + i % 26)}{i // 26}" for i in range(100)] + ["a\1", "a"]
    tags += ["a\0"] if pd.__version__ >= "3" else []  # pandas 2 takes it for "a"
    frame = read(events(*(scalar(i, tag, float(i)) for i, tag in enumerate(tags))))
    assert sorted(frame["original"].astype(str)) == sorted(tags)


def test_values_that_are_not_finite(events, points):
    frame = read(events(*(scalar(i, "a", v) for i, v in enumerate([np.nan, np.inf, -np.inf, -3e38, 0.0]))))
    np.testing.assert_equal(points(frame, "a")[:3], [(0, np.nan), (1, np.inf), (2, -np.inf)])
    assert points(frame, "a")[4] == (4, 0)


def test_a_cut_tail_and_a_broken_record(events, points, skipped_reasons):
    path = events(*(scalar(i, "a", float(i)) for i in range(5)))
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    assert points(read(path), "a") == [(i, float(i)) for i in range(4)]
    assert skipped_reasons(read(path)) == [(6, "the file ends within a record")]
    damaged = bytearray(content)
    damaged[content.rindex(b"a") - 1] = 200  # the tag's length
    path.write_bytes(bytes(damaged))
    frame = read(path)
    assert points(frame, "a") == [(i, float(i)) for i in range(4)]
    assert frame.attrs["skipped_total"] == 1


def test_nvidia_writes_relative_times_and_kimg(events, points):
    values = []
    for tick, kimg in enumerate([0.032, 4.032, 8.032]):
        values += [
            scalar(int(kimg), tag, value, 10.0 * (tick + 1))
            for tag, value in (
                ("Loss/D/loss", 0.5),
                ("Progress/kimg", kimg),
                ("Metrics/fid50k_full", 90.5 - (tick > 1)),
            )
        ]
    frame = read(events(*values))
    assert frame.attrs["step_unit"] == "images"
    assert points(frame, "loss/D") == [(0, 0.5), (4000, 0.5), (8000, 0.5)]
    assert points(frame, "fid") == [(0, 90.5), (8000, 89.5)]  # repeated at each tick
    assert frame["wall_time"].min() == BEGAN + 10


def test_files_of_one_run_are_joined_and_a_restart_is_a_segment(tmp_path, points):
    write(tmp_path / "a/events.out.tfevents.1.x", [scalar(i, "d_loss", 1.0, BEGAN + i) for i in (1, 2, 3)])
    write(tmp_path / "a/events.out.tfevents.2.x", [scalar(i, "d_loss", 2.0, BEGAN + 10 + i) for i in (4, 5)])
    write(tmp_path / "a/events.out.tfevents.3.x", [scalar(i, "d_loss", 3.0, BEGAN + 20 + i) for i in (4, 5)])
    write(tmp_path / "b/events.out.tfevents.1.x", [scalar(1, "d_loss", 4.0)])
    frame = read(tmp_path)
    assert points(frame, "loss/D", "a") == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (4, 3), (5, 3)]
    assert frame.loc[frame["run"] == "a", "segment"].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert points(frame, "loss/D", "b") == [(1, 4)]


def test_tools_that_keep_a_folder_per_scalar(tmp_path, points):
    for metric in ("errD", "errG"):  # mimicry: both are called "loss"
        write(tmp_path / f"sngan/data/{metric}/events.out.tfevents.1.x", [scalar(5, "loss", len(metric) + 0.5)])
    for key in ("G", "D"):  # PyTorch's add_scalars
        write(tmp_path / f"other/loss_{key}/events.out.tfevents.1.x", [scalar(7, "loss", 0.25)])
    write(tmp_path / "other/events.out.tfevents.1.x", [scalar(7, "lr", 0.125)])
    for key in ("real", "fake"):  # tensorboardX's
        write(tmp_path / f"third/D/loss/{key}/events.out.tfevents.1.x", [scalar(9, "D/loss", len(key) - 0.5)])
    write(tmp_path / "third/events.out.tfevents.1.x", [scalar(9, "lr", 0.5)])
    frame = read(tmp_path)
    assert set(frame["run"]) == {"sngan", "other", "third"}
    assert points(frame, "loss/D/real", "third") == [(9, 3.5)]
    assert points(frame, "lr", "third") == [(9, 0.5)]
    assert set(read(tmp_path / "third/D/loss")["run"]) == {"real", "fake"}  # opened within
    assert points(frame, "loss/D", "sngan") == [(5, 4.5)]
    assert points(frame, "loss/G", "other") == [(7, 0.25)]
    assert points(frame, "lr", "other") == [(7, 0.125)]


def test_a_file_without_scalars(events):
    assert read(events()).empty
    assert read(events(scalar(1, "Progress/kimg", 1.0))).empty  # the step itself
    path = events()
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(LogError):
        read(path)


@pytest.mark.parametrize("length", [2**31, 2**40, 2**63, 2**64 - 1])
def test_a_length_of_gigabytes_costs_no_memory(length, events):
    """The records before it are read; nothing of the claimed size is asked for."""
    path = events(scalar(1, "a", 0.5), scalar(2, "a", 0.25))
    with path.open("ab") as file:
        file.write(struct.pack("<Q", length) + b"\0" * 40)
    tracemalloc.start()
    assert read(path)["value"].tolist() == [0.5, 0.25]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
