"""The only file that knows torch-fidelity: its Fréchet distance, its Inception, our extractor for it.

FID: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
NeurIPS 2017, arXiv:1706.08500. torch-fidelity: Obukhov et al., 2020, doi:10.5281/zenodo.4957738.
"""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_fidelity import register_feature_extractor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from ganlib.errors import GanlibError
from ganlib.runs import Run

EMBEDDED = "ganlib-embedded"
NEIGHBOUR_ROWS = 1_000  # of the distance matrix at a time


class Statistics(NamedTuple):
    """Of n feature vectors: mean (d,) and covariance (d, d), float64."""

    mu: NDArray[np.float64]
    sigma: NDArray[np.float64]
    n: int


def statistics(features: Tensor) -> Statistics:
    """(n, d) on the CPU -> Statistics. GanlibError when a feature is not finite."""
    if not torch.isfinite(features).all():
        raise GanlibError("Some features are not finite: the images or the extractor's weights are broken.")
    # torch-fidelity averages in the features' own precision: float64 keeps the mean of 50,000 exact.
    found = fid_features_to_statistics(features.double())
    return Statistics(found["mu"], found["sigma"], len(features))


def frechet(a: Statistics, b: Statistics) -> float:
    """|μ_a - μ_b|² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½); torch-fidelity drops imaginary parts of the root."""
    stats = [{"mu": s.mu, "sigma": s.sigma} for s in (a, b)]
    return float(fid_statistics_to_metric(*stats, verbose=False)[KEY_METRIC_FID])


def kernel_distance(real: Tensor, fake: Tensor, subset: int) -> float:
    """(n, d), (m, d) -> the mean of the unbiased squared MMD over 100 random subsets, always the same ones."""
    found = kid_features_to_metric(fake, real, kid_subset_size=subset, verbose=False)
    return float(found[KEY_METRIC_KID_MEAN])


def inception_scores(logits: Tensor, splits: int) -> list[float]:
    """(n, K) -> exp E[KL(p(y|x) ‖ p(y))] of each of so many consecutive parts."""
    return [
        float(isc_features_to_metric(part, splits=1, shuffle=False)[KEY_METRIC_ISC_MEAN])
        for part in logits.tensor_split(splits)
    ]


def precision_recall(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    """(n, d), (m, d) -> the share of generated images within real ones' k-th neighbours' reach, and the reverse."""
    found = prc_features_to_metric(
        fake, real, prc_neighborhood=k, prc_batch_size=NEIGHBOUR_ROWS, save_cpu_ram=True, verbose=False
    )
    return float(found[KEY_METRIC_PRECISION]), float(found[KEY_METRIC_RECALL])


class EmbeddedFeatures(FeatureExtractorBase):  # type: ignore[misc]  # torch-fidelity has no types
    """A classifier run as torch-fidelity's extractor; the run's folder stands in for the weights' path."""

    def __init__(self, name: str, features_list: list[str], feature_extractor_weights_path: str, **_: Any) -> None:
        super().__init__(name, features_list)
        self.classifier: Any = Run(Path(feature_extractor_weights_path)).load()

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return ("features", "logits")

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "logits" if metric == "isc" else "features"

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(N, C, H, W) uint8 -> features (N, d) and logits (N, K), those that were asked for."""
        # torch-fidelity hands over grey images with three equal channels.
        x = images[:, : self.classifier.config.channels].float().mul_(2 / 255).sub_(1)
        features = self.classifier.features(x)
        found = {"features": features}
        if "logits" in self.features_list:
            found["logits"] = self.classifier.head(features).float()
        return tuple(found[name] for name in self.features_list)


register_feature_extractor(EMBEDDED, EmbeddedFeatures)


def inception_weights(path: str | None) -> Path:
    """The weights' file: ``path``, else torch-fidelity's own, downloaded once."""
    if path:
        if not Path(path).is_file():
            raise GanlibError(f"There is no file {path}; fetch {URL_INCEPTION_V3} and give its path.")
        return Path(path)
    name = URL_INCEPTION_V3.rsplit("/", 1)[1]
    found = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not found.exists():
        try:
            found.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(URL_INCEPTION_V3, str(found), "6726825d", progress=False)
        except (OSError, RuntimeError) as error:
            raise GanlibError(
                f"The Inception weights cannot be downloaded here ({error}); fetch {URL_INCEPTION_V3} "
                f"elsewhere and give --extractor-weights PATH/{name}, or use --extractor embedded."
            ) from None
    return found


def inception_features(path: Path) -> FeatureExtractorInceptionV3:
    """(N, 3, H, W) uint8 -> (N, 2048), (N, 1008) logits. GanlibError when the file is not these weights."""
    try:
        # torch-fidelity unpickles without restraint; a file that passes this load holds tensors only.
        torch.load(path, map_location="cpu", weights_only=True)
        wanted = ["2048", "logits_unbiased"]
        return FeatureExtractorInceptionV3("inception-v3-compat", wanted, feature_extractor_weights_path=str(path))
    except (OSError, EOFError, RuntimeError, UnpicklingError, TypeError, AttributeError, KeyError) as error:
        reason = " ".join(str(error).split())[:100]
        raise GanlibError(
            f"{path} does not hold torch-fidelity's Inception weights ({reason}); take {URL_INCEPTION_V3}."
        ) from None
