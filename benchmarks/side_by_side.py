"""Training rate beside a public implementation of equal size: ``python -m benchmarks.side_by_side ddpm|stylegan2_ada``.

Needs ``pip install diffusers`` or ``pip install stylegan2_pytorch``, which nothing else here does. Both train in turns
in one process, on the same random images, batch, precision and threads, so that a busy machine slows them alike. Ours
does its whole step; of the other only networks and losses are timed, with plain Adam. The ratio is of the medians.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus
from torch.optim import Adam

from ganlib.devices import bf16_helps, pick_device
from ganlib.models import MODELS, Batch
from ganlib.training.step import step

SIZE, CLASSES, BATCH, WARM_UP = 32, 10, 64, 1
TrainStep = Callable[[Batch], None]


def ganlib_model(name: str, device: torch.device, **changes: Any) -> tuple[TrainStep, int]:
    config = MODELS[name].Config.from_dict({"image_size": SIZE, "num_classes": CLASSES} | changes)
    model = MODELS[name](config).to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizers = model.optimizers()

    def train_step(batch: Batch) -> None:
        for phase in model.phases():
            if phase.every == 1:  # the other implementation is timed without its lazy penalties too
                step(model, phase, optimizers[phase.optimizer], batch, bf16=bf16_helps(device))

    return train_step, model.num_parameters


def diffusers_unet(device: torch.device) -> tuple[TrainStep, int]:
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
    net = net.to(device, memory_format=torch.channels_last).train()
    optimizer = Adam(net.parameters())

    def train_step(batch: Batch) -> None:
        optimizer.zero_grad(set_to_none=True)
        t = torch.randint(1, 1000, (len(batch.images),), device=device)
        with mixed_precision(device):
            loss = mse_loss(
                net(batch.images, t, class_labels=batch.labels).sample.float(), torch.randn_like(batch.images)
            )
        loss.backward()
        optimizer.step()

    return train_step, count_parameters(net)


def lucidrains_stylegan2(device: torch.device) -> tuple[TrainStep, int]:
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
    networks.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from the stubs
    networks.train()
    optimizer_g = Adam([*networks["S"].parameters(), *networks["G"].parameters()])
    optimizer_d = Adam(networks["D"].parameters())

    def generate(n: int) -> Tensor:
        styles = networks["S"](torch.randn(n, w, device=device))[:, None].expand(-1, networks["G"].num_layers, -1)
        return networks["G"](styles, torch.rand(n, SIZE, SIZE, 1, device=device)).float()

    def train_step(batch: Batch) -> None:
        for optimizer, train_d in [(optimizer_d, True), (optimizer_g, False)]:
            networks["D"].requires_grad_(train_d)
            networks["S"].requires_grad_(not train_d)
            networks["G"].requires_grad_(not train_d)
            optimizer.zero_grad(set_to_none=True)
            with mixed_precision(device):
                fake = networks["D"](generate(len(batch.images)))[0].float()
                if train_d:
                    loss = softplus(fake).mean() + softplus(-networks["D"](batch.images)[0].float()).mean()
                else:
                    loss = softplus(-fake).mean()
            loss.backward()
            optimizer.step()

    return train_step, count_parameters(networks)


def mixed_precision(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16_helps(device))


def count_parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=["ddpm", "stylegan2_ada"])
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    device = pick_device(args.device)
    torch.manual_seed(0)
    public = {"ddpm": diffusers_unet, "stylegan2_ada": lucidrains_stylegan2}[args.model]
    changes: dict[str, Any] = {"ada_target": 0.0, "mixing": 0.0} if args.model == "stylegan2_ada" else {}
    implementations = {
        f"ganlib {args.model}": ganlib_model(args.model, device, **changes),
        public.__name__: public(device),
    }
    images = torch.rand(BATCH, 3, SIZE, SIZE, device=device) * 2 - 1
    batch = Batch(images.contiguous(memory_format=torch.channels_last), torch.randint(CLASSES, (BATCH,), device=device))
    seconds: dict[str, list[float]] = {name: [] for name in implementations}
    for _ in range(WARM_UP + args.steps):
        for name, (train_step, _) in implementations.items():
            start = time.perf_counter()
            train_step(batch)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds[name].append(time.perf_counter() - start)
    images_per_second = {name: BATCH / median(values[WARM_UP:]) for name, values in seconds.items()}
    for name, (_, size) in implementations.items():
        print(f"{name}: {size / 1e6:.2f} M parameters, {images_per_second[name]:,.1f} images/s")
    first, second = images_per_second.values()
    print(f"ratio {first / second:.2f}, batch {BATCH}, {torch.get_num_threads()} threads, {device}")


if __name__ == "__main__":
    main()
