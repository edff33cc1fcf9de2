"""CycleGAN, Zhu et al., arXiv:1703.10593."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlib.errors import GanlibError
from ganlib.images import denormalize
from ganlib.models import Batch
from ganlib.models.cyclegan import ImagePool
from helpers.tiny_models import build, build_untrained, make_trainer, tiny_config


class Shift(nn.Module):
    """Adds a constant; or is one, as a discriminator."""

    def __init__(self, amount: float) -> None:
        super().__init__()
        self.amount = nn.Parameter(torch.tensor(amount))

    def forward(self, x):
        return x + self.amount


class Constant(Shift):
    def forward(self, x):
        return self.amount.expand(len(x), 9)


def batch(labels: list[int]) -> Batch:
    return Batch(torch.rand(len(labels), 1, 16, 16) - 0.5, torch.tensor(labels))


def shifting(there: float, back: float, d: float = 0.0):
    model = build_untrained("cyclegan", pool=0)
    model.G, model.F = Shift(there), Shift(back)
    model.D_X, model.D_Y = Constant(d), Constant(d)
    return model


def test_losses_against_their_closed_form():
    """G adds 0.3 and F takes 0.1 away: the cycle misses by 0.2, the identities by 0.1 and 0.3; both D say 0.4."""
    model = shifting(0.3, -0.1, 0.4)
    loss, logs = model.loss_g(batch([0, 1, 0, 1]))
    adversarial = 2 * (0.4 - 1) ** 2
    assert loss.item() == pytest.approx(adversarial + 10 * 2 * 0.2 + 5 * (0.1 + 0.3), rel=1e-4)
    assert logs["G/cycle/X"].item() == pytest.approx(0.2, rel=1e-4)
    assert logs["G/identity/X"].item() == pytest.approx(0.1, rel=1e-4)  # F on what is X already
    discriminators, _ = model.loss_d(batch([0, 1, 0, 1]))
    assert discriminators.item() == pytest.approx(2 * 0.5 * (0.6**2 + 0.4**2), rel=1e-4)


def test_translations_that_undo_each_other_have_no_cycle_loss():
    model = shifting(0.3, -0.3)
    _, logs = model.loss_g(batch([0, 1]))
    assert max(logs["G/cycle/X"], logs["G/cycle/Y"]) < 1e-6


def test_a_batch_of_one_domain_trains_what_it_can():
    model = build_untrained("cyclegan")
    loss, logs = model.loss_g(batch([1, 1]))
    assert loss.isfinite()
    assert {tag[-1] for tag in logs} == {"Y"}
    assert model.loss_d(batch([1, 1]))[0].isfinite()


def test_the_label_is_the_domain_of_the_input():
    model = shifting(0.3, -0.1)
    x = torch.zeros(2, 1, 16, 16)
    outputs = model.transform(x, torch.tensor([0, 1]))
    assert outputs[:, 0, 0, 0].tolist() == pytest.approx([0.3, -0.1])
    with pytest.raises(GanlibError, match="give the domain of each image"):
        model.transform(x)


def test_the_pool_fills_then_exchanges_half():
    pool = ImagePool(tiny_config("cyclegan", pool=2))
    numbered = [torch.full((1, 1, 16, 16), i / 255 * 2 - 1) for i in range(200)]
    torch.manual_seed(0)
    shown = [round(denormalize(pool.exchange(image)[0, 0, 0, 0]).item()) for image in numbered]
    assert shown[:2] == [0, 1]
    older = [i for i, image in enumerate(shown) if image != i]
    assert all(shown[i] < i for i in older)
    assert 70 < len(older) < 130
    assert len(shown) - len(set(shown)) <= 2  # but for the first, an image leaves the pool when it is shown again


def test_the_pool_is_part_of_the_state(tmp_path):
    trainer = make_trainer(tmp_path, "cyclegan", images=24)
    trainer.train()
    state = trainer.model.state_dict()
    assert state["pool_X.count"] == state["pool_Y.count"] == 3
    assert state["pool_X.levels"].float().std() > 0


def test_the_rate_falls_along_the_second_half():
    model = build_untrained("cyclegan", schedule_images=100, lr=0.5)
    (optimizer, _) = model.optimizers().values()
    rates = []
    for images in (0, 50, 75, 100):
        model.on_images(images)
        model.schedule(optimizer, (), {})
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.5, 0.5, 0.25, 0.0])


@pytest.mark.parametrize("classes", [0, 1, 3])
def test_it_takes_two_domains(classes):
    with pytest.raises(GanlibError, match=f"two domains, the two classes of its data set, not {classes}"):
        build("cyclegan", num_classes=classes)


def test_discriminators_without_a_patch_are_refused():
    with pytest.raises(GanlibError, match="d_layers of 3 leave no patch of 16 pixels; give at most 2"):
        build("cyclegan", d_layers=3)
