"""Reference values of losses by kind: what they are for guessing, and when one network has won."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log
from typing import Any


@dataclass(frozen=True)
class Objective:
    """Reference values of the two losses; infinite (never reached) where a loss has none.

    D's loss is the sum over real and generated images. Some tools log the mean of the two, which halves it.
    """

    name: str
    adversarial: bool = True
    bounded: bool = True  # D's loss cannot fall below 0 and has a scale of its own
    saturating: bool = False  # G's gradient vanishes where D is certain
    scale: float = 0.0  # D's loss when guessing, or another scale to compare with
    d_wins_below: float = -inf  # D's loss below which it has won
    d_certain_below: float = -inf  # D's loss below which it is sure of most images: a win if G's loss says so too
    g_loses_above: float = inf  # G's loss above which D takes hardly any generated image for real
    d_guessing: float = inf  # D's loss when guessing; infinite where the loss has further terms
    g_wins_below: float = -inf  # G's loss below which D takes nearly all generated images for real


# Goodfellow et al., arXiv:1406.2661: D's loss is -log D(x) - log(1 - D(G(z))), which is 2 log 2 at D = 1/2.
# d_wins_below: D is 99 % sure of every image, -2 log 0.99. Measured: windows of StudioGAN's collapsed DCGAN lie at
# 0.001 to 0.014; the lowest of healthy logs is 0.04 (ganlib's digits-cdcgan, for a moment), of StyleGAN2 0.2.
# d_certain_below: D is 93 % sure, -2 log 0.93; g_loses_above: D(G(z)) = 1/150. Measured: StudioGAN's StyleGAN2 still
# improves at 0.3 and 3.4; in a run that no longer does, D's loss is 0.08 and G's 6. g_wins_below: D(G(z)) = 90 %.
CROSS_ENTROPY = Objective(
    "cross-entropy",
    scale=2 * log(2),
    d_wins_below=0.02,
    d_certain_below=0.145,
    g_loses_above=log(150),
    d_guessing=2 * log(2),
    g_wins_below=-log(0.9),
)
# The same D, while G minimises log(1 - D(G(z))): near 0 where D is sure, log 0.1 at D(G(z)) = 90 %.
MINIMAX = replace(CROSS_ENTROPY, name="minimax", saturating=True, g_loses_above=inf, g_wins_below=log(0.1))
# Lim & Ye, arXiv:1705.02894: 2 where all outputs are 0; 0 where all lie outside the margins, and then D learns nothing.
# It falls near 0 in good runs too (Brock et al., arXiv:1809.11096, section 4.2; 0.013 at the best FID of StudioGAN's
# ImageNet BigGAN): d_wins_below is ten times below that. G's loss is -E[D(G(z))]; -1 is the margin of the real images.
HINGE = Objective("hinge", scale=2.0, d_wins_below=0.001, d_guessing=2.0, g_wins_below=-1.0)
# Mao et al., arXiv:1611.04076, equation 9: 1/4 at D = 1/2. d_wins_below: D is within 0.1 of every target. Measured:
# 0.002 while StudioGAN's LSGAN collapses, 0.05 and more in healthy runs of ganlib. d_certain_below: within 0.17 of
# every target, where G's loss, as CycleGAN has it without the factor 1/2, says that no generated image passes for more
# than 0.1. g_wins_below: D(G(z)) is within 0.1 of 1.
LEAST_SQUARES = Objective(
    "least squares",
    scale=0.25,
    d_wins_below=0.01,
    d_certain_below=0.03,
    g_loses_above=0.81,
    d_guessing=0.25,
    g_wins_below=0.005,
)
# Arjovsky et al., arXiv:1701.07875: a distance in units of the critic's own, and G's loss has any offset.
WASSERSTEIN = Objective("Wasserstein", bounded=False, scale=1.0)
# Huang et al., arXiv:2501.05441: log 2 where all logits are equal, over pairs of a real and a generated image, so that
# the thresholds are those of one half of the cross-entropy. Its penalties hide the value of guessing.
RELATIVISTIC = Objective(
    "relativistic",
    scale=log(2),
    d_wins_below=0.01,
    d_certain_below=0.0725,
    g_loses_above=log(150),
    g_wins_below=-log(0.9),
)
LIKELIHOOD = Objective("likelihood", adversarial=False)
DENOISING = Objective("denoising", adversarial=False)
# The largest of the scales, and only thresholds that hold for all bounded losses.
UNKNOWN = Objective("unknown", scale=2.0)

# Substrings of a kind, searched in this order; kinds as in ``loss_kind`` of ganlib's models, and of other tools.
LOSS_KINDS: tuple[tuple[str, Objective], ...] = (
    ("wasserstein", WASSERSTEIN),
    ("wgan", WASSERSTEIN),
    ("relativistic", RELATIVISTIC),
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
    ("bits per dim", LIKELIHOOD),
)
_G_MIXED: dict[str, Any] = {"g_loses_above": inf, "g_wins_below": -inf}
_BOTH_MIXED: dict[str, Any] = {**_G_MIXED, "d_guessing": inf}
# Further terms of a loss invalidate the reference values that they change.
LOSS_TERMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("feature matching", _G_MIXED),
    ("likeness", _G_MIXED),
    ("on codes", _G_MIXED),
    ("class", _BOTH_MIXED),
    ("information", {**_BOTH_MIXED, "d_wins_below": -inf}),  # subtracted from D's loss, which then has no floor
)


def find_objective(kind: str | None) -> Objective:
    """The reference values for a ``loss_kind``; ``UNKNOWN`` for None and for an unlisted kind."""
    text = (kind or "").lower()
    objective = next((candidate for name, candidate in LOSS_KINDS if name in text), UNKNOWN)
    for term, changes in LOSS_TERMS:
        if term in text and objective.adversarial:
            objective = replace(objective, **changes)
    return objective
