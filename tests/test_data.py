"""Data sets, their cache and batches, with real pictures, archives and torchvision files made on the spot."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import tarfile
import zipfile
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganlib.data import DATA_SETS, DataSet, Split, batches, list_data, load_data
from ganlib.data.batches import labelled
from ganlib.errors import GanlibError


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GANLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def picture(seed: int, size: tuple[int, int] = (20, 18), mode: str = "RGB", kind: str = "PNG") -> bytes:
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def tree(*names: str) -> dict[str, bytes]:
    return {name: picture(i) for i, name in enumerate(names)}


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, data in files.items():
                packed.writestr(name, data)
        return path
    with tarfile.open(path, WRITE[path.suffix]) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


WRITE: dict[str, Any] = {".tar": "w", ".gz": "w:gz", ".xz": "w:xz"}
PETS = tree(*(f"{kind}/{i:02}.png" for kind in ("cats", "dogs") for i in range(10)))


def same(a: DataSet, b: DataSet) -> bool:
    return (a.train.fingerprint, a.test.fingerprint) == (b.train.fingerprint, b.test.fingerprint)


def toy(n: int = 10, size: int = 4, channels: int = 3) -> Split:
    pixels = np.random.default_rng(0).integers(0, 256, (n, size, size, channels), dtype=np.uint8)
    return Split(pixels, np.arange(n), "0" * 16)


# batches


@pytest.mark.parametrize("batch_size", [3, 10, 27])
def test_batches_resume_exactly(batch_size: int) -> None:
    whole = list(islice(batches(toy(), batch_size, seed=5, flip=True), 9))
    for start in (1, 4, 7):
        rest = islice(batches(toy(), batch_size, seed=5, start=start, flip=True), 9 - start)
        for (x, y), (x_again, y_again) in zip(whole[start:], rest, strict=True):
            assert torch.equal(x, x_again)
            assert torch.equal(y, y_again)


def test_batches_are_the_epochs_one_after_the_other() -> None:
    labels = torch.cat([y for _, y in islice(batches(toy(), 4, seed=1, flip=False), 10)])
    epochs = labels.reshape(4, 10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4
    other = torch.cat([y for _, y in islice(batches(toy(), 4, seed=2, flip=False), 10)])
    assert not torch.equal(labels, other)


@pytest.mark.parametrize("channels", [1, 3])
def test_batches_hold_the_pixels_in_minus_one_to_one(channels: int) -> None:
    split = toy(channels=channels)
    x, y = next(batches(split, 10, seed=0, flip=False))
    assert x.shape == (10, channels, 4, 4)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert y.dtype == torch.int64
    assert x.min() >= -1
    assert x.max() <= 1
    back = ((x + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(back, split.images[y.numpy()])


def test_flips_mirror_about_half_and_only_left_to_right() -> None:
    split = toy(400)
    before = split.images.copy()
    plain, mirrored = (next(batches(split, 400, seed=3, flip=flip))[0] for flip in (False, True))
    flipped = [bool(torch.equal(a.flip(2), b)) for a, b in zip(plain, mirrored, strict=True)]
    kept = [bool(torch.equal(a, b)) for a, b in zip(plain, mirrored, strict=True)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 150 < sum(flipped) < 250
    np.testing.assert_array_equal(split.images, before)


def labels_of(n: int, **settings: Any) -> list[np.ndarray]:
    stream = batches(toy(60), 8, seed=3, flip=False, **settings)
    return [labels.numpy() for _, labels in islice(stream, n)]


def test_a_chosen_number_of_labels_is_kept_evenly_over_the_classes() -> None:
    labels = np.arange(60) % 3
    kept = labelled(labels, 9)
    assert len(set(kept)) == 9
    assert np.bincount(labels[kept]).tolist() == [3, 3, 3]
    assert set(kept) < set(labelled(labels, 12))  # more labels keep the fewer
    assert len(labelled(labels, 1000)) == 60


@pytest.mark.parametrize(("share", "quota"), [(0.0, 0), (0.25, 2), (0.5, 4), (1.0, 8)])
def test_every_batch_has_its_quota_of_labelled_images(share: float, quota: int) -> None:
    for labels in labels_of(20, labels=9, labelled_share=share):
        assert (labels[:quota] >= 0).all()
        assert len(labels) == 8
    rest = np.concatenate([labels[quota:] for labels in labels_of(60, labels=9, labelled_share=share)])
    assert not len(rest) or (rest >= 0).mean() == pytest.approx(9 / 60, abs=0.08)


def test_labelled_batches_resume_exactly() -> None:
    whole = labels_of(12, labels=9)
    assert all(np.array_equal(a, b) for a, b in zip(whole[5:], labels_of(7, labels=9, start=5), strict=True))


def test_unlabelled_data_have_no_labels_to_keep() -> None:
    split = toy(10)
    with pytest.raises(GanlibError, match="no labels to choose from; leave --labels out"):
        batches(Split(split.images, np.full(10, -1), split.fingerprint), 4, seed=0, flip=False, labels=5)


def test_batches_refuse_nothing() -> None:
    with pytest.raises(GanlibError, match="at least one image, not 0"):
        batches(toy(), 0, seed=0, flip=False)
    with pytest.raises(GanlibError, match="no images"):
        batches(toy(0), 4, seed=0, flip=False)


# digits, list


def test_digits_are_real_digits() -> None:
    data = load_data("digits")
    assert (data.name, data.size, data.channels, data.num_classes, data.flip) == ("digits", 16, 1, 10, False)
    assert data.classes == tuple("0123456789")
    assert len(data.train) + len(data.test) == 1797
    assert abs(len(data.test) / 1797 - 0.2) < 0.01
    assert np.bincount(data.test.labels).min() >= 34
    native = load_data("digits", size=8)
    assert set(np.unique(native.train.images)) == {round(i * 255 / 16) for i in range(17)}
    zeros, ones = (native.train.images[native.train.labels == k].mean(0)[2:6, 3:5].mean() for k in (0, 1))
    assert zeros < 80 < 150 < ones  # a zero is hollow, a one is not
    assert load_data("digits", size=32, channels=3).train.images.shape[1:] == (32, 32, 3)


def test_digits_splits_share_no_picture() -> None:
    data = load_data("digits", size=8)
    train, test = ({image.tobytes() for image in split.images} for split in (data.train, data.test))
    assert not train & test


def test_list_names_every_set() -> None:
    rows = {row.name: row for row in list_data()}
    assert set(rows) == set(DATA_SETS)
    assert {"digits", "cifar10", "mnist", "fashion_mnist", "celeba", "folder", "cifar10-jpeg"} <= set(rows)
    assert rows["digits"][2:] == (8, 1, 10)
    assert all(row.description for row in rows.values())


# folders and archives


def test_folder_of_class_folders_is_split_by_class(tmp_path: Path) -> None:
    data = load_data(f"folder:{write(tmp_path / 'pets', PETS)}")
    assert (data.name, data.classes, data.size, data.channels) == ("folder:pets", ("cats", "dogs"), 16, 3)
    assert np.bincount(data.train.labels).tolist() == [8, 8]
    assert np.bincount(data.test.labels).tolist() == [2, 2]
    train, test = ({image.tobytes() for image in split.images} for split in (data.train, data.test))
    assert len(train | test) == 20
    data.require_classes("SAGAN")


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz"])
def test_archives_equal_the_folder_whatever_their_order(tmp_path: Path, suffix: str) -> None:
    shuffled = {f"top/{name}": data for name, data in reversed(PETS.items())} | {"top/README.txt": b"pets"}
    packed = pack(tmp_path / f"pets{suffix}", shuffled)
    data = load_data(f"folder:{packed}")
    assert data.name == "folder:pets"
    assert data.skipped_count == 0
    assert same(data, load_data(f"folder:{write(tmp_path / 'pets', PETS)}"))


def test_archives_are_found_by_the_name_that_recipes_keep(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pack(tmp_path / "data" / "pets.tar.xz", PETS)
    assert load_data("folder:pets").name == "folder:pets"


@pytest.mark.parametrize("test", ["test", "val", "Valid"])
def test_given_splits_are_kept(tmp_path: Path, test: str) -> None:
    files = tree("train/a/1.png", "train/b/1.png", "train/b/2.png", f"{test}/a/1.png", f"{test}/b/1.png")
    data = load_data(f"folder:{write(tmp_path / 'set', files)}")
    assert data.train.labels.tolist() == [0, 1, 1]
    assert data.test.labels.tolist() == [0, 1]


def test_flat_folder_is_unlabelled(tmp_path: Path) -> None:
    data = load_data(f"folder:{write(tmp_path / 'flat', tree(*(f'{i}.png' for i in range(10))))}")
    assert data.classes == ()
    assert set(data.train.labels.tolist()) == {-1}
    assert (len(data.train), len(data.test)) == (8, 2)
    with pytest.raises(GanlibError, match=r"SAGAN learns from labels but folder:flat has no classes; choose"):
        data.require_classes("SAGAN")


def test_single_class_is_not_enough_for_labels(tmp_path: Path) -> None:
    data = load_data(f"folder:{write(tmp_path / 'one', tree('cats/1.png', 'cats/2.png'))}")
    with pytest.raises(GanlibError, match="has only the class 'cats'"):
        data.require_classes("SAGAN")


def test_unreadable_files_are_named_counted_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {"cats/cut.png": picture(90, (90, 90))[:900], "cats/empty.jpg": b"", "dogs/notes.txt": b"not a dog"}
    bad["dogs/bomb.png"] = picture(91, (64, 64), "L")
    clean = load_data(f"folder:{write(tmp_path / 'clean', PETS)}", size=8)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    bad["cats/cut.png"] = picture(90, (50, 50))[:900]
    for path in (write(tmp_path / "pets", PETS | bad), pack(tmp_path / "pets.zip", PETS | bad)):
        data = load_data(f"folder:{path}", size=8)
        assert data.skipped_count == 4
        assert [line.split(":")[0] for line in data.skipped] == sorted(bad)
        assert "dogs/notes.txt: not an image" in data.skipped
        assert "cats/empty.jpg: the file is empty" in data.skipped
        assert len(data.train) + len(data.test) == 20
        assert set(map(bytes, data.train.images)) <= set(map(bytes, [*clean.train.images, *clean.test.images]))


def test_what_systems_leave_behind_is_no_image(tmp_path: Path) -> None:
    junk = {
        "__MACOSX/cats/._00.png": b"x",
        "cats/.DS_Store": b"x",
        "dogs/Thumbs.db": b"x",
        ".git/a.png": b"x",
    }
    data = load_data(f"folder:{write(tmp_path / 'pets', PETS | junk)}")
    assert (data.classes, data.skipped_count) == (("cats", "dogs"), 0)


def test_archive_links_and_climbing_names_are_ignored(tmp_path: Path) -> None:
    path = pack(tmp_path / "pets.tar", PETS | {"../../evil/0.png": picture(1)})
    with tarfile.open(path, "a") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("cats/link.png")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    data = load_data(f"folder:{path}")
    assert (data.classes, data.skipped_count) == (("cats", "dogs"), 0)
    assert not (tmp_path.parent / "evil").exists()


def test_pictures_are_cropped_in_the_middle_and_turned_upright(tmp_path: Path) -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = (250, 10, 20)
    half = np.zeros((8, 8), np.uint8)
    half[:4] = 255  # bright above; EXIF 6 asks for a quarter turn clockwise, which puts it on the right
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = Image.fromarray(np.zeros((8, 8, 4), np.uint8))
    deep = Image.fromarray(np.full((8, 8), 40000, np.uint16))
    folder = tmp_path / "set" / "a"
    folder.mkdir(parents=True)
    Image.fromarray(wide).save(folder / "0.png")
    Image.fromarray(half).save(folder / "1.png", exif=exif)
    clear.save(folder / "2.png")
    deep.save(folder / "3.png")
    data = load_data(f"folder:{tmp_path / 'set'}")
    images = {tuple(x[4, [0, 7], 0].tolist()): x for x in [*data.train.images, *data.test.images]}
    assert set(images) == {(250, 250), (0, 255), (255, 255), (156, 156)}
    assert (images[250, 250] == (250, 10, 20)).all()


# errors


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("not a zip, and far too short for a tar")
    pack(tmp_path / "pets.tar.xz", PETS)
    (tmp_path / "cut.tar.xz").write_bytes((tmp_path / "pets.tar.xz").read_bytes()[:-2000])
    write(tmp_path / "broken", {"cats/0.png": b"no", "dogs/0.png": b"no"})
    write(tmp_path / "half", PETS | {"birds/0.png": b"no"})
    cases = {
        "cifar": "no data set 'cifar'; try",
        "folder": "needs a path",
        f"folder:{tmp_path}/none": "There is no folder or archive",
        f"folder:{tmp_path}/empty": "There are no images in",
        f"folder:{tmp_path}/text.zip": "cannot be read as a folder, zip or tar archive",
        f"folder:{tmp_path}/cut.tar.xz": "check that it is complete",
        f"folder:{tmp_path}/broken": "No image in .* can be read",
        f"folder:{tmp_path}/half": "class 'birds' of folder:half has no readable image",
        "celeba:Smilling": "no attribute 'Smilling'; try Smiling",
        "digits:5": "takes nothing after its name",
    }
    for name, message in cases.items():
        with pytest.raises(GanlibError, match=message) as e:
            load_data(name)
        assert "\n" not in str(e.value)
    assert {path.name.split("-")[1] for path in (tmp_path / "cache").glob("*")} == {"half"}


@pytest.mark.parametrize("size", [-1, 0, 3, 1025])
def test_sizes_have_bounds(size: int) -> None:
    with pytest.raises(GanlibError, match="choose 4 to 1024"):
        load_data("digits", size=size)


def test_options_that_make_no_sense() -> None:
    with pytest.raises(GanlibError, match=r"choose 1 .* or 3"):
        load_data("digits", channels=2)
    with pytest.raises(GanlibError, match="digits has no attributes"):
        load_data("digits", attribute="Smiling")
    with pytest.raises(GanlibError, match="contradict"):
        load_data("celeba:Young", attribute="Smiling")


def test_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(GanlibError, match="GANLIB_CACHE"):
        load_data("digits", cache=tmp_path / "file")


# cache


def test_second_load_decodes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "pets", PETS)
    calls: list[tuple[int, int]] = []
    first = load_data(f"folder:{path}", progress=lambda *done: calls.append(done))
    assert calls == [(20, 20)]
    again = load_data(f"folder:{path}", progress=lambda *done: calls.append(done))
    assert calls == [(20, 20)]
    assert same(first, again)
    assert isinstance(again.train.images, np.memmap)
    assert not again.train.images.flags.writeable
    assert not list((tmp_path / "cache").rglob(".building-*"))


def test_changed_files_are_decoded_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "pets", PETS)
    first = load_data(f"folder:{path}")
    write(path, {"cats/00.png": picture(999)})
    os.utime(path / "cats/00.png", ns=(1, 1))
    assert not same(first, load_data(f"folder:{path}"))


@pytest.mark.parametrize("damage", ["cut", "text", "gone", "meta"])
def test_damaged_cache_is_rebuilt(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "pets", PETS)
    first = load_data(f"folder:{path}")
    (arrays,) = (tmp_path / "cache").rglob("train.images.npy")
    if damage == "cut":
        arrays.write_bytes(arrays.read_bytes()[:-100])
    elif damage == "text":
        arrays.write_text("no array")
    elif damage == "gone":
        arrays.unlink()
    else:
        (arrays.parent / "meta.json").write_text("{")
    assert same(first, load_data(f"folder:{path}"))


def test_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    path = write(tmp_path / "pets", PETS)
    with pytest.raises(KeyboardInterrupt):
        load_data(f"folder:{path}", progress=stop)
    assert not list((tmp_path / "cache").rglob("*.npy"))
    assert not list((tmp_path / "cache").rglob(".building-*"))
    assert len(load_data(f"folder:{path}").train) == 16


def test_fingerprint_knows_pixels_labels_and_class_names(tmp_path: Path) -> None:
    renamed = {name.replace("cats", "carp"): data for name, data in PETS.items()}
    other = PETS | {"cats/03.png": picture(500)}
    sets = [load_data(f"folder:{write(tmp_path / f'{i}', files)}") for i, files in enumerate((PETS, renamed, other))]
    assert len({(d.train.fingerprint, d.test.fingerprint) for d in sets}) == 3
    assert all(len(d.train.fingerprint) == 16 and int(d.train.fingerprint, 16) >= 0 for d in sets)


# torchvision's formats


def test_cifar10_reads_the_python_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real files in CIFAR's format, small; torchvision's list of checksums is replaced by theirs."""
    CIFAR10 = import_module("torchvision.datasets").CIFAR10

    folder = tmp_path / "data" / CIFAR10.base_folder
    folder.mkdir(parents=True)

    def save(name: str, content: object) -> str:
        (folder / name).write_bytes(pickle.dumps(content))
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    pixels = np.random.default_rng(0).integers(0, 256, (6, 10, 3, 32, 32), dtype=np.uint8)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    sums = [
        [n, save(n, {"data": x.reshape(10, -1), "labels": list(range(10))})] for n, x in zip(names, pixels, strict=True)
    ]
    meta = save("batches.meta", {"label_names": ["airplane"]})
    monkeypatch.setattr(CIFAR10, "train_list", sums[:5])
    monkeypatch.setattr(CIFAR10, "test_list", sums[5:])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": meta})
    data = load_data("cifar10")
    assert (data.size, data.channels, data.flip, data.classes[9]) == (32, 3, True, "truck")
    np.testing.assert_array_equal(data.train.images, pixels[:5].reshape(50, 3, 32, 32).transpose(0, 2, 3, 1))
    assert data.test.labels.tolist() == list(range(10))


@pytest.mark.parametrize(
    ("name", "folder", "flip"), [("mnist", "MNIST", False), ("fashion_mnist", "FashionMNIST", True)]
)
def test_mnist_reads_idx_files(tmp_path: Path, name: str, folder: str, flip: bool) -> None:
    raw = tmp_path / "elsewhere" / folder / "raw"
    raw.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    for part in ("train", "t10k"):
        labels = bytes(i % 10 for i in range(20))
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, 20, 28, 28) + pixels.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, 20) + labels)
    data = load_data(name, size=28, root=tmp_path / "elsewhere")
    assert (data.channels, data.num_classes, data.flip) == (1, 10, flip)
    np.testing.assert_array_equal(data.train.images[..., 0], pixels)
    assert load_data(name, root=tmp_path / "elsewhere").size == 32


def test_celeba_attribute_is_a_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real annotation files; only the checksum of the original download is not asked for."""
    CelebA = import_module("torchvision.datasets").CelebA

    from ganlib.data.celeba import ATTRIBUTES

    folder = tmp_path / "data" / "celeba"
    names = [f"{i:06}.jpg" for i in range(1, 7)]
    write(folder / "img_align_celeba", {n: picture(i, (178, 218), "RGB", "JPEG") for i, n in enumerate(names)})
    smiling = [1, -1, 1, -1, 1, -1]
    rows = [
        f"{n}  {' '.join(str(s if a == 'Smiling' else -1) for a in ATTRIBUTES)}"
        for n, s in zip(names, smiling, strict=True)
    ]
    (folder / "list_attr_celeba.txt").write_text("\n".join(["6", " ".join(ATTRIBUTES), *rows]) + "\n")
    parts = zip(names, [0, 0, 0, 1, 2, 2], strict=True)
    (folder / "list_eval_partition.txt").write_text("".join(f"{n} {p}\n" for n, p in parts))
    (folder / "identity_CelebA.txt").write_text("".join(f"{n} 1\n" for n in names))
    (folder / "list_bbox_celeba.txt").write_text(
        "6\nimage_id x_1 y_1 width height\n" + "".join(f"{n} 1 1 9 9\n" for n in names)
    )
    (folder / "list_landmarks_align_celeba.txt").write_text("6\na b\n" + "".join(f"{n} 1 1\n" for n in names))
    monkeypatch.setattr(CelebA, "_check_integrity", lambda self: True)
    plain, data = load_data("celeba"), load_data("celeba:Smiling")
    assert (plain.size, plain.num_classes, plain.train.labels.tolist()) == (64, 0, [-1, -1, -1])
    assert data.classes == ("not Smiling", "Smiling")
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([1, 0, 1], [1, 0])
    assert same(data, load_data("celeba", attribute="Smiling"))


def test_failed_download_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    CIFAR10 = import_module("torchvision.datasets").CIFAR10

    def offline(self: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(CIFAR10, "download", offline)
    with pytest.raises(GanlibError, match=r"cifar10 is not complete in .*data.* failed .*no network.* connect") as e:
        load_data("cifar10")
    assert "\n" not in str(e.value)


def test_cifar10_jpeg_is_found_packed_or_not(tmp_path: Path) -> None:
    files = {
        f"{split}/{kind}/{i:04}.jpg": picture(i, (32, 32), "RGB", "JPEG")
        for split in ("train", "test")
        for kind in ("airplane", "cat")
        for i in range(3)
    }
    (tmp_path / "data").mkdir()
    pack(tmp_path / "data" / "cifar10.tar.xz", files)
    packed = load_data("cifar10-jpeg")
    assert (packed.name, packed.classes, len(packed.train), len(packed.test)) == (
        "cifar10-jpeg",
        ("airplane", "cat"),
        6,
        6,
    )
    write(tmp_path / "data" / "cifar10-jpeg", files)
    assert same(packed, load_data("cifar10-jpeg"))
