"""Conditional DCGAN: the class joined to both inputs of a DCGAN.

Mirza, Osindero, "Conditional Generative Adversarial Nets", 2014, arXiv:1411.1784, on the networks of
Radford et al., arXiv:1511.06434: a one-hot vector beside z, one constant map per class beside the image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.models.contract import MODELS, Latents
from ganlib.models.dcgan import DCGAN, DCGANConfig
from ganlib.models.options import per_image


@MODELS.register("cdcgan")
class CDCGAN(DCGAN):
    display_name = "Conditional DCGAN"
    colour = 1

    def __init__(self, config: DCGANConfig) -> None:
        if config.num_classes < 2:
            raise GanlibError("cdcgan needs a data set with at least two classes; dcgan does without.")
        super().__init__(config)

    @property
    def conditional(self) -> bool:
        return True

    def generate(self, latents: Latents, labels: Tensor | None = None, *, temperature: float | Tensor = 1.0) -> Tensor:
        z = latents.z * per_image(temperature, latents.z)
        return self.G(torch.cat([z, self.class_weights(labels)], dim=1))

    def features_and_logits(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W), labels -> D's features (N, …) and logits (N,), high for real images of that class."""
        maps = self.class_weights(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return self.D.features_and_logits(torch.cat([images, maps], dim=1))
