"""VQ-VAE, van den Oord et al., arXiv:1711.00937, with an autoregressive prior."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ganlib.errors import GanlibError
from ganlib.models import MODELS, Batch
from ganlib.models.vqvae import DECAY, LEAST_USE, Codebook, distribution
from helpers.tiny_models import build, tiny_config


def test_a_vector_gets_the_nearest_code():
    book = Codebook(7, 3)
    x = torch.randn(50, 3)
    assert torch.equal(book.nearest(x), torch.cdist(x, book.vectors).argmin(1))


def known_codebook(vectors: torch.Tensor, count: float = 10.0) -> Codebook:
    """Of codes that have been used as often as this."""
    book = Codebook(*vectors.shape)
    book.vectors.copy_(vectors)
    book.counts.fill_(count)
    book.sums.copy_(count * vectors)
    return book


def test_codes_move_to_the_mean_of_their_vectors_and_unused_ones_start_anew():
    torch.manual_seed(0)
    book = Codebook(3, 2)
    x = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0], [0.0, 5.0]])
    codes = torch.tensor([0, 0, 1, 1])
    book.add(x, codes)
    for _ in range(600):
        book.average()
        book.add(x, codes)
    book.average()
    torch.testing.assert_close(book.vectors[:2], torch.tensor([[2.0, 0.0], [0.0, 5.0]]), atol=0.02, rtol=0)
    assert any(torch.allclose(book.vectors[2], row) for row in x)  # one of the batch
    assert book.counts[2] == 0 or DECAY * LEAST_USE <= book.counts[2] <= DECAY
    assert book.counts[:2].tolist() == pytest.approx([2 * DECAY] * 2, rel=0.01)
    assert 0.9 < DECAY < 1


def test_an_average_moves_by_a_hundredth_of_the_way_in_a_step():
    """From 10 vectors at 0 towards 30 at 1: n = 0.99 · 10 + 0.01 · 30 and m = 0.01 · 30 (equations 6 and 7)."""
    book = known_codebook(torch.zeros(2, 1))
    book.average()
    book.add(torch.ones(30, 1), torch.zeros(30, dtype=torch.int64))
    assert book.counts.tolist() == pytest.approx([10.2, 9.9])
    book.average()
    assert book.vectors.flatten().tolist() == pytest.approx([0.3 / 10.2, 0])


def test_the_first_batch_replaces_the_random_vectors():
    """What a code is after it holds nothing of what it was before."""
    book = Codebook(3, 2)
    x = torch.tensor([[1.0, 0.0], [3.0, 4.0], [7.0, 7.0]])
    book.add(x, torch.tensor([0, 0, 1]))
    book.average()
    assert all(any(torch.allclose(vector, row) for row in x) for vector in book.vectors)
    assert book.counts.tolist() == pytest.approx([DECAY] * 3)


def test_parts_of_a_batch_add_up_to_it():
    """So that a code that a part uses seldom is not taken for one without use."""
    x, codes = torch.randn(12, 3), torch.arange(12) % 4
    whole, parts = known_codebook(torch.zeros(4, 3)), known_codebook(torch.zeros(4, 3))
    whole.add(x, codes)
    for part in (slice(0, 5), slice(5, 12)):
        parts.add(x[part], codes[part])
    torch.testing.assert_close(parts.state_dict(), whole.state_dict())


@pytest.mark.parametrize(("count", "restarts"), [(0.49, True), (0.505, False)])
def test_a_code_that_gets_less_than_half_a_vector_of_a_batch_starts_anew(count, restarts):
    book = known_codebook(torch.zeros(2, 1), count)
    book.average()
    assert bool((book.counts == 0).all()) == restarts
    book.add(torch.ones(4, 1), torch.zeros(4, dtype=torch.int64))
    assert book.vectors.flatten().tolist() == [float(restarts)] * 2
    book.average()
    assert book.counts[1].item() == pytest.approx(DECAY if restarts else 0, abs=1e-6)


def test_an_image_is_decoded_from_the_vectors_that_were_nearest_to_it():
    """Codes that start anew in the same step are other vectors afterwards."""
    model: Any = MODELS["vqvae"](tiny_config("vqvae")).train()
    batch = Batch(torch.rand(3, 1, 16, 16) - 0.5, torch.arange(3))
    before = model.autoencoder.codebook.vectors.clone()
    codes = model.codes_of(batch.images)
    given: list[torch.Tensor] = []
    model.autoencoder.decoder.register_forward_hook(lambda module, inputs, out: given.append(inputs[0]))
    loss, logs = model.loss(batch)
    quantised = before[codes].view(3, 4, 4, 4).permute(0, 3, 1, 2)
    torch.testing.assert_close(given[0], quantised)
    assert (model.autoencoder.codebook.vectors[codes.flatten()] - before[codes.flatten()]).abs().max() > 0.1
    encoded = model.autoencoder.encoder(batch.images)
    commitment = (encoded - quantised).square().mean().item()
    assert loss.item() == pytest.approx(logs["loss/mse"].item() + 0.25 * commitment, rel=1e-5)


def test_gradients_pass_the_quantisation_straight_through():
    """The encoder gets the gradient of the decoder at the codes, as if they were its own output."""
    model: Any = MODELS["vqvae"](tiny_config("vqvae", commitment=0.0)).eval()
    batch = Batch(torch.rand(3, 1, 16, 16) - 0.5, torch.arange(3))
    captured = []

    def keep(module: torch.nn.Module, inputs: object, out: torch.Tensor) -> None:
        out.retain_grad()
        captured.append(out)

    model.autoencoder.encoder.register_forward_hook(keep)
    model.loss(batch)[0].backward()
    vectors = model.autoencoder.codebook.vectors[model.codes_of(batch.images)].view(3, 4, 4, 4).permute(0, 3, 1, 2)
    vectors = vectors.detach().requires_grad_()
    (model.autoencoder.decoder(vectors) - batch.images).square().mean().backward()
    torch.testing.assert_close(captured[0].grad, vectors.grad)


@pytest.mark.parametrize("sharpness", [1.0, 15.0])
def test_the_latents_of_an_image_draw_its_codes(sharpness):
    """However unlikely the prior finds them."""
    model = build("vqvae", codes=256)
    model.prior.final.linear.weight.mul_(sharpness)
    images, labels = torch.rand(8, 1, 16, 16) - 0.5, torch.arange(8) % 3
    codes, latents = model.codes_of(images), model.encode(images, labels)
    logits = model.prior(codes[:, :-1], model.embedding_weights(labels))
    rarest = logits.log_softmax(2).gather(2, codes[..., None]).min()
    assert rarest < -3 * sharpness
    drawn: list[torch.Tensor] = []
    decode, model.decode = model.decode, lambda codes: drawn.append(codes.clone()) or decode(codes)
    image = model.generate(latents, labels)
    assert torch.equal(drawn[-1], codes)
    torch.testing.assert_close(image, decode(codes))
    assert latents.z.isfinite().all()


def test_images_without_labels_are_encoded_as_of_all_classes_mixed():
    model = build("vqvae")
    images = torch.rand(3, 1, 16, 16) - 0.5
    mixed = model.generate(model.encode(images), torch.full((3, 3), 1 / 3))
    torch.testing.assert_close(mixed, model.decode(model.codes_of(images)))


def test_latents_of_images_that_the_prior_draws_are_normal_numbers():
    """The middle of a code's part of the distribution is where uniform numbers lie on average."""
    model = build("vqvae")
    labels = torch.arange(600) % 3
    codes: list[torch.Tensor] = []
    model.decode = lambda drawn: codes.append(drawn.clone()) or drawn
    model.generate(model.latents(range(600)), labels)
    model.codes_of = lambda images: codes[-1]
    z = model.encode(torch.zeros(600, 1, 16, 16), labels).z
    assert z.mean().item() == pytest.approx(0, abs=0.05)
    assert 0.5 < z.std().item() < 1.05


def test_the_distribution_runs_from_the_rarest_code_to_the_likeliest():
    shares = torch.tensor([[0.5, 0.125, 0.375], [0.25, 0.5, 0.25]])
    order, ends = distribution(shares.log())
    assert order.tolist() == [[1, 2, 0], [0, 2, 1]]  # of equal ones the first first
    torch.testing.assert_close(ends, torch.tensor([[0.125, 0.5, 1.0], [0.25, 0.5, 1.0]]))


def test_codes_are_drawn_as_often_as_the_prior_says():
    model = build("vqvae")
    latents = model.latents(range(3000))
    model.decode = lambda codes: codes
    first = next(iter(model.trace(latents, torch.zeros(3000, dtype=torch.int64))))[:, 0]
    logits = model.prior(torch.empty(1, 0, dtype=torch.int64), torch.eye(3)[:1])[0, 0]
    shares = first.bincount(minlength=16) / 3000
    torch.testing.assert_close(shares, logits.softmax(0), atol=0.04, rtol=0)


def test_rows_of_codes_appear_one_by_one_and_cold_ones_are_the_likeliest():
    model = build("vqvae")
    stages = list(model.trace(model.latents([1, 2]), torch.tensor([0, 1])))
    assert len(stages) == model.stages() == 4
    cold = [model.generate(model.latents([seed]), torch.tensor([0]), temperature=0.0) for seed in (3, 4)]
    torch.testing.assert_close(*cold)


def test_grids_and_heads_that_do_not_fit_are_refused():
    with pytest.raises(GanlibError, match="4 downsamplings do not fit 16 pixels; give at most 3"):
        build("vqvae", downsamplings=4)
    with pytest.raises(GanlibError, match="prior_width must be a multiple of its 3 heads, not 8"):
        build("vqvae", prior_heads=3)
