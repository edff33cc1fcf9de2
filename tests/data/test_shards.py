"""Shards as a data set: the same pictures as a folder's, in any number of processes, whatever is damaged."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganlib.data import DataSet, batches, load_data
from ganlib.data.pictures import decode_picture
from ganlib.data.shards import parquet
from ganlib.data.shards.images import THREADS, ShardImages
from ganlib.errors import GanlibError
from helpers.image_files import equal, pack, picture, write
from helpers.shard_files import CLASSES, pictures, samples, write_parquet, write_parquets, write_tars

WRITERS = pytest.mark.parametrize("write_shards", [write_tars, write_parquets])
Writer = Callable[..., Path]


def load(path: Path, **options: Any) -> DataSet:
    return load_data(f"shards:{path}", **options)


def take(data: DataSet, steps: int, **options: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(islice(batches(data.train, 12, **{"seed": 1, "flip": True} | options), steps))


def pixels_by_label(data: DataSet) -> dict[str, set[bytes]]:
    """Of both splits, by class."""
    pairs = [
        (label, image)
        for split in (data.train, data.test)
        for label, image in zip(split.labels, split.images, strict=True)
    ]
    return {name: {image.tobytes() for label, image in pairs if data.classes[label] == name} for name in data.classes}


@WRITERS
def test_pictures_and_classes_are_those_of_a_folder(write_shards: Writer, tmp_path: Path) -> None:
    files = {f"{CLASSES[label]}/{i}.png": content for i, (content, label) in enumerate(pictures(0, 60))}
    folder = load_data(f"folder:{write(tmp_path / 'folder', files)}", size=8)
    data = load(write_shards(tmp_path / "animals", 2), size=8)
    assert (data.name, data.classes, data.size, data.channels) == ("shards:animals", CLASSES, 8, 3)
    assert (len(data.train), len(data.test), data.class_counts) == (48, 12, (16, 16, 16))
    assert pixels_by_label(data) == pixels_by_label(folder)
    assert not list((tmp_path / "cache").rglob("*images.npy*"))[2:]  # those of the folder alone


@WRITERS
def test_splits_are_those_of_the_files(write_shards: Writer, tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "set", 2, 9)
    write_shards(folder, 1, 6, split="test")
    write_shards(folder / "validation", 1, 3, split="part")
    data = load(folder)
    assert (len(data.train), len(data.test), data.size) == (18, 6, 16)
    assert data.notes == ("1 shards for validation, such as " + next(data_name(folder)) + ", were left out.",)


def data_name(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.glob("validation/*"))


@WRITERS
def test_batches_are_exact_from_any_step_and_in_any_number_of_processes(write_shards: Writer, tmp_path: Path) -> None:
    data = load(write_shards(tmp_path / "set"))
    whole = take(data, 20)
    again = load((tmp_path / "set").rename(tmp_path / "elsewhere"))
    assert again.train.fingerprint == data.train.fingerprint
    for (x, y), (x_again, y_again) in zip(whole[7:], take(again, 13, start=7), strict=True):
        assert torch.equal(x, x_again)
        assert torch.equal(y, y_again)
    shares = [take(again, 20, rank=rank, world_size=3) for rank in range(3)]
    for step, (x, y) in enumerate(whole):
        for rank in range(3):
            assert torch.equal(shares[rank][step][0], x[rank::3])
            assert torch.equal(shares[rank][step][1], y[rank::3])
    epoch = torch.cat([x for x, _ in take(again, 8, flip=False)])
    assert len({image.numpy().tobytes() for image in epoch}) == len(data.train) == 96


@WRITERS
def test_part_of_the_images_and_of_the_labels(write_shards: Writer, tmp_path: Path) -> None:
    data = load(write_shards(tmp_path / "set"))
    images = torch.cat([x for x, _ in take(data, 5, only=30, flip=False)])
    assert len({image.numpy().tobytes() for image in images}) == 30
    labels = torch.cat([y for _, y in take(data, 5, labels=12)])
    assert (labels >= 0).sum() >= 30


def test_images_are_indexed_as_an_array_is(tmp_path: Path) -> None:
    split = load(write_tars(tmp_path / "set", 1)).train
    array = np.asarray(split.images)
    mask = split.labels == 1
    assert array.shape == split.images.shape == (24, 16, 16, 3)
    for rows in (slice(2, 20, 3), np.array([5, 0, -1]), mask, 7, slice(9, 9)):
        np.testing.assert_array_equal(split.images[rows], array[rows])


def test_a_set_too_large_for_memory_is_never_one_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load(write_tars(tmp_path / "set", 1))
    monkeypatch.setattr("ganlib.data.shards.images.LARGEST_ARRAY", 20 * 16 * 16 * 3)
    assert len(take(data, 3)) == 3
    with pytest.raises(GanlibError, match="24 pictures of shards:set at once would take more than"):
        np.asarray(data.train.images)


def test_few_row_groups_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is read once an epoch, by one process."""
    monkeypatch.setattr(parquet, "MEMORY", 60_000)
    monkeypatch.setattr("ganlib.data.shards.index.MEMORY", 60_000)
    data = load(write_parquets(tmp_path / "set", 8, 20))
    write_parquets(tmp_path / "set", 1, 20, split="test")
    data = load(tmp_path / "set")
    assert data.train.blocks is not None
    assert (len(data.train), data.train.blocks.lanes) == (160, 4)
    reads: list[int] = []
    reader = data.train.images._reader  # type: ignore[attr-defined]
    read = reader._read
    monkeypatch.setattr(reader, "_read", lambda group: reads.append(group) or read(group))
    list(islice(batches(data.train, 16, seed=0, flip=False, rank=1, world_size=2), 10))
    assert len(set(reads[:8])) == 8  # of 16; the next epoch's are read ahead
    assert sum(group.nbytes for group in reader._groups.values()) < 60_000


@WRITERS
def test_a_damaged_shard_is_left_out_and_named(write_shards: Writer, tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "set")
    broken = sorted(folder.iterdir())[1]
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    data = load(folder)
    assert (len(data.train) + len(data.test), data.skipped_count) == (90, 1)
    assert data.skipped[0].startswith(f"{broken.name}: ")


def test_a_damaged_header_is_not_the_end_of_a_shard(tmp_path: Path) -> None:
    folder = write_tars(tmp_path / "set")
    broken = folder / "train-000002.tar"
    content = bytearray(broken.read_bytes())
    start = content.index(b"00075.png")
    content[start : start + 4] = b"\xff\xff\xff\xff"
    broken.write_bytes(content)
    data = load(folder)
    assert data.skipped == (f"train-000002.tar: it is damaged or cut off at byte {start:,}",)
    assert len(data.train) + len(data.test) == 90


@WRITERS
def test_a_damaged_picture_is_replaced_by_one_of_its_class_and_named(write_shards: Writer, tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "set")
    path, content = sorted(folder.iterdir())[0], picture(7, (16, 16))
    damaged = path.read_bytes().replace(content, content[:60] + bytes(len(content) - 60))
    path.write_bytes(damaged)
    write_shards(folder, 1, split="test")
    data = load(folder)
    assert data.skipped_count == 0
    images, labels = (torch.cat(parts) for parts in zip(*take(data, 10, flip=False), strict=True))
    (reason,) = data.train.damaged.values()
    assert reason.startswith("train-000000.tar/00007.png: " if write_shards is write_tars else f"{path.name}, row 7: ")
    class_of = {picture_pixels(content): label for content, label in pictures(0, 120)}
    assert [class_of[image.numpy().tobytes()] for image in to_bytes(images)] == labels.tolist()
    assert all(torch.equal(x, again) for (x, _), (again, _) in zip(take(data, 3), take(load(folder), 3), strict=True))


def to_bytes(images: torch.Tensor) -> torch.Tensor:
    return ((images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def picture_pixels(content: bytes) -> bytes:
    return decode_picture(content, "", 16, 3).pixels.tobytes()


def test_shards_that_are_gone_end_training_with_a_sentence(tmp_path: Path) -> None:
    data = load(write_tars(tmp_path / "set"))
    shutil.rmtree(tmp_path / "set")
    with pytest.raises(
        GanlibError, match=r"No such file.* pictures after it in shards:set cannot be read either; check"
    ):
        take(data, 1)


def test_threads_read_the_same_pictures(tmp_path: Path) -> None:
    images = load(write_parquets(tmp_path / "set")).train.images
    assert isinstance(images, ShardImages)
    expected, results = np.asarray(images), {}
    threads = [threading.Thread(target=lambda i=i: results.update({i: images[i::2]})) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[i], expected[i::2]) for i in range(4))


def test_many_sets_decode_in_the_same_threads(tmp_path: Path) -> None:
    folder = write_parquets(tmp_path / "set")
    images = [load(folder).train.images for _ in range(20)]
    expected = np.asarray(images[0])
    assert all(np.array_equal(each[:], expected) for each in images)
    assert sum("ganlib-decoding" in thread.name for thread in threading.enumerate()) <= THREADS


def test_a_part_of_shards_is_a_data_set(tmp_path: Path) -> None:
    write_tars(tmp_path / "data" / "animals")
    part, whole = load_data("subset:shards:animals@5", size=16), load_data("shards:animals", size=16)
    assert part.class_counts == (5, 5, 5)
    assert equal(part.test.images, whole.test.images)
    mixture = load_data("mixture:shards:animals#cat+shards:animals#owl", size=16)
    assert mixture.classes == ("cat", "owl")


UNLABELLED = {f"{i}.png": picture(i, (8, 8)) for i in range(10)}


def test_without_labels_the_set_has_no_classes(tmp_path: Path) -> None:
    data = load(pack(tmp_path / "all.tar", UNLABELLED))
    assert (data.name, data.classes, len(data.train), len(data.test), data.size) == ("shards:all", (), 8, 2, 8)
    assert set(data.train.labels.tolist()) == {-1}
    table = write_parquet(tmp_path / "test.parquet", [(content, None) for content in UNLABELLED.values()], names=())
    assert load(table).classes == ()


@pytest.mark.parametrize(
    ("cls", "classes"),
    [(b"cat", ("cat", "dog")), (b"1", ("1", "3"))],
    ids=["names", "numbers"],
)
def test_classes_from_cls_files_alone(cls: bytes, classes: tuple[str, ...], tmp_path: Path) -> None:
    other = {b"cat": b"dog", b"1": b"3\n"}[cls]
    labels = {f"{i}.cls": cls if i % 2 else other for i in range(10)}
    members = dict(sorted({**UNLABELLED, **labels}.items()))
    assert load(pack(tmp_path / "set.tar", members)).classes == classes


def parquet_with(labels: Any, path: Path, names: Any = ()) -> Path:
    return write_parquet(path, [(picture(i, (8, 8)), label) for i, label in enumerate(labels)], names=names)


def test_refusals_are_a_sentence_each(tmp_path: Path) -> None:
    def refused(name: str, *words: str) -> None:
        with pytest.raises(GanlibError) as error:
            load(tmp_path / name)
        assert all(word in str(error.value) for word in words), error.value
        assert str(error.value).endswith((".", "…"))

    refused("nowhere", "There is no folder or shard")
    write(tmp_path / "folder", {"cats/1.png": picture(1)})
    refused("folder", "There are no shards (.tar or .parquet)", "write folder:PATH")
    (tmp_path / "packed").mkdir()
    pack(tmp_path / "packed" / "a.tar.gz", UNLABELLED)
    refused("packed", "a.tar.gz is compressed", "unpack it to .tar")
    parquet_with([0, 1] * 5, write_tars(tmp_path / "both", 1) / "a.parquet")
    refused("both", "two kinds, .tar and .parquet")
    parquet_with([0, 1] * 5, tmp_path / "names" / "a.parquet", ("cat", "dog"))
    parquet_with([0, 1] * 5, tmp_path / "names" / "b.parquet", ("dog", "cat"))
    refused("names", "have different classes: number 0 is 'cat' in a.parquet, number 0 is 'dog' in b.parquet")
    pack(write_tars(tmp_path / "unlabelled", 2) / "train-000009.tar", UNLABELLED)
    refused("unlabelled", "train-000009.tar of shards:unlabelled has no label, and others have")
    parquet_with([0, 1] * 5, tmp_path / "mixed" / "a.parquet")
    parquet_with(["cat", "dog"] * 5, tmp_path / "mixed" / "b.parquet")
    refused("mixed", "classes by name in b.parquet and by number in a.parquet")
    write(tmp_path / "broken", {"a.tar": b"nothing", "b.tar": b""})
    refused("broken", "No shard of shards:broken holds pictures that can be read (a.tar: ")
    write_tars(tmp_path / "classes", 1, 2)
    write_tars(tmp_path / "classes", 1, 6, split="test")
    refused("classes", "The class 'owl' of shards:classes has no picture to train on")
    write_parquet(tmp_path / "empty.parquet", [(None, 0), (None, 1)] * 5)
    refused("empty.parquet", "None of the first pictures of shards:empty can be read")


def test_a_row_group_beyond_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MEMORY", 1000)
    with pytest.raises(GanlibError, match=r"A row group of train-00000-of-00004\.parquet .* smaller row_group"):
        load(write_parquets(tmp_path / "set"))


def test_pictures_of_more_than_8_bits_are_named(tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray(np.full((8, 8), 4000, np.uint16)).save(deep)
    members = dict(sorted({**UNLABELLED, "5.png": deep.read_bytes(), **samples(100, 0)}.items()))
    data = load(pack(tmp_path / "set.tar", members))
    np.asarray(data.train.images), np.asarray(data.test.images)
    (reason,) = {*data.train.damaged.values(), *data.test.damaged.values()}
    assert reason == "set.tar/5.png: 16-bit PNGs have more than 8 bits, which are read from folders alone"


def test_without_pyarrow_the_sentence_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_parquets(tmp_path / "set")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(GanlibError, match=r"Parquet files are read by pyarrow; install it: pip install 'ganlib"):
        load(folder)
