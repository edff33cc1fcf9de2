"""What extractors are called in titles, and what their features can and cannot tell."""

from __future__ import annotations

from typing import NamedTuple


class Features(NamedTuple):
    name: str  # as in "FID on … features"
    tells: str  # a sentence for readers


EMBEDDED = "embedded"
IMAGENET = "ImageNet features: comparable between data sets, and sure of objects and textures in photographs; blind to "
FEATURES = {
    EMBEDDED: Features(
        "embedded classifier's",
        "A classifier of this data set: it knows its classes; blind to what does not tell them apart, and not "
        "comparable between data sets.",
    ),
    **{
        f"efficientnet_lite{i}": Features(
            f"EfficientNet-Lite{i}", f"{IMAGENET}whether an image is of the requested class, and unsure of digits."
        )
        for i in range(3)
    },
    "inception": Features("Inception", f"{IMAGENET}much of what is no class of ImageNet, such as faces."),
    "vgg16": Features("VGG16", f"{IMAGENET}much of what is no class of ImageNet, such as faces."),
    "clip": Features(
        "CLIP",
        "Features of captioned images: comparable between data sets, and sure of what is shown; blind to detail.",
    ),
    "dinov2": Features(
        "DINOv2",
        "Features learned without labels: comparable between data sets, close to what people see; blind to the "
        "data set's classes.",
    ),
}


def describe_features(extractor: str) -> Features | None:
    """Of an extractor as records name it; None where no extractor measures."""
    base, at, side = extractor.partition("@")
    family, _, network = base.partition(":")
    size = f" at {side} pixels" if at else ""
    if base in FEATURES:
        return FEATURES[base]._replace(name=f"{FEATURES[base].name}{size}")
    if network:
        return Features(f"{family}'s {network}{size}", f"{IMAGENET}much of what is no class of ImageNet.")
    return None
