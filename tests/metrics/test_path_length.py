"""How far features move where the latent moves a little: closed forms, every architecture, the record."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.intervals import block_interval
from ganlib.metrics.config import EvaluationConfig
from ganlib.metrics.evaluate import evaluate
from ganlib.metrics.extractors import Extractor
from ganlib.metrics.generation import Generation
from ganlib.metrics.path_length import path_distances, squared_distances, trimmed_mean
from ganlib.models import MODELS, GenerativeModel
from ganlib.run_folder import RunFolder
from ganlib.runs import Run
from helpers.tiny_models import build, write_run

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
GENERATIVE = [name for name in MODELS if issubclass(MODELS[name], GenerativeModel)]
PPL = EvaluationConfig(metrics=("ppl",), n=24, blocks=3)


def linear(width: int = 3) -> Extractor:
    """Of the mean level of each corner of the image, mixed."""
    mix = torch.randn(4, width, generator=torch.Generator().manual_seed(0))

    def network(levels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        corners = torch.nn.functional.adaptive_avg_pool2d(levels.float().mean(1, keepdim=True), 2).flatten(1)
        return corners @ mix, corners[:, :0]

    return Extractor("linear", "linear", "0" * 12, "none", width, 0, False, Path(), CPU, network)


def test_straight_paths_through_linear_maps_have_the_closed_form() -> None:
    """|F A (b - a)|², whatever t and ε."""
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 50, 6, generator=rng, dtype=torch.float64)
    generator, features = (torch.randn(*s, generator=rng, dtype=torch.float64) for s in ((6, 9), (9, 4)))
    t = torch.rand(50, generator=rng, dtype=torch.float64)
    result = path_distances(lambda z: z @ generator @ features, a, b, t, "lerp")
    assert torch.allclose(result, ((b - a) @ generator @ features).square().sum(1), rtol=1e-6)


def test_round_paths_run_at_the_speed_of_their_angle() -> None:
    """On a sphere of radius r the path over the angle ω has speed r ω everywhere."""
    rng = torch.Generator().manual_seed(0)
    a, b = torch.nn.functional.normalize(torch.randn(2, 50, 8, generator=rng, dtype=torch.float64), dim=2) * 3
    t = torch.rand(50, generator=rng, dtype=torch.float64)
    angle = ((a * b).sum(1) / 9).arccos()
    assert torch.allclose(path_distances(lambda z: z, a, b, t, "slerp"), (3 * angle) ** 2, rtol=1e-4)


def test_paths_that_jump_are_left_out_of_the_mean() -> None:
    lengths = torch.arange(1.0, 1001.0, dtype=torch.float64)[torch.randperm(1000)]
    assert trimmed_mean(lengths) == pytest.approx(500.5)  # as many at either end
    lengths[lengths == 1000] = 1e12
    assert trimmed_mean(lengths) == pytest.approx(500.5)
    assert trimmed_mean(lengths[:3].sort().values) == pytest.approx(float(lengths[:3].mean()))  # too few to spare one


def test_steps_far_below_a_level_are_seen() -> None:
    """A picture that grows by one level over the whole path: rounded to bytes no step would move it."""
    a, b = torch.zeros(4, 1), torch.ones(4, 1)
    t = torch.tensor([0.1, 0.4, 0.6, 0.9])
    images = linear(3).network
    result = path_distances(lambda z: images(z[:, :, None, None].expand(-1, -1, 8, 8))[0], a, b, t, "lerp")
    per_level = (images(torch.ones(1, 1, 8, 8))[0]).square().sum()
    assert torch.allclose(result, per_level.expand(4), rtol=0.02)


@pytest.mark.parametrize("name", GENERATIVE)
def test_every_architecture_has_paths(name: str, tmp_path: Path) -> None:
    model: Any = build(name)
    generation = Generation(write_run(tmp_path / "run", name), model, "0" * 12, {}, 8, 4)
    for space in model.spaces:
        expected = squared_distances(generation, linear(), space, slice(0, 4))
        parts = [squared_distances(generation, linear(), space, slice(i, i + 2)) for i in (0, 2)]
        assert expected.shape == (4, 1)
        assert torch.isfinite(expected).all()
        assert (expected >= 0).all()
        if name != "vqvae":  # whose images keep their codes over so short a step
            assert expected.mean() > 0
        assert torch.allclose(torch.cat(parts), expected, rtol=0.1, atol=0.1 * float(expected.mean()))


def test_the_record_names_the_walk_and_goes_on_after_a_kill(root: Path) -> None:
    run = Run(root / "gan")
    (result,) = evaluate(run, PPL, CPU)
    assert result.metric == "ppl"
    assert result.value == pytest.approx(np.mean(result.blocks))
    assert result.interval == block_interval(result.value, result.blocks, 24)
    judge = Run(root / "judge")
    assert result.protocol.to_dict() == {
        "n_real": 0,
        "n_fake": 24,
        "reference": None,
        "extractor": "embedded",
        "extractor_name": "judge",
        "extractor_hash": judge.weights_hash,
        "resizer": "none",
        "options": {},
        "space": "z",
        "path": "slerp",
        "epsilon": 1e-4,
        "paths": 12,
        "discarded": [1, 99],
    }
    assert (result.labels, result.seeds) == ("balanced", "0-23")

    def stop(text: str, done: int, total: int) -> None:
        if done == 8:
            raise InterruptedError

    config = EvaluationConfig(metrics=("ppl",), n=24, blocks=3, batch=4)
    with pytest.raises(InterruptedError):
        evaluate(run, config, CPU, progress=stop)
    seen: list[int] = []
    (again,) = evaluate(run, config, CPU, progress=lambda text, done, total: seen.append(done))
    assert seen == [12]
    assert again.value == pytest.approx(result.value, rel=1e-2)
    assert not list(run.path.glob(".paths-*"))


def test_a_colder_latent_makes_shorter_paths(root: Path) -> None:
    (expected,) = evaluate(Run(root / "gan"), PPL, CPU)
    (cold,) = evaluate(Run(root / "gan"), PPL, CPU, options={"temperature": "0.1"})
    assert cold.value < expected.value
    assert cold.protocol.options == {"temperature": 0.1}


def test_w_is_walked_in_where_it_is_asked_for_and_there(root: Path) -> None:
    gan = Run(root / "gan")
    in_w = EvaluationConfig(metrics=("ppl",), n=24, blocks=3, space="w")
    seen: list[str] = []
    with pytest.raises(GanlibError, match="gan has no space 'w'; it has z"):
        evaluate(gan, in_w, CPU, progress=lambda text, done, total: seen.append(text))
    assert seen == []
    styles = write_run(root / "styles", "stylegan2_ada")
    RunFolder(styles.path).write_config(replace(styles.recipe, data=gan.recipe.data))
    by_space = [evaluate(Run(styles.path), config, CPU)[0] for config in (PPL, in_w)]
    assert [r.protocol.extra["path"] for r in by_space] == ["slerp", "lerp"]
    assert by_space[0].value != pytest.approx(by_space[1].value, rel=1e-3)
    assert all(math.isfinite(r.value) for r in by_space)
