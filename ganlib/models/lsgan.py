"""LSGAN: least squares instead of cross-entropy, on DCGAN's networks.

Mao, Li, Xie, Lau, Wang, Smolley, "Least Squares Generative Adversarial Networks", ICCV 2017, arXiv:1611.04076:
fakes far on the right side of the decision boundary still cost something, so G's gradient does not vanish.
"""

from __future__ import annotations

from torch import Tensor

from ganlib.losses import least_squares_d, least_squares_g
from ganlib.models.contract import MODELS
from ganlib.models.dcgan import DCGAN


@MODELS.register("lsgan")
class LSGAN(DCGAN):
    display_name = "LSGAN"
    colour = 9
    loss_kind = "least squares"

    def d_loss(self, real: Tensor, fake: Tensor, target: Tensor | float = 1.0) -> Tensor:
        return least_squares_d(real, fake, target)

    def g_loss(self, fake: Tensor) -> Tensor:
        return least_squares_g(fake)
