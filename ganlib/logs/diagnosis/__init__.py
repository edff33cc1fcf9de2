"""Diagnosis of a training from its curves: findings with their evidence and advice.

Each rule works on medians over windows of 2 % of the run, so that neither single spikes nor the logging interval
decide, and a state counts from a tenth of the run on. Thresholds are documented beside their sources in the rule's
module; docs/diagnosis.md says how often each finding is right. A rule is not applied to a loss for which it means
nothing: a critic's loss has no scale and no floor.

discriminator_wins
    D's loss near zero, or low while G's shows that hardly any generated image is taken for real. "D loss goes to 0:
    failure mode" (ganhacks, section 10); Arjovsky & Bottou, arXiv:1701.04862, section 2. For an unknown loss where it
    holds for cross-entropy, hinge and least squares alike, where both losses have the levels of one of them, or where
    D's fell to a part of its start while G's rose; not for a critic, whose loss is negative. D's accuracy and outputs,
    where they were logged, count too. Large networks' hinge loss is near zero in good health: no finding while a
    metric still gets better.
discriminator_overfits
    r_t, the mean sign of D on training images, near 1 to the end (Karras et al., arXiv:2006.06676, section 3.1): it
    tells known from unknown, no longer real from generated. Needs r_t in the log.
discriminator_learns_nothing
    D's mean outputs for real and generated images are the same through three quarters of the run and of its first
    third. Late in a sound training that is the equilibrium (Goodfellow et al., arXiv:1406.2661, section 4); from the
    start D answers one constant, and G learns nothing from it. Needs D/real and D/fake in the log.
generator_wins
    D's loss above that of guessing while G's is near its best value: G "is fooling D with garbage" (ganhacks, 10).
vanished_gradient
    The norm of G's gradient a thousandth of its early one; a minimax loss on its flat part (Goodfellow et al.,
    arXiv:1406.2661, section 3); or all losses at the same value in every batch, as where D is saturated.
mode_collapse
    A metric that left its best value for good (FID nearly doubled, IS down by a third, recall or coverage halved), or
    is doing so: worse with every evaluation and already that far off. Or a last sheet of samples, as notebooks show
    them, of which no more than half of the pictures differ (the birthday paradox of Arora & Zhang, arXiv:1706.08224).
    Without either: D's loss near zero, then far above guessing (Brock et al., arXiv:1809.11096, section 4.2).
divergence
    A loss that ends at ten times what it began with, and what guessing gives, or a critic's at a thousand times; one
    that stays where its computation is cut off, as 16.118 = -log 1e-7 in Keras; or one beyond what can be: logits
    whose probability is 0 in single precision, a critic that tells images apart by more than their distance.
not_finite
    NaN or infinity in anything but a metric. Single overflows of a gradient under mixed precision are normal
    (Micikevicius et al., arXiv:1710.03740, section 3.2).
impossible_metric
    A FID below zero or beyond ten thousand, a fraction outside [0, 1], NaN: the evaluation failed, not the training.
learning_rate_too_high
    Frequent spikes far above what is usual (ganhacks, section 10), or a likelihood that rises above where it began.
oscillation
    One rhythm of five cycles or more in most of a loss's movements, as of the undamped games of Mescheder et al.,
    arXiv:1801.04406, section 2. With a cyclic learning rate only a remark.
best_long_before_end
    The best FID (else KID, IS) in the first three quarters, and worse at the end.
plateau
    No more change in the metric than between two evaluations of one checkpoint, or in a likelihood. Adversarial and
    denoising losses stand still while images improve, and say nothing here.
log_restarted
    Steps that were written again; everything else is judged by what was written last.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ganlib.logs.diagnosis.balance import (
    discriminator_learns_nothing,
    discriminator_overfits,
    discriminator_wins,
    generator_wins,
    vanished_gradient,
)
from ganlib.logs.diagnosis.curves import split_runs
from ganlib.logs.diagnosis.finding import SEVERITIES, Finding, Rule
from ganlib.logs.diagnosis.objectives import find_objective
from ganlib.logs.diagnosis.progress import best_long_before_end, impossible_metric, mode_collapse, plateau
from ganlib.logs.diagnosis.stability import (
    divergence,
    learning_rate_too_high,
    log_restarted,
    not_finite,
    oscillation,
)

__all__ = ["RULES", "Finding", "diagnose"]

RULES = (
    Rule(
        "not_finite",
        "Values that are not finite",
        not_finite,
        "Go back to a checkpoint from before it and lower the learning rate, clip gradients or leave half precision.",
    ),
    Rule(
        "divergence",
        "Training diverges",
        divergence,
        "Stop it, go back to a checkpoint from before and lower the learning rate or normalise D spectrally.",
    ),
    Rule(
        "mode_collapse",
        "Signs of mode collapse",
        mode_collapse,
        "Compare pictures from before and after: if they became alike, keep the earlier checkpoint and train on with "
        "spectral normalisation, a gradient penalty, minibatch discrimination or a lower learning rate.",
    ),
    Rule(
        "discriminator_wins",
        "The discriminator wins",
        discriminator_wins,
        "Weaken D: a lower learning rate or fewer steps for it, label smoothing, spectral normalisation, R1, "
        "augmentation of its images, or more data.",
    ),
    Rule(
        "discriminator_overfits",
        "The discriminator overfits",
        discriminator_overfits,
        "Augment what D sees (stylegan2_ada's --ada-target 0.6, or --diffaugment), add images or a stronger R1, and "
        "keep the checkpoint with the best FID.",
    ),
    Rule(
        "discriminator_learns_nothing",
        "The discriminator learns nothing",
        discriminator_learns_nothing,
        "Stop it and strengthen D: a higher learning rate, more width or steps, less normalisation or noise on what it "
        "sees; check that its gradient is not zero.",
    ),
    Rule(
        "generator_wins",
        "The generator wins",
        generator_wins,
        "Look at the pictures: if they are poor, D has broken down. Go back to a checkpoint from before and "
        "strengthen D by more steps, a higher learning rate or more width.",
    ),
    Rule(
        "vanished_gradient",
        "The generator's gradient has vanished",
        vanished_gradient,
        "Training on changes nothing. Go back to a checkpoint from before and use a loss that does not saturate, on "
        "logits rather than probabilities, or a weaker D.",
    ),
    Rule(
        "learning_rate_too_high",
        "The learning rate looks too high",
        learning_rate_too_high,
        "Halve it, or warm it up over the first thousand steps; larger batches help too.",
    ),
    Rule(
        "oscillation",
        "The losses oscillate",
        oscillation,
        "Lower the learning rates or the momentum (β1 0 to 0.5), or damp the game by R1 or a gradient penalty; an "
        "average of G's weights evens out its pictures.",
    ),
    Rule(
        "best_long_before_end",
        "The best checkpoint lies long before the end",
        best_long_before_end,
        "Use the checkpoint at the best value, and stop there next time or lower the learning rate from there on.",
    ),
    Rule(
        "impossible_metric",
        "A metric cannot be true",
        impossible_metric,
        "Evaluate again with more images than the features have dimensions (2048 for FID) and in double precision.",
    ),
    Rule(
        "plateau",
        "No more progress",
        plateau,
        "Stop here, or lower the learning rate once; more of the same will not help.",
    ),
    Rule(
        "log_restarted",
        "The log was restarted",
        log_restarted,
        "Give each training its own log if they are two; a resumed one needs nothing.",
    ),
)
"""In the order in which findings of one severity are listed."""


def diagnose(frame: pd.DataFrame, *, loss: str | None = None, only: str = "") -> list[Finding]:
    """What the scalars of one or more runs show: per run, the gravest first.

    ``frame`` is that of ``read``; without a column ``segment`` a tag's rows must stand as they were
    logged. ``loss`` is the kind of loss of all its runs, such as a model's ``loss_kind``; for None only what holds for
    any loss is reported. ``only``: the name of the one rule that is asked.
    """
    objective = find_objective(loss)
    findings: list[Finding] = []
    # The square of a diverged loss may overflow; no comparison with infinity or NaN makes a finding.
    with np.errstate(over="ignore", invalid="ignore"):
        for run in split_runs(frame):
            run_findings = [
                Finding(rule=rule.name, title=rule.title, run=run.name, advice=rule.advice, **observation._asdict())
                for rule in RULES
                if only in ("", rule.name)
                for observation in rule.check(run, objective)
            ]
            findings += sorted(run_findings, key=lambda finding: SEVERITIES.index(finding.severity))
    return findings
