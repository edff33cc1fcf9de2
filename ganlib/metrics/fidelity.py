"""The only file that knows torch-fidelity: its metrics, its extractors, ours for it.

Imported only where one of them is used: torchvision and torch's compiler, which it brings, take as long as all else
that an evaluation imports. Obukhov et al., 2020, doi:10.5281/zenodo.4957738.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch_fidelity import register_feature_extractor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, MODEL_URLS, FeatureExtractorCLIP, build_model
from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
from torch_fidelity.noise import batch_lerp, batch_slerp_any

from ganlib.errors import GanlibError
from ganlib.metrics.dinov2 import DinoV2
from ganlib.metrics.embedded import EmbeddedFeatures
from ganlib.metrics.weights import Source, sha256
from ganlib.runs import Run
from ganlib.tensors import load_tensors

EMBEDDED = "ganlib-embedded"
LARGEST_LOG_ODDS = 700.0  # exp of it is still a float64


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


class EmbeddedExtractor(FeatureExtractorBase):  # type: ignore[misc]  # torch-fidelity has no types
    """A classifier run as torch-fidelity's extractor; the run's folder stands in for the weights' path."""

    def __init__(self, name: str, features_list: list[str], feature_extractor_weights_path: str, **_: Any) -> None:
        super().__init__(name, features_list)
        self.network = EmbeddedFeatures(Run(Path(feature_extractor_weights_path)))

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
        outputs = dict(zip(("features", "logits"), self.network(images), strict=True))
        return tuple(outputs[name] for name in self.features_list)


register_feature_extractor(EMBEDDED, EmbeddedExtractor)


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
