"""The metrics that records may hold. A new metric is one more line in ``METRICS``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    label: str
    better: Literal["lower", "higher"]
    help: str  # one sentence for readers
    group: str | None = None  # what ``evaluate --metrics`` calls it; None where it is not requested by name
    ranks: bool = False  # whether runs are compared by it; the others describe what else a model can do
    proportion: bool = False  # in [0, 1]
    needs_classes: bool = False  # only conditional models have it
    interval_of: Literal["generated images", "test images", ""] = "generated images"  # more of which would narrow it
    unit: Literal["", "%", "images/s"] = ""  # in text; values are stored as proportions
    sentence: str = ""  # for a run's card, with {code} and {value}


METRICS = {
    "fid": Metric(
        "FID", "lower", "Fréchet distance between the features of generated and real images.", "fid", ranks=True
    ),
    "fid_infinity": Metric(
        "FID∞",
        "lower",
        "FID without the bias of few images, extrapolated to infinitely many.",
        "fid_infinity",
        ranks=True,
    ),
    "kid": Metric(
        "KID", "lower", "Kernel distance between features: unbiased at any number of images.", "kid", ranks=True
    ),
    "isc": Metric(
        "IS", "higher", "Inception score: each image of one class surely, all classes alike often.", "isc", ranks=True
    ),
    "precision": Metric(
        "Precision",
        "higher",
        "Fraction of generated images that lie among real ones.",
        "prc",
        ranks=True,
        proportion=True,
    ),
    "recall": Metric(
        "Recall",
        "higher",
        "Fraction of real images that lie among generated ones.",
        "prc",
        ranks=True,
        proportion=True,
    ),
    "density": Metric(
        "Density", "higher", "How thickly generated images lie among real ones; 1 = as real ones do.", "dc", ranks=True
    ),
    "coverage": Metric(
        "Coverage",
        "higher",
        "Fraction of real images that have a generated one nearby.",
        "dc",
        ranks=True,
        proportion=True,
    ),
    "class_agreement": Metric(
        "Class agreement",
        "higher",
        "Fraction of images that the classifier puts in the requested class.",
        "class_agreement",
        ranks=True,
        proportion=True,
        needs_classes=True,
        unit="%",
    ),
    "ppl": Metric(
        "PPL",
        "lower",
        "Perceptual path length: how unsteadily images change along an interpolation.",
        "ppl",
        ranks=True,
    ),
    "cas": Metric(
        "CAS",
        "higher",
        "Classification accuracy score: accuracy on real images of a classifier trained on generated ones.",
        "cas",
        ranks=True,
        proportion=True,
        needs_classes=True,
        interval_of="",
        unit="%",
    ),
    "bits_per_dim": Metric(
        "Bits/dim",
        "lower",
        "Bits that a pixel value of a test image takes under the model's likelihood; 8 is to know nothing. Of JPEG or "
        "resized images it does not compare with published figures, and of Glow it is a bound.",
        ranks=True,
        interval_of="test images",
        sentence="Test images take {value:.2f} bits a pixel value",
    ),
    "psnr": Metric(
        "PSNR",
        "higher",
        "Peak signal-to-noise ratio of outputs against the wanted test images, in dB: pixel by pixel.",
        ranks=True,
        interval_of="test images",
    ),
    "ssim": Metric(
        "SSIM",
        "higher",
        "Structural similarity of outputs and the wanted test images; 1 = equal.",
        ranks=True,
        interval_of="test images",
    ),
    "feature_distance": Metric(
        "Feature distance",
        "lower",
        "Distance of outputs and the wanted test images in features of EfficientNet-Lite0: as the eye sees them.",
        ranks=True,
        interval_of="test images",
    ),
    "target_fid": Metric(
        "FID to the target",
        "lower",
        "FID of the outputs of test images against real images of the domain that they are to be in.",
        ranks=True,
    ),
    "target_kid": Metric(
        "KID to the target",
        "lower",
        "KID of the outputs of test images against real images of the domain that they are to be in.",
        ranks=True,
    ),
    "source_fid": Metric(
        "FID before translation",
        "lower",
        "FID of the inputs themselves against real images of the domain that they are to be in.",
    ),
    "straightness": Metric(
        "Straightness",
        "lower",
        "How far the paths from noise to images depart from straight lines; at 0 one step is enough.",
        sentence="Its paths depart from straight lines by {value:.2f}",
    ),
    "class_fid": Metric("FID", "lower", "FID of the images of one class.", needs_classes=True),
    "fid_floor": Metric("FID of test images", "lower", "FID of real test images: what a perfect generator would have."),
    "sampling_rate": Metric("Sampling rate", "higher", "Images a second, 64 in one call.", unit="images/s"),
    "training_rate": Metric("Training rate", "higher", "Training images a second.", unit="images/s"),
    "human_error": Metric(
        "Human error rate",
        "higher",
        "How often people take a generated image for a real one, or a real one for generated; 50 % is guessing.",
        proportion=True,
        unit="%",
        sentence="People are wrong about {value:.0%} of its images",
    ),
    "two_sample_auc": Metric(
        "Two-sample AUC",
        "lower",
        "How surely a classifier tells held-out real from generated images; 0.5 is guessing.",
        proportion=True,
    ),
    "neighbour_accuracy": Metric(
        "Nearest-neighbour accuracy",
        "lower",
        "How often an image's nearest neighbour is real or generated as itself; 50 % is guessing.",
        proportion=True,
        unit="%",
    ),
    "energy_distance": Metric(
        "Energy distance", "lower", "Distance of whole distributions of features; 0 where they are equal."
    ),
    "copied": Metric(
        "Copies",
        "lower",
        "Fraction of generated images that are nearer to a training image than chance has it.",
        proportion=True,
        unit="%",
    ),
    "accuracy": Metric(
        "Accuracy",
        "higher",
        "Fraction of test images that the model classifies correctly.",
        proportion=True,
        interval_of="test images",
        unit="%",
        sentence="As a classifier: {value:.0%} test accuracy",
    ),
    "code_accuracy": Metric(
        "Code accuracy",
        "higher",
        "Fraction of test images whose class a categorical code names, each value matched to one class.",
        proportion=True,
        interval_of="test images",
        unit="%",
        sentence="Code {code} as a classifier: {value:.0%} test accuracy",
    ),
    "probe_accuracy": Metric(
        "Linear probe of D",
        "higher",
        "Fraction of test images that a linear SVM on the discriminator's features classifies correctly.",
        proportion=True,
        interval_of="test images",
        unit="%",
        sentence="Linear probe of D: {value:.0%} test accuracy",
    ),
}

RANKED = tuple(name for name, metric in METRICS.items() if metric.ranks)

GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(name for name, metric in METRICS.items() if metric.group == group)
    for group in dict.fromkeys(metric.group for metric in METRICS.values() if metric.group)
}
"""``evaluate --metrics`` -> the metrics that it measures."""
