"""Faults planted in real images, each at growing strength: what should a test of generated images notice?"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from ganlib.images import to_pil
from ganlib.registry import Registry

Images = NDArray[np.uint8]  # (N, H, W, C)
Labels = NDArray[np.int64]
Plant = Callable[[Images, Labels, Images, float, np.random.Generator], Images]


@dataclass(frozen=True)
class Fault:
    """``plant(images, labels, training, strength, rng)`` -> images of the same shape, at most as many."""

    plant: Plant
    strengths: tuple[float, ...]
    unit: str  # of the strength


FAULTS: Registry[Fault] = Registry("fault")


def register(name: str, strengths: tuple[float, ...], unit: str) -> Callable[[Plant], Plant]:
    def add(plant: Plant) -> Plant:
        FAULTS.register(name)(Fault(plant, strengths, unit))
        return plant

    return add


@register("blur", (0.25, 0.5, 1.0, 2.0), "pixels, standard deviation of the Gaussian")
def blur(images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator) -> Images:
    return gaussian_filter(images, (0, strength, strength, 0))


@register("noise", (2.0, 4.0, 8.0, 16.0, 32.0), "levels, standard deviation")
def noise(images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator) -> Images:
    return to_levels(images + rng.normal(0, strength, images.shape))


@register("salt and pepper", (0.002, 0.01, 0.05, 0.2), "share of pixels")
def salt_and_pepper(
    images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator
) -> Images:
    hit = rng.random(images.shape[:3]) < strength
    result = images.copy()
    result[hit] = rng.choice(np.array([0, 255], np.uint8), (int(hit.sum()), 1))
    return result


@register("swirl", (0.25, 0.5, 1.0, 2.0), "radians at the middle")
def swirl(images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator) -> Images:
    """Rotation about the middle that fades towards the edge."""
    size = images.shape[1]
    middle = (size - 1) / 2
    y, x = np.mgrid[:size, :size] - middle
    angle = strength * np.clip(1 - np.hypot(x, y) / (size / 2), 0, None)
    rows = np.cos(angle) * y - np.sin(angle) * x + middle
    columns = np.sin(angle) * y + np.cos(angle) * x + middle
    result = np.empty_like(images)
    for i, image in enumerate(images):
        for c in range(images.shape[3]):
            result[i, :, :, c] = map_coordinates(image[:, :, c], [rows, columns], order=1, mode="nearest")
    return result


@register("colour", (0.02, 0.05, 0.1, 0.2), "share of the first channel lost")
def colour(images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator) -> Images:
    result = images.copy()
    result[..., 0] = np.round(result[..., 0] * (1 - strength))
    return result


@register("JPEG", (10.0, 25.0, 50.0, 75.0), "below quality 100")
def jpeg(images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator) -> Images:
    return np.stack([_encoded(image, round(100 - strength)) for image in images])


@register("dropped classes", (0.5, 1.0, 2.0, 5.0), "classes")
def dropped_classes(
    images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator
) -> Images:
    """The first classes are left out; of half a class every second image."""
    kept = labels >= int(strength)
    partly = np.flatnonzero(labels == int(strength))
    kept[partly[: round(len(partly) * (strength % 1))]] = False
    return images[kept]


@register("copies", (0.01, 0.05, 0.2, 1.0), "share of the images")
def copies(images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator) -> Images:
    """Of training images."""
    result = images.copy()
    n = min(max(1, round(strength * len(images))), len(training))
    result[rng.permutation(len(images))[:n]] = training[rng.permutation(len(training))[:n]]
    return result


@register("collapse", (0.05, 0.2, 0.5, 0.9), "share of the images that repeat another")
def collapse(images: Images, labels: Labels, training: Images, strength: float, rng: np.random.Generator) -> Images:
    distinct = max(1, round((1 - strength) * len(images)))
    return images[np.arange(len(images)) % distinct]


def to_levels(values: NDArray[np.floating]) -> Images:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _encoded(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    to_pil(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer, formats=["JPEG"]), np.uint8).reshape(image.shape)
