"""The interface of every architecture to the trainer, the sampler and the dashboard.

Trainable                 has optimizers and phases: the trainer needs no more
├── GenerativeModel       turns seeds into images: the sampler and the dashboard need no more
└── ImageToImage          turns images into images; in ``ganlib.models.image_to_image``

Optional abilities, such as encoding images: ``ganlib.models.abilities``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import init
from torch.nn.functional import normalize
from torch.optim import Optimizer
from torch.overrides import TorchFunctionMode

from ganlib.config import Config, check_bounds, option
from ganlib.errors import GanlibError
from ganlib.models.options import SEED_LIMIT, Option
from ganlib.registry import Registry

Family = Literal["GAN", "VAE", "diffusion", "flow", "autoregressive", "image-to-image", "classifier"]

LARGEST_SIZE = 65_536  # of any width, dimension or count
MOST_VALUES = 64  # of a field that has several
MOST_LAYERS = 64
MOST_IMAGES = 2**53  # the bound of fields that count images or steps
MOST_ELEMENTS = 2**31  # of a model's parameters and buffers, 8 GB

MODELS: Registry[type[Trainable]] = Registry("model")


@dataclass(frozen=True)
class ModelConfig(Config):
    """Base of every architecture's config. ``tiny()`` gives the smallest useful one, for tests."""

    image_size: int = option(32, "height and width of the images, a power of two", min=8, max=1024)
    channels: int = option(3, "image channels", min=1, max=4)
    num_classes: int = option(0, "classes of the data set, 0 where it has none", min=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for f in fields(self):
            self._check_size(f.name, getattr(self, f.name), f.metadata["max"])
        if self.image_size & (self.image_size - 1):
            raise GanlibError(f"image_size must be a power of two, not {self.image_size}.")

    @staticmethod
    def _check_size(name: str, value: Any, bound: float | None) -> None:
        """Widths, dimensions and counts without a bound of their own: a damaged file may ask for 10^30 channels."""
        items = value if isinstance(value, tuple) else (value,)
        if len(items) > MOST_VALUES:
            raise GanlibError(f"{name} must have at most {MOST_VALUES} values, not {len(items):,}.")
        for item in items:
            if isinstance(item, int) and bound is None:
                check_bounds(name, item, None, LARGEST_SIZE, given=item)

    @classmethod
    def tiny(cls) -> Self:
        return cls(image_size=16, channels=1, num_classes=3)


class Batch(NamedTuple):
    images: Tensor  # (N, C, H, W) in [-1, 1]
    labels: Tensor  # (N,) int64; -1 = unlabelled


@dataclass(frozen=True)
class Phase:
    """One optimiser step: ``loss(batch) -> (scalar, logs)`` is minimised over ``optimizer``'s parameters."""

    name: str
    optimizer: str
    loss: Callable[[Batch], tuple[Tensor, dict[str, Tensor]]]
    every: int = 1
    autocast: bool = True


class Trainable(nn.Module, ABC):
    """Anything the trainer can train. Subclasses build their networks from ``config`` alone."""

    family: ClassVar[Family]
    """Kind of model, by which lists and charts group architectures."""
    display_name: ClassVar[str]
    """The architecture's name as papers write it, unique in the registry."""
    colour: ClassVar[int]
    """Index into the palette of ``ganlib.figures``: the architecture has this colour in every chart."""
    Config: ClassVar[type[ModelConfig]]
    ema_modules: ClassVar[tuple[str, ...]] = ()
    """Names of the child modules that generate: the run saves an exponential moving average of their weights."""
    summed_buffers: ClassVar[tuple[str, ...]] = ()
    """Names of buffers that count images: where a batch is dealt over processes or micro-batches, the sums over them
    are kept. Other floating buffers are averaged."""
    in_pairs: ClassVar[bool] = False
    """Whether the second half of each batch are other images of the first half's classes, in the same order."""
    drawn_buffers: ClassVar[tuple[str, ...]] = ()
    """Names of floating buffers into which a loss draws from its batch, of which no mean is meant: there the first
    part's are kept."""
    loss_kind: str = ""
    """Name of the loss, shown beside the curves."""
    training_defaults: ClassVar[dict[str, Any]] = {}
    """Training settings of the paper where they differ from ``TrainingConfig``'s defaults."""
    mirrors_batches: bool = False
    """Whether the losses mirror images themselves where the run does, which ``mirror`` says; else its batches are."""
    mirror: bool = False
    """Whether the run mirrors images at random; set before its first step."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """Fresh optimisers by name, each over its own parameters."""

    @abstractmethod
    def phases(self) -> list[Phase]:
        """The phases of one step, in order."""

    def before_training(self) -> None:
        """Called once on a new run's freshly initialised model. May download weights; GanlibError where it cannot."""
        return

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        """Called before every step. May change buffers; returns the names of optimisers to reset."""
        return ()

    @property
    def needs_labels(self) -> bool:
        """Whether each training image must have its class; else some may be unlabelled."""
        return False

    def check_budget(self, images: int) -> None:
        """GanlibError where a training of so many images, 0 = no limit, would end before it has led to anything."""
        return

    def batch_size(self, images_seen: int, default: int) -> int:
        """Batch size of the step after ``images_seen``; ``default`` is the run's."""
        return default

    def before_saving(self, trained: Trainable) -> None:
        """Called on the averaged model before its images and weights are saved. May change its buffers.

        trained: the same model with its last weights and all its buffers, to be left as it is.
        """
        return

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())


@dataclass(frozen=True)
class Latents:
    """Points of a latent space, and the seeds of any further noise: ``generate`` is a function of these."""

    z: Tensor  # (N, …); in the space z (N, *latent_shape)
    seeds: Tensor  # (N,) int64 on the CPU; of any further noise
    space: str = "z"  # one of the model's ``spaces``

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, part: slice | Tensor) -> Latents:
        return Latents(self.z[part], self.seeds[part], self.space)


@lru_cache(maxsize=256)  # several seeds of an experiment are of one config, and it takes 15 ms
def blueprint(model: type[Trainable], config: ModelConfig) -> Trainable:
    """The model without weights or memory, on the meta device: for what shapes alone can tell. Equal ones are shared.

    GanlibError for a config that passes its fields' bounds and still describes no network, or one beyond any memory.
    """
    try:
        with torch.device("meta"), _Uninitialised():
            built = model(config)
    except (RuntimeError, TypeError, ValueError, OverflowError, ArithmeticError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GanlibError(f"No network follows from this config ({reason}); choose smaller or other values.") from None
    elements = sum(tensor.numel() for tensor in (*built.parameters(), *built.buffers()))
    if elements > MOST_ELEMENTS:
        raise GanlibError(
            f"The network of this config has {elements:,} numbers, more than {MOST_ELEMENTS:,}; choose smaller widths."
        )
    return built


class _Uninitialised(TorchFunctionMode):
    """Leaves out what only fills tensors: without memory it has no effect, and spectral norms iterate for seconds.

    What is left needs none of torch's operators in Python, whose import alone takes two seconds.
    """

    SKIPPED = frozenset({normalize, Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.clamp_min_})

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in self.SKIPPED or getattr(func, "__module__", "") == init.__name__:
            return args[0] if args else kwargs["tensor"]
        if func is torch.randn:
            return torch.empty(*args, **kwargs)
        if func in (torch.mv, torch.vdot):  # of a power iteration, whose norm then divides the weights
            return args[0].select(-1, 0)
        if func is Tensor.div and isinstance(args[1], Tensor) and args[1].ndim == 0:
            return args[0]
        if func is Tensor.mul and isinstance(args[1], float):  # of an equalised learning rate
            return args[0]
        return func(*args, **kwargs)


class GenerativeModel(Trainable):
    """Seeds in, images out."""

    options: tuple[Option, ...] = ()
    """Keyword options of ``generate``. Where they depend on the config, ``__init__`` sets them."""
    spaces: ClassVar[dict[str, str]] = {"z": "slerp"}
    """Latent spaces in the order of the forward pass, each with its interpolation: "slerp" where points are
    Gaussian, else "lerp"."""
    differentiable: ClassVar[bool] = True
    """Whether images have gradients with respect to latents; not where these choose among levels or codes."""

    @property
    def conditional(self) -> bool:
        """Whether ``generate`` takes labels. A model trained with classes may still generate without them."""
        return self.config.num_classes > 0

    @property
    def needs_labels(self) -> bool:
        return self.conditional

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent, without the batch axis."""

    @abstractmethod
    def generate(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Tensor:
        """Latents of any space -> (N, C, H, W) in [-1, 1]. Labels are (N,) int64, or (N, K) weights that mix classes.

        Options are scalars or hold one value per image. Unconditional models take no labels.
        """

    def trace(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Iterator[Tensor]:
        """Intermediate results of ``generate``; the last one is its result. One-shot models yield it alone.

        -> (N, C, h, w) in [-1, 1] each; early ones may be smaller than the image.
        """
        yield self.generate(latents, labels, **options)

    def stages(self, **options: Any) -> int:
        """Number of results that ``trace`` yields with these options."""
        return 1

    def latents(self, seeds: Iterable[int]) -> Latents:
        """One CPU generator per seed, so that a seed gives the same image in any batch, on any device."""
        seeds = list(seeds)
        for seed in seeds:
            if not 0 <= seed < SEED_LIMIT:
                raise GanlibError(f"A seed is a whole number from 0 to {SEED_LIMIT - 1}, not {seed}.")
        generator = torch.Generator()
        z = torch.empty(len(seeds), *self.latent_shape)
        for row, seed in zip(z, seeds, strict=True):
            row.normal_(generator=generator.manual_seed(seed))
        return Latents(z.to(self.device), torch.tensor(seeds, dtype=torch.int64))

    def map(self, latents: Latents, labels: Tensor | None = None, space: str = "z") -> Latents:
        """Latents of the same images in a later ``space``; GanlibError where the model has no such mapping."""
        if space != latents.space:
            spaces = ", ".join(self.spaces)
            raise GanlibError(f"This model maps no latents from {latents.space} to {space!r}; its spaces are {spaces}.")
        return latents

    def random_latents(self, n: int) -> Latents:
        """n latents from the global random state; for training only."""
        z = torch.randn(n, *self.latent_shape, device=self.device)
        return Latents(z, torch.randint(SEED_LIMIT, (n,)))

    def class_weights(self, labels: Tensor | None) -> Tensor:
        """(N,) int64 or (N, K) weights -> (N, K) float32; GanlibError where labels are missing or out of range."""
        k = self.config.num_classes
        if labels is None:
            raise GanlibError(f"This model is conditional on {k} classes: give each image a class.")
        if labels.ndim == 1:
            # Checked on the CPU, where users' labels are; on a GPU the check would synchronise every training step.
            if labels.device.type == "cpu" and len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < k:
                raise GanlibError(f"Classes are numbered 0 to {k - 1}; got {labels.tolist()[:8]}.")
            return nn.functional.one_hot(labels.to(self.device), k).float()
        if labels.shape[1] != k:
            raise GanlibError(f"Class weights need {k} columns, not {labels.shape[1]}.")
        return labels.float().to(self.device)

    def labels_if_conditional(self, labels: Tensor) -> Tensor | None:
        """A batch's labels where the model is conditional, else None."""
        return labels if self.conditional else None

    def embedding_weights(self, labels: Tensor | None) -> Tensor | None:
        """(N, K) class weights where the model is conditional, else None."""
        if self.conditional:
            return self.class_weights(labels)
        self.refuse_labels(labels)
        return None

    def refuse_labels(self, labels: Tensor | None) -> None:
        """GanlibError where an unconditional model is given labels."""
        if labels is not None:
            raise GanlibError("This model is unconditional: it has no classes to choose from or to mix.")
