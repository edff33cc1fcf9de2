"""Picture sets that are known by name: a folder or archive ``NAME`` in a data root, as ``folder:NAME`` reads it."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ganlib.data.folder import find_pictures, folder_source
from ganlib.data.sets import DataRequest, Source, register_data_set
from ganlib.errors import GanlibError

DEFAULT = (64, 3)


class Archive(NamedTuple):
    name: str
    display_name: str
    description: str
    size: int  # of the stored images
    num_classes: int


ARCHIVES = (
    Archive("bsds500", "BSDS500", "500 photographs, official split (Berkeley Segmentation Data Set)", 160, 1),
    Archive("catfaces", "Cat faces", "6,849 faces of cats", 64, 1),
    Archive("catsdogs", "Cats and dogs", "3,793 photographs of whole animals", 64, 2),
    Archive("driving", "Street scenes", "620 real (CamVid) and synthetic (CARLA) street scenes", 224, 2),
    Archive("flowers5", "Flowers", "4,317 photographs of five flowers", 128, 5),
    Archive("horse2zebra", "Horses and zebras", "918 photographs of two domains", 128, 2),
    Archive("houses_rooms", "Houses and rooms", "2,126 house fronts, bedrooms, kitchens and bathrooms", 64, 4),
    Archive("summer2winter", "Summer and winter", "759 landscapes of two domains", 128, 2),
    Archive("wikiart10", "WikiArt paintings", "3,985 paintings of ten styles", 64, 10),
)


def locate(name: str, request: DataRequest) -> Source:
    path = find_pictures(request, name, "")
    if path is None:
        raise GanlibError(
            f"{name} was not found in {', '.join(map(str, request.roots))}; put {name}.tar.xz there or set GANLIB_DATA."
        )
    # One name however it was written, so that runs on it are compared.
    return folder_source(path, f"folder:{name}", flip=True, default=DEFAULT)


for archive in ARCHIVES:
    register_data_set(
        archive.name,
        archive.description,
        size=archive.size,
        channels=3,
        num_classes=archive.num_classes,
        display_name=archive.display_name,
    )(partial(locate, archive.name))
