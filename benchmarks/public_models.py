"""Public implementations of networks that are in ganlib, for ``benchmarks.side_by_side``: one training step of each.

None of them is a dependency: ``pip install diffusers``, ``stylegan2_pytorch`` or ``torchcfm``; R3GAN is a checkout of
github.com/brownvc/R3GAN on PYTHONPATH. Networks and losses are theirs, as wide as ours, with plain Adam.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, one_hot, softplus
from torch.optim import Adam

from ganlib.devices import bf16_helps
from ganlib.models import Batch

SIZE, CLASSES = 32, 10
TrainStep = Callable[[Batch], None]


class Setting(NamedTuple):
    device: torch.device
    plain: bool = False  # single precision and contiguous tensors, as these implementations train by themselves

    def place(self, net: nn.Module) -> Any:
        memory_format = torch.contiguous_format if self.plain else torch.channels_last
        return net.to(self.device, memory_format=memory_format).train()  # type: ignore[call-overload]

    def mixed_precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=not self.plain and bf16_helps(self.device))


def diffusers_unet(setting: Setting) -> tuple[TrainStep, int]:
    from diffusers import UNet2DModel

    net = UNet2DModel(
        sample_size=SIZE,
        layers_per_block=1,
        block_out_channels=(48, 96, 96),
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=96,
        num_class_embeds=CLASSES + 1,
    )
    net = setting.place(net)
    optimizer = Adam(net.parameters())

    def train_step(batch: Batch) -> None:
        optimizer.zero_grad(set_to_none=True)
        t = torch.randint(1, 1000, (len(batch.images),), device=setting.device)
        with setting.mixed_precision():
            loss = mse_loss(
                net(batch.images, t, class_labels=batch.labels).sample.float(), torch.randn_like(batch.images)
            )
        loss.backward()
        optimizer.step()

    return train_step, count_parameters(net)


def lucidrains_stylegan2(setting: Setting) -> tuple[TrainStep, int]:
    with patch("torch.cuda.is_available", return_value=True):  # its import insists on a GPU; its networks do not
        from stylegan2_pytorch.stylegan2_pytorch import Discriminator, Generator, StyleVectorizer

    w = 128
    networks = nn.ModuleDict(
        {
            "S": StyleVectorizer(w, 2),
            "G": Generator(SIZE, w, network_capacity=16, fmap_max=104),
            "D": Discriminator(SIZE, network_capacity=8, fmap_max=104),
        }
    )
    networks = setting.place(networks)
    optimizer_g = Adam([*networks["S"].parameters(), *networks["G"].parameters()])
    optimizer_d = Adam(networks["D"].parameters())

    def generate(n: int) -> Tensor:
        styles = networks["S"](torch.randn(n, w, device=setting.device))[:, None].expand(
            -1, networks["G"].num_layers, -1
        )
        return networks["G"](styles, torch.rand(n, SIZE, SIZE, 1, device=setting.device)).float()

    def train_step(batch: Batch) -> None:
        for optimizer, train_d in [(optimizer_d, True), (optimizer_g, False)]:
            networks["D"].requires_grad_(train_d)
            networks["S"].requires_grad_(not train_d)
            networks["G"].requires_grad_(not train_d)
            optimizer.zero_grad(set_to_none=True)
            with setting.mixed_precision():
                fake = networks["D"](generate(len(batch.images)))[0].float()
                if train_d:
                    loss = softplus(fake).mean() + softplus(-networks["D"](batch.images)[0].float()).mean()
                else:
                    loss = softplus(-fake).mean()
            loss.backward()
            optimizer.step()

    return train_step, count_parameters(networks)


def torchcfm_unet(setting: Setting) -> tuple[TrainStep, int]:
    """Conditional flow matching, with the U-Net of guided diffusion that torchcfm ships."""
    from torchcfm.conditional_flow_matching import ConditionalFlowMatcher
    from torchcfm.models.unet import UNetModel

    net = setting.place(_adm_unet(UNetModel))
    matcher, optimizer = ConditionalFlowMatcher(sigma=0.0), Adam(net.parameters())

    def train_step(batch: Batch) -> None:
        optimizer.zero_grad(set_to_none=True)
        t, xt, ut = matcher.sample_location_and_conditional_flow(torch.randn_like(batch.images), batch.images)
        with setting.mixed_precision():
            loss = mse_loss(net(t, xt, batch.labels).float(), ut)
        loss.backward()
        optimizer.step()

    return train_step, count_parameters(net)


def torchcfm_edm(setting: Setting) -> tuple[TrainStep, int]:
    """EDM's loss around the same U-Net."""
    from torchcfm.models.unet import UNetModel

    net = setting.place(_adm_unet(UNetModel))
    optimizer, data = Adam(net.parameters()), 0.5

    def train_step(batch: Batch) -> None:
        optimizer.zero_grad(set_to_none=True)
        sigma = (1.2 * torch.randn(len(batch.images), 1, 1, 1, device=setting.device) - 1.2).exp()
        noisy, norm = batch.images + sigma * torch.randn_like(batch.images), (sigma**2 + data**2).sqrt()
        with setting.mixed_precision():
            output = net(sigma.flatten().log() / 4, noisy / norm, batch.labels).float()
        denoised = data**2 / norm**2 * noisy + sigma * data / norm * output
        loss = ((norm / (sigma * data)) ** 2 * (denoised - batch.images) ** 2).mean()
        loss.backward()
        optimizer.step()

    return train_step, count_parameters(net)


def _adm_unet(cls: type[nn.Module]) -> nn.Module:
    return cls(
        dim=(3, SIZE, SIZE),
        num_channels=32,
        num_res_blocks=1,
        channel_mult=(1, 2, 4),
        attention_resolutions="8",
        num_head_channels=64,
        class_cond=True,
        num_classes=CLASSES + 1,
        use_scale_shift_norm=True,
    ).train()


def public_r3gan(setting: Setting) -> tuple[TrainStep, int]:
    from R3GAN.Networks import Discriminator, Generator
    from R3GAN.Trainer import AdversarialTraining

    widths = (128, 128, 96, 48)  # at 4, 8, 16 and 32 pixels, as ours
    shape = {"ExpansionFactor": 2, "ConditionDimension": CLASSES, "ConditionEmbeddingDimension": 64}
    groups = tuple(2 * width // 16 for width in widths)
    networks = nn.ModuleDict(
        {
            "G": Generator(64, widths, groups, (1,) * 4, **shape),
            "D": Discriminator(widths[::-1], groups[::-1], (1,) * 4, **shape),
        }
    )
    networks = setting.place(networks)
    optimizers = {name: Adam(net.parameters(), betas=(0.0, 0.9)) for name, net in networks.items()}
    training = AdversarialTraining(networks["G"], networks["D"])

    def train_step(batch: Batch) -> None:
        y = one_hot(batch.labels, CLASSES).float()
        for name in ("D", "G"):
            networks["D"].requires_grad_(name == "D")
            networks["G"].requires_grad_(name == "G")
            optimizers[name].zero_grad(set_to_none=True)
            z = torch.randn(len(y), 64, device=setting.device)
            with setting.mixed_precision():
                if name == "D":
                    training.AccumulateDiscriminatorGradients(z, batch.images, y, Gamma=0.05)
                else:
                    training.AccumulateGeneratorGradients(z, batch.images, y)
            optimizers[name].step()

    return train_step, count_parameters(networks)


def count_parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


PUBLIC: dict[str, Callable[[Setting], tuple[TrainStep, int]]] = {
    "ddpm": diffusers_unet,
    "flow_matching": torchcfm_unet,
    "edm": torchcfm_edm,
    "stylegan2_ada": lucidrains_stylegan2,
    "r3gan": public_r3gan,
}
