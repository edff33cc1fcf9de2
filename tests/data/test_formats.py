"""The formats that torchvision downloads, and CIFAR-10 as JPEG."""

from __future__ import annotations

import hashlib
import pickle
import struct
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from ganlib.data import display_name, load_data
from ganlib.data.pictures import decode, to_square
from ganlib.errors import GanlibError
from helpers.image_files import PETS, pack, picture, same, tree, write


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


TABLE = """file,Male,Smiling,Young
woman/0.png,0,1,1
woman/1.png,0,0,1
woman/2.png,0,1,1
man/0.png,1,1,0
man/1.png,1,1,1
"""


@pytest.mark.parametrize("packed", [True, False])
def test_combinations_of_attributes_are_classes_of_the_archive_of_faces(packed: bool, tmp_path: Path) -> None:
    pictures = tree("woman/0.png", "woman/1.png", "woman/2.png", "man/0.png", "man/1.png")
    files = {"attributes.csv": TABLE.encode(), **pictures}
    (tmp_path / "data").mkdir()
    if packed:
        pack(tmp_path / "data" / "celeba.tar.xz", {f"celeba/{name}": data for name, data in files.items()})
    else:
        write(tmp_path / "data" / "celeba", files)
    plain, data = load_data("celeba"), load_data("celeba: Smiling, Male")
    assert (plain.classes, plain.attributes, plain.size) == (("man", "woman"), (), 64)
    assert (data.name, data.attributes) == ("celeba:Smiling,Male", ("Smiling", "Male"))
    assert data.classes == ("not Smiling, not Male", "not Smiling, Male", "Smiling, not Male", "Smiling, Male")
    assert np.array_equal(plain.train.images, data.train.images)  # the split is of the folders
    labels = dict(zip([t.tobytes() for t in data.train.images], data.train.labels.tolist(), strict=True))
    labels |= dict(zip([t.tobytes() for t in data.test.images], data.test.labels.tolist(), strict=True))
    expected = dict(zip(pictures, [2, 0, 2, 3, 3], strict=True))
    for name, label in expected.items():
        image = to_square(decode(pictures[name]), 64, 3)
        assert labels[image.tobytes()] == label, name
    assert data.class_counts[1] == 0  # no man who does not smile: said, not refused


def test_tables_of_attributes_that_do_not_fit(tmp_path: Path) -> None:
    files = tree("woman/0.png", "man/0.png")
    cases = {
        "has no attributes.csv": {},
        "has no line for celeba/man/0.png": {"attributes.csv": b"file,Male\nwoman/0.png,0\n"},
        "line 3": {"attributes.csv": b"file,Male\nwoman/0.png,0\nman/0.png,yes\n"},
    }
    for i, (message, table) in enumerate(cases.items()):
        root = tmp_path / str(i)
        root.mkdir()
        pack(root / "celeba.zip", {f"celeba/{name}": data for name, data in (files | table).items()})
        with pytest.raises(GanlibError, match=message):
            load_data("celeba:Male", root=root)
    for name, message in {
        "celeba:Male,Male": "names an attribute twice",
        "celeba:Male,Beard": "no attribute 'Beard'; try .*No_Beard",
        "celeba:Bald,Bangs,Big_Lips,Big_Nose,Black_Hair,Blond_Hair,Blurry,Male,Young": "at most 8",
    }.items():
        with pytest.raises(GanlibError, match=message):
            load_data(name)


def test_a_picture_set_is_one_set_by_its_name_and_as_a_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pack(tmp_path / "data" / "flowers5.tar.xz", {f"flowers5/{n}": d for n, d in PETS.items()})
    plain, folder = load_data("flowers5"), load_data("folder:flowers5", size=64)
    assert same(plain, folder)
    assert plain.name == folder.name == "folder:flowers5"
    assert display_name(plain.name) == "Flowers"
    with pytest.raises(GanlibError, match=r"catfaces was not found in .*; put catfaces.tar.xz there"):
        load_data("catfaces")


def test_display_names() -> None:
    assert display_name("celeba:Smiling,Male") == "CelebA faces (Smiling, Male)"
    assert [display_name(name) for name in ("mnist", "folder:pets", "elsewhere")] == ["MNIST", "Pets", "elsewhere"]
    assert display_name("folder:data/my_flowers5") == "My flowers"


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


@pytest.mark.parametrize(("name", "flip", "first"), [("mnist", False, "0"), ("fashion_mnist", True, "T-shirt/top")])
def test_mnist_is_read_from_class_folders_where_a_data_root_has_them(name, flip, first, tmp_path: Path) -> None:
    files = {
        f"{name}/{split}/{k}/0.png": picture(10 + k, (28, 28), "L") for split in ("train", "test") for k in range(10)
    }
    (tmp_path / "data").mkdir()
    pack(tmp_path / "data" / f"{name}.tar.xz", files)
    data = load_data(name)
    assert (data.name, data.size, data.channels, data.flip, data.classes[0]) == (name, 32, 1, flip, first)
    assert data.train.labels.tolist() == data.test.labels.tolist() == list(range(10))


def test_class_folders_of_another_number_are_not_that_data_set(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pack(tmp_path / "data" / "mnist.zip", {f"mnist/train/{k}/0.png": picture(k, (28, 28), "L") for k in range(3)})
    with pytest.raises(GanlibError, match="has 3 class folders; mnist has 10 classes"):
        load_data("mnist")
