"""The only file that knows torch-fidelity: its metrics, its extractors, ours for it.

FID: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
NeurIPS 2017, arXiv:1706.08500. torch-fidelity: Obukhov et al., 2020, doi:10.5281/zenodo.4957738.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_fidelity import register_feature_extractor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, MODEL_URLS, FeatureExtractorCLIP, build_model
from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16
from torch_fidelity.metric_fid import fid_features_to_statistics
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
from torch_fidelity.noise import batch_lerp, batch_slerp_any

from ganlib.errors import GanlibError
from ganlib.images import normalize
from ganlib.metrics.dinov2 import DinoV2
from ganlib.metrics.weights import Source, sha256
from ganlib.runs import Run
from ganlib.tensors import load_tensors

EMBEDDED = "ganlib-embedded"
LARGEST_LOG_ODDS = 700.0  # exp of it is still a float64


class Statistics(NamedTuple):
    """Of n feature vectors: mean (d,) and covariance (d, d), float64."""

    mu: NDArray[np.float64]
    sigma: NDArray[np.float64]
    n: int


def statistics(features: Tensor) -> Statistics:
    """(n, d) on the CPU -> Statistics."""
    # torch-fidelity averages in the features' own precision: float64 keeps the mean of 50,000 exact.
    result = fid_features_to_statistics(features.double())
    return Statistics(result["mu"], result["sigma"], len(features))


def frechet(a: Statistics, b: Statistics) -> float:
    """|μ_a - μ_b|² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½).

    The eigenvalues of Σ_a Σ_b are those of the symmetric Rᵀ Σ_b R with Σ_a = R Rᵀ: a third of the time that
    torch-fidelity takes for the product itself, and never complex.
    """
    root = covariance_root(a.sigma)
    eigenvalues = np.linalg.eigvalsh(root.T @ b.sigma @ root)
    difference = a.mu - b.mu
    trace = np.trace(a.sigma) + np.trace(b.sigma) - 2 * np.sqrt(eigenvalues.clip(0)).sum()
    return float(difference @ difference + trace)


def frechet_of(features: Tensor, reference: Statistics) -> float:
    """``frechet(reference, statistics(features))`` of (n, d) features, in a fraction of the time where n < d.

    With the covariance XᵀX of n centred rows, Σ XᵀX has the eigenvalues of the (n, n) matrix X Σ Xᵀ and zeros.
    """
    if len(features) >= features.shape[1]:
        return frechet(reference, statistics(features))
    rows = features.double().numpy()
    mu = rows.mean(0)
    X = (rows - mu) / np.sqrt(len(rows) - 1)
    eigenvalues = np.linalg.eigvalsh(X @ reference.sigma @ X.T)
    difference = reference.mu - mu
    trace = np.trace(reference.sigma) + (X * X).sum() - 2 * np.sqrt(eigenvalues.clip(0)).sum()
    return float(difference @ difference + trace)


def covariance_root(sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """R with R Rᵀ = Σ."""
    try:
        return np.asarray(np.linalg.cholesky(sigma), np.float64)
    except np.linalg.LinAlgError:  # of no more images than dimensions
        eigenvalues, vectors = np.linalg.eigh(sigma)
        return np.asarray(vectors * np.sqrt(eigenvalues.clip(0)), np.float64)


def kernel_distance(real: Tensor, fake: Tensor, subset: int) -> float:
    """(n, d), (m, d) -> the mean of the unbiased squared MMD over 100 random subsets, always the same ones."""
    # In float64: third powers of products lose what tells two means of them apart.
    result = kid_features_to_metric(fake.double(), real.double(), kid_subset_size=subset, verbose=False)
    return float(result[KEY_METRIC_KID_MEAN])


def inception_scores(logits: Tensor, splits: int) -> list[float]:
    """(n, K) -> exp E[KL(p(y|x) ‖ p(y))] of each of so many consecutive parts."""
    # A probability that is zero in float64 for all images would make 0 · ∞ of its class: it is 1e-304 instead.
    relative = (logits.double() - logits.double().amax(1, keepdim=True)).clamp(min=-LARGEST_LOG_ODDS)
    return [
        float(isc_features_to_metric(part, splits=1, shuffle=False)[KEY_METRIC_ISC_MEAN])
        for part in relative.tensor_split(splits)
    ]


def interpolate_pairs(a: Tensor, b: Tensor, t: Tensor, path: str) -> Tensor:
    """(n, …), (n, …), (n,) -> (n, …): a point on the way from each a to its b, by "slerp" or "lerp"."""
    step = {"slerp": batch_slerp_any, "lerp": batch_lerp}[path]
    return step(a.flatten(1), b.flatten(1), t[:, None]).view_as(a)


class FloatLevels(Tensor):
    """Levels 0 … 255 as floats for torch-fidelity's extractors, which insist on bytes and make floats of them at once.

    ``images.as_subclass(FloatLevels)``: the dtype claims to be uint8, and ``to`` gives plain floats.
    """

    @property
    def dtype(self) -> torch.dtype:  # type: ignore[override]  # a plain attribute in the stubs
        return torch.uint8

    def to(self, dtype: torch.dtype) -> Tensor:  # type: ignore[override]  # extractors call it with a dtype alone
        return self.as_subclass(Tensor).to(dtype)


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
        """(N, C, H, W) levels 0 … 255 -> features (N, d) and logits (N, K), those of ``features_list``."""
        # torch-fidelity hands over grey images with three equal channels.
        x = normalize(images[:, : self.classifier.config.channels])
        features = self.classifier.features(x)
        outputs = {"features": features}
        if "logits" in self.features_list:
            outputs["logits"] = self.classifier.head(features).float()
        return tuple(outputs[name] for name in self.features_list)


register_feature_extractor(EMBEDDED, EmbeddedFeatures)


class Clip(FeatureExtractorCLIP):  # type: ignore[misc]
    """Of the tensors alone: the published file is a program, which torch-fidelity's own would run."""

    def __init__(self, path: Path) -> None:
        FeatureExtractorBase.__init__(self, "clip", ["clip"])
        self.feature_extractor_internal_dtype = torch.float32
        self.model = build_model(clip_tensors(path), torch.float32)
        self.resolution = self.INPUT_IMAGE_SIZE = self.model.visual.input_resolution


def clip_tensors(path: Path) -> dict[str, Tensor]:
    """Of the published file itself, known by its hash, or of any that holds nothing but its tensors."""
    if sha256(path).startswith(PRETRAINED["clip"].source.sha256):
        return dict(torch.jit.load(path, map_location="cpu").state_dict())
    return dict(load_tensors(path))


class Dino(FeatureExtractorDinoV2):  # type: ignore[misc]
    """With our network: torch-fidelity's own comes as a program from GitHub and takes no file."""

    def __init__(self, path: Path) -> None:
        FeatureExtractorBase.__init__(self, "dinov2", ["dinov2"])
        self.feature_extractor_internal_dtype = torch.float32
        self.model = DinoV2.of(load_tensors(path))


def tensors_only(build: Callable[..., FeatureExtractorBase], name: str, *features: str) -> Callable[[Path], Any]:
    """torch-fidelity unpickles without restraint; a file that passes this load holds tensors only."""

    def load(path: Path) -> FeatureExtractorBase:
        load_tensors(path)
        return build(name, list(features), feature_extractor_weights_path=str(path))

    return load


class Pretrained(NamedTuple):
    source: Source
    load: Callable[[Path], Any]  # -> (N, 3, H, W) uint8 -> features (N, d) and, of some, logits (N, K)


DINOV2 = "https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth"
VGG16 = "https://download.pytorch.org/models/vgg16-397923af.pth"
CLIP = "clip-vit-b-32"

PRETRAINED = {
    "inception": Pretrained(
        Source("torch-fidelity's Inception", URL_INCEPTION_V3, "6726825d"),
        tensors_only(FeatureExtractorInceptionV3, "inception-v3-compat", "2048", "logits_unbiased"),
    ),
    "vgg16": Pretrained(
        Source("torchvision's VGG16", VGG16, "397923af"), tensors_only(FeatureExtractorVGG16, "vgg16", "fc2_relu")
    ),
    "clip": Pretrained(Source("OpenAI's CLIP", MODEL_URLS[CLIP], MODEL_METADATA[CLIP]["hash"]), Clip),
    "dinov2": Pretrained(Source("Meta's DINOv2", DINOV2, ""), Dino),
}


def pretrained_features(name: str, path: Path) -> Any:
    """The network with the weights of this file. GanlibError when the file is not these weights."""
    source, load = PRETRAINED[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that programs are deprecated, and of files that are refused below
            return load(path).requires_grad_(False).eval()
    except (
        *(OSError, EOFError, RuntimeError, UnpicklingError),
        *(TypeError, AttributeError, KeyError, ValueError, IndexError),
    ) as error:
        reason = " ".join(str(error).split())[:100]
        raise GanlibError(f"{path} does not hold {source.name} weights ({reason}); take {source.url}.") from None
