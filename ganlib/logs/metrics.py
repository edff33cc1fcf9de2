"""What the metrics of ``evaluation.json`` are called, and which way is better."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    label: str
    better: Literal["lower", "higher"]
    help: str


METRICS = {
    "fid": Metric("FID", "lower", "Fréchet distance between the features of generated and real images."),
    "fid_infinity": Metric("FID∞", "lower", "FID without the bias of few images, extrapolated to infinitely many."),
    "kid": Metric("KID", "lower", "Kernel distance between features: unbiased at any number of images."),
    "isc": Metric("IS", "higher", "Inception score: each image of one class surely, all classes alike often."),
    "precision": Metric("Precision", "higher", "Share of generated images that lie among real ones."),
    "recall": Metric("Recall", "higher", "Share of real images that lie among generated ones."),
    "density": Metric("Density", "higher", "How thickly generated images lie among real ones; 1 = as real ones do."),
    "coverage": Metric("Coverage", "higher", "Share of real images that have a generated one nearby."),
    "class_agreement": Metric("Class agreement", "higher", "Share of images taken for the class that was asked for."),
    "ppl": Metric("PPL", "lower", "Perceptual path length: how unsteadily images change along an interpolation."),
    "cas": Metric("CAS", "higher", "Accuracy on real images of a classifier that was trained on generated ones."),
}
"""Those that rank runs; others describe what else a model can do."""
