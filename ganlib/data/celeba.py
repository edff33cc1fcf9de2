"""Faces: Z. Liu et al., "Deep Learning Face Attributes in the Wild", ICCV 2015, arXiv:1411.7766."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.data.attributes import combination_names, combine, parse_attributes
from ganlib.data.folder import ATTRIBUTE_TABLE, find_pictures, folder_source
from ganlib.data.sets import DataRequest, Source, SplitName, register_data_set
from ganlib.data.vision import Opener, torchvision_set, torchvision_source

CROP = 160  # of 178x218: less background, all of the face
DEFAULT = (64, 3)
# fmt: off
ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald",
    "Bangs", "Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair",
    "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin",
    "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones",
    "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard",
    "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks",
    "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings",
    "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)
# fmt: on


def _attributes(argument: str) -> tuple[str, ...]:
    return parse_attributes(argument, ATTRIBUTES, "celeba") if argument else ()


@register_data_set(
    "celeba",
    "faces with 40 attributes; the combinations of those in celeba:Smiling,Male are the labels",
    size=CROP,
    channels=3,
    num_classes=None,
    display_name="CelebA faces",
    argument="ATTRIBUTES",
    check=_attributes,
)
def celeba(request: DataRequest) -> Source:
    """``celeba.tar.xz`` with attributes.csv where a data root has it, else torchvision's 202,599 images.

    The archive has four classes (female or male, smiling or not) and the fixed split of a folder set; torchvision's
    set has no classes, and train and test as published, without the validation part.
    """
    attributes = _attributes(request.argument or "")
    name = f"celeba:{','.join(attributes)}" if attributes else "celeba"
    if (path := find_pictures(request, "celeba", ATTRIBUTE_TABLE)) is not None:
        return folder_source(path, name, flip=True, default=DEFAULT, attributes=attributes)

    def open_split(root: Path, split: SplitName, download: bool) -> Any:
        return torchvision_set("CelebA")(str(root), split=split, target_type="attr", download=download)

    def read(data: Any) -> tuple[NDArray[np.int64], list[Opener]]:
        folder = Path(data.root, data.base_folder, "img_align_celeba")
        openers = [partial(_open_face, folder / name) for name in data.filename]
        if not attributes:
            return np.full(len(openers), -1, np.int64), [*openers]
        return combine(data.attr[:, [ATTRIBUTES.index(a) for a in attributes]].numpy()), [*openers]

    classes = combination_names(attributes) if attributes else ()
    source = torchvision_source(request, name, "celeba", open_split, read, classes=classes, flip=True, default=DEFAULT)
    return replace(source, attributes=attributes)


def _open_face(path: Path) -> Image.Image:
    image = Image.open(path, formats=["JPEG"])
    left, top = (image.width - CROP) // 2, (image.height - CROP) // 2
    return image.crop((left, top, left + CROP, top + CROP))
