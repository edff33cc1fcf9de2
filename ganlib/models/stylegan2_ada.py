"""StyleGAN2-ADA: styles drive a synthesis network; D's images are augmented adaptively, by how much D overfits.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020,
arXiv:1912.04958: mapping network, modulated convolution, skip generator, residual D, lazy R1 and path length.
Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative Adversarial Networks with Limited Data", NeurIPS
2020, arXiv:2006.06676: adaptive augmentation, class conditions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.optim import Adam, Optimizer

from ganlib.augment import ada_augment
from ganlib.config import option
from ganlib.losses import nonsaturating_d, nonsaturating_g, path_lengths, r1
from ganlib.models.attributes import AttributesConfig, EmbedsAttributes
from ganlib.models.contract import MODELS, MOST_IMAGES, MOST_LAYERS, Batch, Latents, Phase, Trainable
from ganlib.models.options import Option, per_image
from ganlib.nn.equalized import PixelNorm, equalize
from ganlib.nn.minibatch import JoinStatistics, MinibatchStddev
from ganlib.nn.modulated import ModulatedConv2d
from ganlib.nn.resample import downsample_2x, upsample_2x

MEAN_W_SEEDS = 1_000  # seeds over which the mean w of truncation is measured
ADA_INTERVAL = 256  # real images between two adjustments of p
NOISE_STREAM = 2**32  # beyond all seeds: a seed's noise differs from its z

TRUNCATION = Option(
    "truncation",
    1.0,
    "ψ: styles at this multiple of their distance from the mean style. Lower is more typical and more alike.",
    min=0.0,
    max=1.5,
    step=0.05,
)
NOISE = Option(
    "noise",
    "of the seed",
    "Fine detail, such as the place of each petal's edge: each seed's own, or the same for all.",
    kind="choice",
    choices=("of the seed", "held"),
)
MIX_SEED = Option("mix_seed", None, "Styles from the mix layer on are this seed's; empty = its own.", kind="seed")


@dataclass(frozen=True)
class StyleGAN2ADAConfig(AttributesConfig):
    class_conditional: bool = option(True, "condition on the class, where the data set has classes")
    condition: Literal["projection", "embedding"] = option(
        "projection",
        "how D is conditioned on the class: by projection, or by an embedding concatenated to its features",
    )
    z_dim: int = option(128, "latent dimension", min=1)
    w_dim: int = option(128, "dimension of styles", min=1)
    mapping_layers: int = option(2, "layers from latents to styles", min=1, max=MOST_LAYERS)
    width: int = option(32, "channels at the highest resolution, doubled at each lower one", min=1)
    max_width: int = option(128, "most channels at any resolution", min=1)
    lr: float = option(2.5e-3, "Adam's learning rate", min=0.0)
    beta2: float = option(0.99, "Adam's β2; β1 is 0", min=0.0, max=0.9999)
    mapping_rate: float = option(0.01, "learning rate multiplier of the mapping network", min=1e-4, max=1.0)
    mixing: float = option(0.9, "probability of style mixing", min=0.0, max=1.0)
    r1_weight: float = option(0.1, "γ of the R1 penalty, taken as γ/2", min=0.0)
    r1_every: int = option(16, "steps of D to one of its penalty", min=1)
    path_weight: float = option(2.0, "weight of path-length regularisation of G, 0 = off", min=0.0)
    path_every: int = option(4, "steps of G to one of its regularisation", min=1)
    ada_target: float = option(
        0.6, "r_t, the mean sign of D on real images, to hold; 0 = no augmentation", min=0, max=1
    )
    ada_images: int = option(100_000, "images in which p can go from 0 to 1", min=1, max=MOST_IMAGES)

    @classmethod
    def tiny(cls) -> StyleGAN2ADAConfig:
        return cls(
            image_size=16, channels=1, num_classes=3, z_dim=8, w_dim=8, width=4, max_width=8, r1_every=2, path_every=2
        )

    @property
    def label_width(self) -> int:
        return super().label_width if self.class_conditional else 0

    @property
    def widths(self) -> list[int]:
        """Channels at 4, 8, … pixels."""
        sizes = [4 << i for i in range(self.image_size.bit_length() - 2)]
        return [min(self.width * self.image_size // size, self.max_width) for size in sizes]

    @property
    def num_ws(self) -> int:
        """Number of w vectors of an image: one at 4 pixels, two at each higher resolution, one for the last toRGB."""
        return 2 * len(self.widths)


class Mapping(nn.Module):
    """Mapping network: z and class to w."""

    def __init__(self, c: StyleGAN2ADAConfig) -> None:
        super().__init__()
        width = c.z_dim
        if c.label_width:
            self.embed = equalize(nn.Linear(c.label_width, c.w_dim), gain=sqrt(c.label_width))
            width += c.w_dim
        layers: list[nn.Module] = []
        for i in range(c.mapping_layers):
            linear = nn.Linear(c.w_dim if i else width, c.w_dim)
            layers += [equalize(linear, rate=c.mapping_rate), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers)
        self.norm = PixelNorm()

    def forward(self, z: Tensor, y: Tensor | None) -> Tensor:
        """(N, z_dim), (N, label_width) weights or None -> (N, w_dim)."""
        parts = [self.norm(z)] if y is None else [self.norm(z), self.norm(self.embed(y))]
        return self.net(torch.cat(parts, dim=1)).float()


class StyledConv(nn.Module):
    """Modulated convolution, noise, bias, LeakyReLU 0.2."""

    def __init__(self, cin: int, cout: int, w_dim: int, *, upsample: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(cin, cout, 3, w_dim, upsample=upsample)
        self.bias = nn.Parameter(torch.zeros(cout))
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        h = self.conv(x, w)
        h = h + (self.strength * noise).to(h.dtype) + self.bias[:, None, None].to(h.dtype)
        return leaky_relu(h, 0.2) * sqrt(2)


class Synthesis(nn.Module):
    """Synthesis network with skip connections: each resolution adds its RGB output to the lower one's (figure 7b)."""

    def __init__(self, c: StyleGAN2ADAConfig) -> None:
        super().__init__()
        chs = c.widths
        self.start = nn.Parameter(torch.randn(chs[0], 4, 4))
        self.first = StyledConv(chs[0], chs[0], c.w_dim)
        self.ups = nn.ModuleList(StyledConv(a, b, c.w_dim, upsample=True) for a, b in pairwise(chs))
        self.convs = nn.ModuleList(StyledConv(b, b, c.w_dim) for b in chs[1:])
        self.colours = nn.ModuleList(ModulatedConv2d(b, c.channels, 1, c.w_dim, demodulate=False) for b in chs)
        self.bias = nn.Parameter(torch.zeros(len(chs), c.channels))
        self.noise_resolutions = [4, *(4 << i for i in range(1, len(chs)) for _ in range(2))]

    def forward(self, ws: Tensor, noise: Tensor) -> Tensor:
        """(N, num_ws, w_dim), (N, values of all layers' noise) -> (N, C, H, W) without bounds."""
        maps = noise.split([side**2 for side in self.noise_resolutions], dim=1)
        noises = [m.unflatten(1, (1, side, side)) for m, side in zip(maps, self.noise_resolutions, strict=True)]
        h = self.first(self.start.expand(ws.shape[0], -1, -1, -1), ws[:, 0], noises[0])
        image = self.to_rgb(0, h, ws[:, 1])
        for i, (up, conv) in enumerate(zip(self.ups, self.convs, strict=True), 1):
            h = up(h, ws[:, 2 * i - 1], noises[2 * i - 1])
            h = conv(h, ws[:, 2 * i], noises[2 * i])
            image = upsample_2x(image) + self.to_rgb(i, h, ws[:, 2 * i + 1])
        return image

    def to_rgb(self, i: int, h: Tensor, w: Tensor) -> Tensor:
        return self.colours[i](h, w).float() + self.bias[i, :, None, None]


class Generator(nn.Module):
    """``mean_styles``: mean w of each class, for truncation; ``held_noise``: the constant noise input."""

    mean_styles: Tensor
    held_noise: Tensor

    def __init__(self, c: StyleGAN2ADAConfig) -> None:
        super().__init__()
        self.mapping, self.synthesis = Mapping(c), Synthesis(c)
        self.register_buffer("mean_styles", torch.zeros(c.num_classes if c.label_width else 1, c.w_dim))
        self.register_buffer("held_noise", torch.randn(sum(side**2 for side in self.synthesis.noise_resolutions)))


class DiscriminatorBlock(nn.Module):
    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv1 = equalize(nn.Conv2d(cin, cin, 3, padding=1))
        self.conv2 = equalize(nn.Conv2d(cin, cout, 3, padding=1))
        self.shortcut = equalize(nn.Conv2d(cin, cout, 1, bias=False), gain=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H / 2, W / 2)."""
        h = leaky_relu(self.conv1(x), 0.2)
        h = leaky_relu(self.conv2(downsample_2x(h)), 0.2)
        return (h + self.shortcut(downsample_2x(x))) / sqrt(2)


class Discriminator(nn.Module):
    def __init__(self, c: StyleGAN2ADAConfig) -> None:
        super().__init__()
        chs = c.widths[::-1]
        self.embedded = c.condition == "embedding"
        self.from_image = equalize(nn.Conv2d(c.channels, chs[0], 1))
        self.blocks = nn.ModuleList(DiscriminatorBlock(a, b) for a, b in pairwise(chs))
        self.join = JoinStatistics([MinibatchStddev()])
        self.conv = equalize(nn.Conv2d(chs[-1] + self.join.extra, chs[-1], 3, padding=1))
        self.features = equalize(nn.Linear(chs[-1] * 16, chs[-1]))
        joined = chs[-1] if self.embedded and c.label_width else 0
        self.linear = equalize(nn.Linear(chs[-1] + joined, 1), gain=1)
        if c.label_width:
            self.embed = equalize(nn.Linear(c.label_width, chs[-1], bias=False), gain=sqrt(c.label_width))

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, C, H, W), (N, label_width) weights or None -> (N,) logits."""
        h = leaky_relu(self.from_image(x), 0.2)
        for block in self.blocks:
            h = block(h)
        h = leaky_relu(self.conv(self.join(h)), 0.2)
        h = leaky_relu(self.features(h.flatten(1)), 0.2)
        if y is None:
            return self.linear(h).squeeze(1).float()
        if self.embedded:
            return self.linear(torch.cat([h, self.embed(y)], dim=1)).squeeze(1).float()
        return (self.linear(h).squeeze(1) + (self.embed(y) * h).sum(1) / sqrt(h.shape[1])).float()


@MODELS.register("stylegan2_ada")
class StyleGAN2ADA(EmbedsAttributes):
    family = "GAN"
    display_name = "StyleGAN2-ADA"
    colour = 4
    Config = StyleGAN2ADAConfig
    config: StyleGAN2ADAConfig
    ema_modules = ("G",)
    summed_buffers = ("signs",)
    spaces = {"z": "slerp", "w": "lerp", "w+": "lerp"}
    loss_kind = "non-saturating + R1"
    training_defaults = {"batch_size": 16}  # measured on digits: far ahead of 64 at the same number of images
    p: Tensor
    mean_path: Tensor
    signs: Tensor

    def __init__(self, config: StyleGAN2ADAConfig) -> None:
        super().__init__(config)
        self.G, self.D = Generator(config), Discriminator(config)
        mix_layer = Option(
            "mix_layer",
            config.num_ws // 2,
            "The first layer with the mix seed's styles: early ones decide the layout, late ones colour and detail.",
            kind="int",
            min=0,
            max=config.num_ws - 1,
            needs=MIX_SEED.name,
        )
        self.options = (TRUNCATION, NOISE, MIX_SEED, mix_layer)
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("mean_path", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(2))  # of D on real images since p last changed: sum, number

    @property
    def conditional(self) -> bool:
        return self.config.label_width > 0

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        optimizers: dict[str, Optimizer] = {}
        for name, net, every in [("D", self.D, c.r1_every), ("G", self.G, c.path_every if c.path_weight else 0)]:
            # Lazy regularisation every k steps: Adam's rate and β2 are corrected by c = k / (k + 1) (appendix B).
            ratio = every / (every + 1) if every else 1.0
            optimizers[name] = Adam(net.parameters(), c.lr * ratio, (0.0, c.beta2**ratio))
        return optimizers

    def phases(self) -> list[Phase]:
        c = self.config
        phases = [Phase("D", "D", self.loss_d)]
        if c.r1_weight:
            phases.append(Phase("R1", "D", self.loss_r1, every=c.r1_every, autocast=False))
        phases.append(Phase("G", "G", self.loss_g))
        if c.path_weight:
            phases.append(Phase("path", "G", self.loss_path, every=c.path_every, autocast=False))
        return phases

    def on_images(self, images_seen: int) -> tuple[str, ...]:
        """p rises while D's mean sign on real images, r_t, is above its target, and falls below (section 3.1)."""
        if not self.config.ada_target:
            self.p.zero_()  # a start from a run that adapted it brings it along
        total, n = self.signs.tolist()
        if n >= ADA_INTERVAL:
            if self.config.ada_target:
                rise = n / self.config.ada_images * (1 if total / n > self.config.ada_target else -1)
                self.p.add_(rise).clamp_(0, 1)
            self.signs.zero_()
        return ()

    def loss_d(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        y = self.embedding_weights(self.labels_if_conditional(batch.labels))
        # In separate passes, so that minibatch standard deviation does not mix them.
        real = self.D(self.augment(batch.images), y)
        fake = self.D(self.augment(self.sample_training_images(len(batch.images), y)[0]), y)
        sign = real.detach().sign()
        self.signs += torch.stack([sign.sum(), sign.new_tensor(len(sign))])
        logs = {"D/real": real.mean(), "D/fake": fake.mean(), "ada/r_t": sign.mean(), "ada/p": self.p.clone()}
        return nonsaturating_d(real, fake), logs

    def loss_r1(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """On augmented images, since the augmentation has no second derivative."""
        y = self.embedding_weights(self.labels_if_conditional(batch.labels))
        penalty = r1(lambda x: self.D(x, y), self.augment(batch.images))
        return 0.5 * self.config.r1_weight * self.config.r1_every * penalty, {"D/r1": penalty}

    def loss_g(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        y = self.embedding_weights(self.labels_if_conditional(batch.labels))
        images, _ = self.sample_training_images(len(batch.images), y)
        return nonsaturating_g(self.D(self.augment(images), y)), {}

    def loss_path(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """On half a batch (section 3.2), relative to the moving average of path lengths."""
        n = max(len(batch.images) // 2, 1)
        images, ws = self.sample_training_images(
            n, self.embedding_weights(self.labels_if_conditional(batch.labels[:n]))
        )
        lengths = path_lengths(images, ws)
        self.mean_path.lerp_(lengths.detach().mean(), 0.01 if self.mean_path > 0 else 1.0)
        penalty = (lengths - self.mean_path).square().mean()
        return self.config.path_weight * self.config.path_every * penalty, {"G/path": lengths.mean()}

    def sample_training_images(self, n: int, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """For training: n unbounded images (N, C, H, W) and their ws (N, num_ws, w_dim), with style mixing."""
        num_ws, z = self.config.num_ws, torch.randn(2, n, self.config.z_dim, device=self.device)
        w1, w2 = (self.G.mapping(part, y)[:, None].expand(-1, num_ws, -1) for part in z)
        cutoff = torch.randint(1, num_ws, (n,)).where(torch.rand(n) < self.config.mixing, torch.tensor(num_ws))
        ws = torch.where((torch.arange(num_ws) < cutoff[:, None]).to(self.device)[:, :, None], w1, w2)
        noise = torch.randn(n, len(self.G.held_noise), device=self.device)
        return self.G.synthesis(ws, noise), ws

    def augment(self, images: Tensor) -> Tensor:
        return ada_augment(images, self.p.item())

    @torch.no_grad()
    def before_saving(self, trained: Trainable) -> None:
        """Measures the mean w of each class (w_avg), always over the same seeds."""
        z = self.latents(range(MEAN_W_SEEDS)).z
        means = self.G.mean_styles
        for row, weights in enumerate(torch.eye(len(means), device=self.device)):
            y = self.embedding_weights(weights.expand(MEAN_W_SEEDS, -1) if self.conditional else None)
            means[row] = self.G.mapping(z, y).mean(0)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.z_dim,)

    def map(self, latents: Latents, labels: Tensor | None = None, space: str = "z") -> Latents:
        """w+ is w once for each layer, (N, num_ws, w_dim): Abdal, Qin, Wonka, arXiv:1904.03189."""
        if (latents.space, space) == ("z", "w"):
            return replace(latents, z=self.G.mapping(latents.z, self.embedding_weights(labels)), space="w")
        if latents.space in ("z", "w") and space == "w+":
            w = self.map(latents, labels, "w").z
            return replace(latents, z=w[:, None].expand(-1, self.config.num_ws, -1), space="w+")
        return super().map(latents, labels, space)

    def generate(
        self,
        latents: Latents,
        labels: Tensor | None = None,
        *,
        truncation: float | Tensor = 1.0,
        noise: str = "of the seed",
        mix_seed: int | Tensor | None = None,
        mix_layer: int | Tensor | None = None,
    ) -> Tensor:
        y = self.embedding_weights(labels)
        ws = self.map(latents, labels, "w+").z
        if mix_seed is not None:
            ws = self.mix_styles(ws, y, mix_seed, self.config.num_ws // 2 if mix_layer is None else mix_layer)
        mean = self.class_weights(labels) @ self.G.mean_styles if self.conditional else self.G.mean_styles
        ws = mean[:, None] + per_image(truncation, ws) * (ws - mean[:, None])
        layer_noise = self.G.held_noise.expand(ws.shape[0], -1) if noise == "held" else self.layer_noise(latents.seeds)
        return self.G.synthesis(ws, layer_noise).clamp(-1, 1)

    def mix_styles(self, ws: Tensor, y: Tensor | None, seed: int | Tensor, layer: int | Tensor) -> Tensor:
        """ws with those of ``seed`` from ``layer`` on; unchanged where the seed is NaN."""
        seeds = torch.as_tensor(seed, dtype=torch.float64).expand(len(ws))
        z = self.latents(seeds.nan_to_num(0).long().tolist()).z
        mixed_ws = self.G.mapping(z, y)[:, None]
        first = torch.as_tensor(layer).expand(len(ws)).where(~seeds.isnan(), torch.tensor(self.config.num_ws))
        return torch.where((torch.arange(self.config.num_ws) >= first[:, None]).to(ws.device)[:, :, None], mixed_ws, ws)

    def layer_noise(self, seeds: Tensor) -> Tensor:
        """(N,) -> (N, values of all layers' noise), the same on every device."""
        values, generator = torch.empty(len(seeds), len(self.G.held_noise)), torch.Generator()
        for row, seed in zip(values, seeds.tolist(), strict=True):
            row.normal_(generator=generator.manual_seed(NOISE_STREAM + seed))
        return values.to(self.device)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """(N, C, H, W), labels -> (N,) logits, high for real images of that class."""
        return self.D(images, self.embedding_weights(labels))
