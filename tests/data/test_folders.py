"""Digits, folders and archives of pictures, and what is wrong with them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from ganlib.data import DATA_SETS, list_data, load_data
from ganlib.data.pictures import decode, to_square
from ganlib.errors import GanlibError
from helpers.image_files import PETS, pack, picture, same, tree, write


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


def test_folder_of_class_folders_is_split_by_class(tmp_path: Path) -> None:
    data = load_data(f"folder:{write(tmp_path / 'pets', PETS)}")
    assert (data.name, data.classes, data.size, data.channels) == ("folder:pets", ("cats", "dogs"), 16, 3)
    assert np.bincount(data.train.labels).tolist() == [8, 8]
    assert np.bincount(data.test.labels).tolist() == [2, 2]
    train, test = ({image.tobytes() for image in split.images} for split in (data.train, data.test))
    assert len(train | test) == 20
    data.require_classes("SAGAN")


SPLITS = {
    "small and large letters": tree("Training/a/0.png", "Training/b/0.png", "Testing/a/0.png", "Testing/b/0.png"),
    "with other words": tree("train_images/a/0.png", "train_images/b/0.png", "Test Data/a/0.png", "Test Data/b/0.png"),
    "validation alone": tree("train/a/0.png", "train/b/0.png", "dev/a/0.png", "dev/b/0.png"),
    "twice": tree("seg_train/seg_train/a/0.png", "seg_train/seg_train/b/0.png", "seg_test/a/0.png", "seg_test/b/0.png"),
    "within two folders": tree(
        "zip/set/train/a/0.png", "zip/set/train/b/0.png", "zip/set/test/a/0.png", "zip/set/test/b/0.png"
    ),
    "below the classes": tree("a/train/0.png", "b/train/0.png", "a/test/0.png", "b/test/0.png"),
    "of two domains": tree("trainA/0.png", "trainB/0.png", "testA/0.png", "testB/0.png"),
}


@pytest.mark.parametrize("files", SPLITS.values(), ids=SPLITS)
def test_splits_are_recognised_by_their_folders_names(files: dict[str, bytes], tmp_path: Path) -> None:
    data = load_data(f"folder:{write(tmp_path / 'set', files)}")
    assert tuple(name.lower() for name in data.classes) == ("a", "b")
    assert data.train.labels.tolist() == data.test.labels.tolist() == [0, 1]
    images = [to_square(decode(picture), data.size, 3) for picture in files.values()]
    assert np.array_equal([*data.train.images, *data.test.images], images)
    assert data.notes == ()


def test_classes_may_have_the_name_of_a_split(tmp_path: Path) -> None:
    files = tree(*(f"{kind}/{i}.png" for kind in ("bus", "car", "train") for i in range(5)))
    assert load_data(f"folder:{write(tmp_path / 'vehicles', files)}").classes == ("bus", "car", "train")


def test_folders_beside_the_splits_are_named(tmp_path: Path) -> None:
    files = tree("train/a/0.png", "test/a/0.png", "val/a/0.png", "pred/0.png")
    data = load_data(f"folder:{write(tmp_path / 'set', files)}")
    assert (len(data.train), len(data.test)) == (1, 1)
    assert data.notes == ("Left out, as neither training nor test images: pred, val.",)


def test_links_to_class_folders_are_classes(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", PETS)
    (tmp_path / "set").mkdir()
    for kind in ("cats", "dogs"):
        (tmp_path / "set" / kind).symlink_to(tmp_path / "elsewhere" / kind)
    (tmp_path / "elsewhere" / "cats" / "up").symlink_to(tmp_path / "set")  # without an end
    (tmp_path / "elsewhere" / "cats" / "itself").symlink_to(tmp_path / "elsewhere" / "cats")
    linked = load_data(f"folder:{tmp_path / 'set'}")
    assert linked.classes == ("cats", "dogs")
    assert same(linked, load_data(f"folder:{write(tmp_path / 'pets', PETS)}"))


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_links_in_an_archive_are_the_files_that_they_point_to(kind: str, tmp_path: Path) -> None:
    """A class folder that is a link, and pictures that are links, hard ones in a tar archive."""
    stored = {name.replace("cats", ".store/cats"): data for name, data in PETS.items()}
    single = {"dogs/00.png": "../.store/first.png"}
    files = {name: data for name, data in stored.items() if name not in single}
    files[".store/first.png"] = stored["dogs/00.png"]
    links = {"cats": ".store/cats", **single}
    packed = tmp_path / f"linked.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as archive:
            for name, target in links.items():
                info = zipfile.ZipInfo(f"set/{name}")
                info.external_attr = 0o120777 << 16
                archive.writestr(info, target)
            for name, data in files.items():
                archive.writestr(f"set/{name}", data)
    else:
        with tarfile.open(packed, "w") as tar:
            for name, target in links.items():
                member = tarfile.TarInfo(f"set/{name}")
                member.type = tarfile.SYMTYPE if name == "cats" else tarfile.LNKTYPE
                member.linkname = target if name == "cats" else "set/.store/first.png"
                tar.addfile(member)
            for name, data in files.items():
                member = tarfile.TarInfo(f"set/{name}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    assert same(load_data(f"folder:{packed}"), load_data(f"folder:{write(tmp_path / 'pets', PETS)}"))


@pytest.mark.parametrize("unpacked", [False, True])
def test_backslashes_are_folders(unpacked: bool, tmp_path: Path) -> None:
    """Of old Windows archivers, and as Python unpacks them."""
    files = {f"set\\{name}".replace("/", "\\"): data for name, data in PETS.items()}
    path = write(tmp_path / "old", files) if unpacked else pack(tmp_path / "old.zip", files)
    assert same(load_data(f"folder:{path}"), load_data(f"folder:{write(tmp_path / 'pets', PETS)}"))


def test_names_in_nfd_and_in_nfc_are_one_class(tmp_path: Path) -> None:
    nfc = "na\u00efve"
    files = tree(f"train/{nfc}/0.png", "train/b/0.png", f"test/{normalize('NFD', nfc)}/0.png", "test/b/0.png")
    data = load_data(f"folder:{write(tmp_path / 'set', files)}")
    assert data.classes == ("b", nfc)
    assert data.test.labels.tolist() == [0, 1]


def test_names_of_an_archive_in_utf_8_that_does_not_say_so(tmp_path: Path) -> None:
    """As a Mac's are, also in NFD."""
    packed = pack(tmp_path / "mac.zip", {f"set/naXXve/{i}.png": picture(i) for i in range(5)} | tree("set/b/0.png"))
    packed.write_bytes(packed.read_bytes().replace(b"naXXve", "na\u00efve".encode()))
    assert load_data(f"folder:{packed}").classes == ("b", "na\u00efve")


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
    monkeypatch.setattr("ganlib.picture_files.MAX_PIXELS", 3000)
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


def test_a_member_of_an_archive_without_a_name_is_one_sentence(tmp_path: Path) -> None:
    """zipfile raises an IndexError of its own where it asks whether such a name is a folder's."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"x")
    with pytest.raises(GanlibError, match="cannot be read as a folder, zip or tar archive"):
        load_data(f"folder:{path}")
