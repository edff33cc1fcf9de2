"""Two sides -> everything that can tell them apart. What one section cannot do is said, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from ganlib.errors import GanlibError
from ganlib.provenance import commit, now, versions
from ganlib.twosample.classifier_section import classifier_section
from ganlib.twosample.config import ComparisonConfig
from ganlib.twosample.context import Context, prepare
from ganlib.twosample.feature_section import feature_section
from ganlib.twosample.latent_section import latent_section
from ganlib.twosample.memorisation_section import memorisation_section
from ganlib.twosample.result import Comparison
from ganlib.twosample.scores import score_records
from ganlib.twosample.sides import Progress
from ganlib.twosample.training_section import training_section

RUNNERS: dict[str, Callable[[Context], None]] = {
    "classifier": classifier_section,
    "features": feature_section,
    "memorisation": memorisation_section,
    "latents": latent_section,
    "training": training_section,
}


def compare(
    real: str,
    synthetic: str,
    config: ComparisonConfig,
    device: torch.device,
    *,
    options: tuple[dict[str, str], dict[str, str]] | None = None,
    progress: Progress = lambda stage, done, total: None,
    announce: Callable[[str], None] = lambda sentence: None,
) -> Comparison:
    """``real`` and ``synthetic`` as ``sides`` has them, ``options`` of their ``generate`` where they are runs.

    ``announce`` gets each giveaway before anything is measured, then each warning. GanlibError where a side cannot be
    read, or no section could do anything.
    """
    start = time.monotonic()
    context = prepare(real, synthetic, config, device, options or ({}, {}), progress)
    result = context.result
    result.seconds["reading"] = time.monotonic() - start
    for sentence in result.giveaways:
        announce(sentence)
    announced = 0
    for section in dict.fromkeys(config.sections):
        start = time.monotonic()
        try:
            RUNNERS[section](context)
        except GanlibError as error:
            result.warnings.append(f"{section.capitalize()}: {error}")
        result.seconds[section] = time.monotonic() - start
        for warning in result.warnings[announced:]:
            announce(warning)
        announced = len(result.warnings)
    if not len(result.tests) and not result.frames:
        raise GanlibError(f"Nothing could be compared. {' '.join(result.warnings)}")
    result.provenance = {"versions": versions(), "commit": commit(), "date": now()}
    result.records = score_records(context)
    return result
