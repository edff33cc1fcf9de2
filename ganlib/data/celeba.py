"""Faces: Z. Liu et al., "Deep Learning Face Attributes in the Wild", ICCV 2015, arXiv:1411.7766."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlib.data.sets import DataRequest, Source, SplitName, register_data_set
from ganlib.data.vision import Opener, torchvision_set, torchvision_source
from ganlib.errors import GanlibError

CROP = 160  # of 178x218: less background, all of the face
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


@register_data_set(
    "celeba",
    "202,599 faces; celeba:Smiling makes one of 40 attributes the label",
    size=CROP,
    channels=3,
    num_classes=None,
    argument="ATTRIBUTE",
)
def celeba(request: DataRequest) -> Source:
    """Train and test as published, without the validation part; two classes if an attribute is chosen."""
    attribute = request.argument
    if attribute is not None and attribute not in ATTRIBUTES:
        close = get_close_matches(attribute, ATTRIBUTES, n=3, cutoff=0.4) or ATTRIBUTES
        raise GanlibError(f"celeba has no attribute {attribute!r}; try {', '.join(close)}.")

    def open_split(root: Path, split: SplitName, download: bool) -> Any:
        return torchvision_set("CelebA")(str(root), split=split, target_type="attr", download=download)

    def read(data: Any) -> tuple[NDArray[np.int64], list[Opener]]:
        folder = Path(data.root, data.base_folder, "img_align_celeba")
        openers = [partial(_open_face, folder / name) for name in data.filename]
        if attribute is None:
            return np.full(len(openers), -1, np.int64), [*openers]
        return data.attr[:, ATTRIBUTES.index(attribute)].numpy().astype(np.int64), [*openers]

    name = f"celeba:{attribute}" if attribute else "celeba"
    classes = (f"not {attribute}", attribute) if attribute else ()
    return torchvision_source(request, name, "celeba", open_split, read, classes=classes, flip=True, default=(64, 3))


def _open_face(path: Path) -> Image.Image:
    image = Image.open(path)
    left, top = (image.width - CROP) // 2, (image.height - CROP) // 2
    return image.crop((left, top, left + CROP, top + CROP))
