"""What the name of a side means, and what gives it away."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganlib.errors import GanlibError
from ganlib.twosample.giveaways import common_channels, common_encoding, find_giveaways, through
from ganlib.twosample.sides import Side, locate, read_side, source_and_part
from helpers.image_files import pack, picture, write

CPU = torch.device("cpu")


def side(name, n=100, size=16, channels=3):
    return read_side(locate(str(name), n, CPU), size, channels)


def folder(root: Path, kind="PNG", mode="RGB", size=(20, 20), seeds=range(6)) -> Path:
    files = {f"cats/{seed:03}.{kind.lower()}": picture(seed, size, mode, kind) for seed in seeds}
    return write(
        root, files | {f"dogs/{seed:03}.{kind.lower()}": files[f"cats/{seed:03}.{kind.lower()}"] for seed in seeds}
    )


def kinds(real: Side, synthetic: Side) -> dict[str, str]:
    encoding = common_encoding(real, synthetic)
    a, b = through(real, encoding), through(synthetic, encoding)
    return {giveaway.kind: giveaway.sentence for giveaway in find_giveaways(a, b, encoding)}


def test_a_folder_an_archive_and_a_part_of_it(tmp_path):
    files = {f"{split}/{kind}/{i}.png": picture(i) for split in ("train", "test") for kind in "ab" for i in range(5)}
    root, archive = write(tmp_path / "pets", files), pack(tmp_path / "pets.zip", files)
    assert [len(side(name)) for name in (root, archive, f"{root}#train", f"{root}#test/a", f"{archive}#b")] == [
        *(20, 20, 10, 5, 10)
    ]
    assert (side(root).images == side(archive).images).all()
    assert len(side(root, n=8)) == 8
    assert {file.name.split("/")[1] for file in side(root, n=8).files} == {"a", "b"}  # even over the classes


def test_a_mixture_whose_sets_have_parts_has_parts_too(tmp_path):
    files = {f"{split}/{kind}/{i}.png": picture(i) for split in ("train", "test") for kind in "ab" for i in range(5)}
    one, two = (write(tmp_path / name, files) for name in ("one", "two"))
    mixture = f"mixture:folder:{one}#a+folder:{two}#b"
    parts = ("", "#train", "#test", "#test/b")
    assert [len(side(f"{mixture}{part}")) for part in parts] == [10, 10, 10, 5]
    assert source_and_part(f"{mixture}#test") == (mixture, "test")
    assert source_and_part(mixture) == (mixture, "")


def test_a_data_set_means_its_training_images():
    digits = [locate(name, 5000, CPU) for name in ("digits", "digits#train", "digits#test", "digits#test/3")]
    assert len(digits[0].files) == len(digits[1].files) > len(digits[2].files) > len(digits[3].files)
    assert (digits[0].side, digits[0].channels) == (8, 1)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("digits#eleven", "digits has no part 'eleven'; there are train, test, 0"),
        ("no-such-thing", "There is no run 'no-such-thing'"),
        ("no-such-thing#train", "neither a folder, an archive nor a data set, so it has no part 'train'"),
    ],
)
def test_what_means_nothing_is_said(name, sentence):
    with pytest.raises(GanlibError, match=sentence):
        locate(name, 10, CPU)


def test_options_are_for_runs():
    with pytest.raises(GanlibError, match="is no run, so leave the option 'truncation' out"):
        locate("digits", 10, CPU, options={"truncation": "0.5"})


def test_damaged_files_are_left_out_and_an_empty_side_is_refused(tmp_path):
    files = {f"a/{i}.png": picture(i) for i in range(4)}
    files |= {"a/text.png": b"not an image", "a/cut.png": picture(9, (64, 64))[:-900]}
    assert {file.name for file in side(write(tmp_path / "some", files)).files} == {f"a/{i}.png" for i in range(4)}
    with pytest.raises(GanlibError, match=r"No image of .* can be read"):
        side(write(tmp_path / "none", {"a/0.png": b"x", "a/1.png": b"y"}))


def test_jpeg_against_png_is_said_and_both_are_encoded_alike(tmp_path):
    jpeg, png = side(folder(tmp_path / "jpeg", "JPEG"), size=20), side(folder(tmp_path / "png"), size=20)
    assert "real images are PNG and the synthetic images are JPEG: both were encoded" in kinds(png, jpeg)["format"]
    encoding = common_encoding(png, jpeg)
    # The same pictures, once stored as JPEG and once encoded as these were: nothing is left of the difference.
    difference = abs(through(png, encoding).images.astype(int) - through(jpeg, encoding).images.astype(int))
    assert difference.max() == 0
    assert abs(png.images.astype(int) - jpeg.images.astype(int)).max() > 20
    assert common_encoding(png, png) is None


def test_the_coarser_of_two_jpegs_is_what_both_get(tmp_path):
    def jpeg(quality):
        file = io.BytesIO()
        Image.open(io.BytesIO(picture(1))).save(file, "JPEG", quality=quality)
        return file.getvalue()

    fine, coarse = (
        side(write(tmp_path / str(quality), {f"a/{i}.jpg": jpeg(quality) for i in range(3)})) for quality in (95, 40)
    )
    assert common_encoding(fine, coarse) == coarse.files[0].encoding == common_encoding(coarse, fine)


def test_sizes_aspect_and_greyscale_are_said(tmp_path):
    small = side(folder(tmp_path / "small", size=(20, 20)))
    large = side(folder(tmp_path / "large", mode="L", size=(60, 40)))
    sentences = kinds(small, large)
    assert "20x20 pixels and the synthetic ones 60x40" in sentences["sizes"]
    assert sentences["aspects"] == "100% of the synthetic images are not square: their middle was used."
    assert sentences["greyscale"].startswith("0% of the real and 100% of the synthetic images are greyscale")
    assert common_channels(small.files, large.files) == 1


def test_copies_and_the_same_files_are_said(tmp_path):
    root = folder(tmp_path / "pets")
    sentences = kinds(side(root), side(root))
    assert sentences["same"].startswith("These are the same files")
    assert sentences["copies"] == "6 synthetic images of 12 repeat another one of the same side."
    other = side(folder(tmp_path / "other", seeds=range(5, 11)))
    assert kinds(side(root), other)["same"].startswith("2 synthetic images of 12 are, pixel by pixel, among the real")


def test_sides_alike_have_nothing_to_say(tmp_path):
    files = [{f"a/{i}.png": picture(i + first) for i in range(8)} for first in (0, 100)]
    sides = [side(write(tmp_path / str(i), group), size=18) for i, group in enumerate(files)]
    assert kinds(*sides) == {
        "aspects": "100% of the real images and 100% of the synthetic images are not square: their middle was used."
    }
    assert np.array_equal(through(sides[0], None).images, sides[0].images)
