"""What the values of a run's losses mean, by the kind of its loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log
from typing import Any


@dataclass(frozen=True)
class Objective:
    """Landmarks on the scales of the two losses; one that a loss does not have is infinite: no curve gets there.

    D's loss is the sum over real and generated images. Some tools log the mean of the two, which halves it.
    """

    name: str
    adversarial: bool = True
    bounded: bool = True  # D's loss cannot fall below 0 and has a scale of its own
    saturating: bool = False  # G's gradient fades where D is sure of itself
    level: float = 0.0  # D's loss where it cannot tell: a scale to compare with
    won: float = -inf  # D's loss below which it has won
    beaten: float = inf  # G's loss above which D takes hardly any generated image for real
    chance: float = inf  # D's loss where it cannot tell, if nothing else is in the loss
    fooled: float = -inf  # G's loss below which D takes nearly all generated images for real


# Goodfellow et al., arXiv:1406.2661: D's loss is -log D(x) - log(1 - D(G(z))), which is 2 log 2 at D = 1/2.
# Won: D is 99 % sure of every image, -2 log 0.99. Measured: windows of StudioGAN's collapsed DCGAN lie at 0.001 to
# 0.014; the lowest of healthy logs is 0.04 (ganlib's digits-cdcgan, for a moment), of StyleGAN2 0.2.
# Beaten: D(G(z)) = 1/1000. Fooled: D(G(z)) = 90 %.
CROSS_ENTROPY = Objective(
    "cross-entropy", level=2 * log(2), won=0.02, beaten=log(1000), chance=2 * log(2), fooled=-log(0.9)
)
# The same D, while G minimises log(1 - D(G(z))): near 0 where D is sure, log 0.1 at D(G(z)) = 90 %.
MINIMAX = replace(CROSS_ENTROPY, name="minimax", saturating=True, beaten=inf, fooled=log(0.1))
# Lim & Ye, arXiv:1705.02894: 2 where all outputs are 0; 0 where all lie outside the margins, and then D learns nothing.
# It falls near 0 in good runs too (Brock et al., arXiv:1809.11096, section 4.2; 0.013 at the best FID of StudioGAN's
# ImageNet BigGAN): won is ten times below that. G's loss is -E[D(G(z))]; -1 is the margin of the real images.
HINGE = Objective("hinge", level=2.0, won=0.001, chance=2.0, fooled=-1.0)
# Mao et al., arXiv:1611.04076, equation 9: 1/4 at D = 1/2. Won: D is within 0.1 of every target. Measured: 0.002
# while StudioGAN's LSGAN collapses, 0.05 and more in healthy runs of ganlib. Fooled: D(G(z)) is within 0.1 of 1.
LEAST_SQUARES = Objective("least squares", level=0.25, won=0.01, chance=0.25, fooled=0.005)
# Arjovsky et al., arXiv:1701.07875: a distance in units of the critic's own, and G's loss has any offset.
WASSERSTEIN = Objective("Wasserstein", bounded=False, level=1.0)
LIKELIHOOD = Objective("likelihood", adversarial=False)
DENOISING = Objective("denoising", adversarial=False)
# Not known: the largest of the levels, and only what would hold for each of the bounded losses.
UNKNOWN = Objective("unknown", level=2.0)

# Words of a kind, looked for in this order; kinds as in ``loss_kind`` of ganlib's models, and as other tools say.
KINDS: tuple[tuple[str, Objective], ...] = (
    ("wasserstein", WASSERSTEIN),
    ("wgan", WASSERSTEIN),
    ("hinge", HINGE),
    ("least squares", LEAST_SQUARES),
    ("least_square", LEAST_SQUARES),
    ("lsgan", LEAST_SQUARES),
    ("non-saturating", CROSS_ENTROPY),
    ("nonsaturating", CROSS_ENTROPY),
    ("logistic", CROSS_ENTROPY),
    ("vanilla", CROSS_ENTROPY),
    ("bce", CROSS_ENTROPY),
    ("binary cross", CROSS_ENTROPY),
    ("minimax", MINIMAX),
    ("saturating", MINIMAX),
    ("k + 1 classes", CROSS_ENTROPY),
    ("squared error of", DENOISING),  # of the noise, the image or v, as ddpm says
    ("denois", DENOISING),
    ("diffusion", DENOISING),
    ("squared error", LIKELIHOOD),
    ("cross-entropy", LIKELIHOOD),
    ("mse", LIKELIHOOD),
    ("kl", LIKELIHOOD),
    ("elbo", LIKELIHOOD),
)
_G_MIXED: dict[str, Any] = {"beaten": inf, "fooled": -inf}
_BOTH_MIXED: dict[str, Any] = {**_G_MIXED, "chance": inf}
# What is added to a loss takes the landmarks that it moves.
ADDED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("feature matching", _G_MIXED),
    ("likeness", _G_MIXED),
    ("on codes", _G_MIXED),
    ("class", _BOTH_MIXED),
    ("information", {**_BOTH_MIXED, "won": -inf}),  # subtracted from D's loss, which then has no floor
)


def objective(kind: str | None) -> Objective:
    """The landmarks for a ``loss_kind``; ``UNKNOWN`` for None and for a kind that nobody listed."""
    words = (kind or "").lower()
    found = next((entry for word, entry in KINDS if word in words), UNKNOWN)
    for word, moved in ADDED:
        if word in words and found.adversarial:
            found = replace(found, **moved)
    return found
