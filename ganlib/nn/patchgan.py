"""PatchGAN: a discriminator that judges every patch of an image on its own.

Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
arXiv:1611.07004, section 3.2.2 and appendix 6.1.2; instance norm as in Zhu et al., arXiv:1703.10593, appendix 7.2
"""

from __future__ import annotations

from torch import Tensor, nn

from ganlib.errors import GanlibError


class PatchDiscriminator(nn.Module):
    """Convolutions 4 x 4, the first ``layers`` of stride 2: three of them see patches of 70 x 70 pixels."""

    def __init__(self, in_channels: int, width: int, layers: int) -> None:
        super().__init__()
        modules: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        cin = width
        for i in range(1, layers + 1):
            cout = width * min(2**i, 8)
            modules += [nn.Conv2d(cin, cout, 4, 2 if i < layers else 1, 1), nn.InstanceNorm2d(cout), nn.LeakyReLU(0.2)]
            cin = cout
        self.net = nn.Sequential(*modules, nn.Conv2d(cin, 1, 4, 1, 1)).apply(small_weights)

    def forward(self, images: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, patches) logits, high for real ones."""
        return self.net(images).flatten(1).float()


def small_weights(module: nn.Module) -> None:
    """Convolutions from N(0, 0.02), as both papers begin."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def check_patch_layers(image_size: int, layers: int) -> None:
    """GanlibError where so many strides leave no patch."""
    if image_size >> layers < 4:
        raise GanlibError(
            f"d_layers of {layers} leave no patch of {image_size} pixels; give at most "
            f"{max(image_size.bit_length() - 3, 1)}."
        )
