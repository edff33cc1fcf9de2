"""Values that others report: each with its source and protocol, none in the place of ours."""

from __future__ import annotations

import pytest

from ganlib.metrics.published import published


def test_every_value_has_its_source_and_protocol() -> None:
    frame = published("cifar10", "inception")
    assert frame[["model", "source", "protocol"]].notna().all(axis=None)
    assert not frame.duplicated(["model", "source", "protocol"]).any()


@pytest.mark.parametrize(
    ("model", "fid", "source"),
    [
        ("R3GAN (conditional)", 1.96, "R3GAN paper"),
        ("MeanFlow (unconditional)", 2.80, "py-meanflow README"),
        ("OT-CFM (unconditional)", 3.5, "TorchCFM README"),
        ("EDM (conditional)", 1.79, "EDM README"),
    ],
)
def test_the_models_of_today_are_among_them(model: str, fid: float, source: str) -> None:
    frame = published("cifar10-jpeg", "inception").set_index("model")
    assert (frame.fid[model], frame.source[model]) == (fid, source)
    assert frame.architecture.isna()[model]  # the order of architectures is that of one source
