"""A run's blueprint: the architecture by shapes alone, without the cost of initialising it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from ganlib.models import MODELS
from ganlib.runs import Run
from helpers.tiny_models import write_run


@pytest.mark.parametrize("name", ["sngan", "biggan", "ddpm", "stylegan2_ada", "lapgan"])
def test_a_blueprint_has_the_shapes_of_the_model_and_no_memory(name, tmp_path):
    run = Run(write_run(tmp_path / name, name).path)
    shapes = {key: tensor.shape for key, tensor in run.blueprint.state_dict().items()}
    assert shapes == {key: tensor.shape for key, tensor in MODELS[name](run.config).state_dict().items()}
    assert all(parameter.is_meta for parameter in run.blueprint.parameters())
    assert torch.get_default_device().type == "cpu"


def test_runs_of_one_config_share_their_blueprint(tmp_path):
    first, second, other = (Run(write_run(tmp_path / n, n.split("-")[0]).path) for n in ("dcgan-0", "dcgan-1", "sngan"))
    assert first.blueprint is second.blueprint
    assert other.blueprint is not first.blueprint


def test_a_blueprint_leaves_initialisation_as_it_is_elsewhere(tmp_path):
    run = Run(write_run(tmp_path / "run", "dcgan").path)
    assert run.blueprint is run.blueprint
    weights = torch.nn.init.normal_(torch.zeros(100))
    assert 0.5 < weights.std() < 1.5


def test_blueprints_of_all_architectures_import_none_of_torchs_compiler():
    script = """
import sys
from dataclasses import replace
from ganlib.models import MODELS
from ganlib.models.contract import blueprint
fields = {"feature_vae": {"trunk": "efficientnet_lite0"}}  # its other trunks are torchvision's, which imports them
for name in MODELS:
    model = MODELS[name]
    blueprint(model, replace(model.Config.tiny(), **fields.get(name, {})))
assert not {"torch._dynamo", "sympy", "torch._inductor"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)  # seconds that a first page would wait for
