"""Seeds to pictures: rounding, grids, stages, chunks, memory, threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ganlib.errors import GanlibError
from ganlib.images import from_uint8, grid, strip, to_pil, to_uint8
from ganlib.models import MODELS, GenerativeModel, Latents
from ganlib.models.dcgan import DCGAN
from ganlib.sampling import CHUNK, Growing, sample, sample_chunks, sample_stages
from helpers.image_files import equal
from helpers.tiny_models import build, labels_for

GANS = ["dcgan", "cdcgan", "sngan"]
GENERATIVE = [name for name in MODELS if issubclass(MODELS[name], GenerativeModel)]


# Pixels.


def test_levels_are_rounded_to_the_nearest():
    step = 2 / 255
    low, high = [-1 + 0.49 * step, -1 + 0.51 * step], [1 - 0.49 * step, 1 - 0.51 * step]
    levels = to_uint8(torch.tensor([-1.0, 0.0, 1.0, *low, *high, -1.2, 1.2]).reshape(1, 1, 1, -1))
    assert levels.dtype == np.uint8
    assert levels.ravel().tolist() == [0, 128, 255, 0, 1, 255, 254, 0, 255]


def test_pixels_that_are_no_numbers_are_no_picture():
    with pytest.raises(GanlibError, match="Some pixels are not numbers"):
        to_uint8(torch.tensor([0.0, float("nan")]).reshape(1, 1, 1, 2))
    assert to_uint8(torch.tensor([float("-inf"), float("inf")]).reshape(1, 1, 1, 2)).ravel().tolist() == [0, 255]


def test_every_level_survives_the_way_to_floats_and_back():
    levels = np.arange(256, dtype=np.uint8)
    images = from_uint8(levels.reshape(1, 16, 16, 1))
    assert np.array_equal(to_uint8(images).ravel(), levels)


def test_images_become_height_width_channels_and_stay_untouched():
    images = torch.rand(2, 3, 4, 5) * 2 - 1
    before = images.clone()
    assert to_uint8(images).shape == (2, 4, 5, 3)
    assert torch.equal(images, before)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_one_channel_becomes_greyscale(channels, mode):
    picture = to_pil(np.zeros((4, 5, channels), np.uint8))
    assert (picture.mode, picture.size) == (mode, (5, 4))


@pytest.mark.parametrize(
    ("n", "columns", "gap", "size"),
    [(6, 3, 2, (3 * 4 + 4, 2 * 5 + 2)), (5, 3, 2, (16, 12)), (1, 1, 2, (4, 5)), (4, 4, 0, (16, 5)), (2, 3, 1, (14, 5))],
)
def test_a_grid_has_its_images_in_reading_order_on_white(n, columns, gap, size):
    images = np.stack([np.full((5, 4, 1), 10 * (i + 1), np.uint8) for i in range(n)])
    picture = grid(images, columns, gap=gap)
    assert picture.size == size
    pixels = np.asarray(picture)
    for i in range(n):
        y, x = i // columns * (5 + gap), i % columns * (4 + gap)
        assert (pixels[y : y + 5, x : x + 4] == 10 * (i + 1)).all()
    assert (pixels == 255).sum() == pixels.size - n * 20


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "sizes", [[(2, 2), (4, 4), (8, 8)], [(8, 8), (8, 8)], [(4, 6), (5, 7)], [(9, 3), (4, 2)], [(3, 3)]]
)
def test_a_strip_has_a_row_an_image_and_its_stages_at_one_size_in_square_pixels(sizes, channels):
    rng = np.random.default_rng(0)
    stages = [rng.integers(0, 255, (3, h, w, channels), np.uint8) for h, w in sizes]  # 255 is the gap's
    height, width = sizes[-1]
    pixels = np.asarray(strip(stages, gap=1)).reshape(3 * (height + 1) - 1, len(sizes) * (width + 1) - 1, channels)
    for row in range(3):
        for column, images in enumerate(stages):
            y, x = row * (height + 1), column * (width + 1)
            nearest = to_pil(images[row]).resize((width, height), Image.Resampling.NEAREST)
            assert np.array_equal(pixels[y : y + height, x : x + width].squeeze(), np.asarray(nearest))
    assert (pixels == 255).all(-1).sum() == pixels.shape[0] * pixels.shape[1] - 3 * len(sizes) * height * width


# Stages.


def small_pyramid(n: int) -> list[tuple[int, ...]]:
    return [(n, 4, 4, 1), (n, 8, 8, 1), (n, 16, 16, 1)]


@pytest.mark.parametrize("name", [*GANS, "infogan", "gran", "lapgan"])
def test_stages_end_with_the_sample_and_are_as_many_as_the_model_says(name):
    model = build(name)
    labels = labels_for(model, 5)
    stages = sample_stages(model, range(3, 8), labels, temperature=0.8)
    assert len(stages) == model.stages(temperature=0.8)
    assert equal(stages[-1], sample(model, range(3, 8), labels, temperature=0.8))
    assert all(stage.dtype == np.uint8 for stage in stages)


def test_each_stage_has_its_own_size_and_content():
    model = build("lapgan")
    assert [stage.shape for stage in sample_stages(model, range(5), [1] * 5)] == small_pyramid(5)
    canvases = sample_stages(build("gran"), range(5))
    assert [canvas.shape for canvas in canvases] == [(5, 16, 16, 1)] * 3
    assert not equal(canvases[0], canvases[1])
    assert not equal(canvases[1], canvases[2])


@pytest.mark.parametrize("name", ["gran", "lapgan"])
@pytest.mark.parametrize("chunk", [1, 4])
def test_stages_do_not_depend_on_chunks(name, chunk):
    model = build(name)
    labels, temperatures = labels_for(model, 10), torch.linspace(0.2, 1.4, 10)
    whole = sample_stages(model, range(10), labels, temperature=temperatures)
    parts = sample_stages(model, range(10), labels, chunk=chunk, temperature=temperatures)
    assert len(whole) == len(parts) == 3
    assert all(equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_stages_need_seeds_and_as_many_labels():
    with pytest.raises(GanlibError, match="name at least one"):
        sample_stages(build("gran"), [])
    with pytest.raises(GanlibError, match="3 seeds need as many labels, not 2"):
        sample_stages(build("lapgan"), [1, 2, 3], [0, 1])


class Watched(DCGAN):
    def trace(self, latents: Latents, labels: Tensor | None = None, **options: Any) -> Iterator[Tensor]:
        for _ in range(2):
            self.seen = [
                *getattr(self, "seen", []),
                (threading.current_thread().name, torch.is_inference_mode_enabled()),
            ]
            yield self.generate(latents, labels, **options)


def test_every_stage_is_made_in_the_devices_thread_without_gradients():
    model = Watched(DCGAN.Config.tiny()).eval()
    assert len(sample_stages(model, [0, 1])) == 2
    assert model.seen == [("ganlib-cpu_0", True)] * 2


@pytest.mark.parametrize("name", ["gran", "lapgan", "cdcgan"])
def test_pictures_grow_stage_by_stage_into_the_sample(name):
    model = build(name)
    seeds, labels = list(range(CHUNK + 6)), labels_for(model, CHUNK + 6)
    growth = Growing(model, seeds, None if labels is None else labels.tolist())
    assert (growth.images == 128).all()
    shares = []
    while not growth.done:
        before = growth.images
        copy = before.copy()
        growth.step()
        assert equal(before, copy)  # who shows or saves a state keeps it
        shares.append(growth.fraction)
        if growth.fraction < CHUNK / len(seeds):
            assert (growth.images[CHUNK:] == 128).all()  # the second chunk waits
    assert len(shares) == 2 * model.stages()
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert equal(growth.images, sample(model, seeds, labels))
    growth.step()
    assert growth.fraction == 1


def test_growth_that_failed_starts_again(monkeypatch):
    model = build("gran")
    trace = model.trace

    def broken(*asked: Any, **options: Any) -> Iterator[Tensor]:
        yield next(trace(*asked, **options))
        raise ValueError("no")

    monkeypatch.setattr(model, "trace", broken)
    growth = Growing(model, [1, 2])
    growth.step()
    with pytest.raises(ValueError, match="no"):
        growth.step()
    assert growth.fraction == 0
    monkeypatch.setattr(model, "trace", trace)
    assert equal(growth.finish(), sample(model, [1, 2]))


# Chunks, memory, threads.


def test_chunks_come_as_they_are_made():
    model = build("dcgan")
    assert [len(c) for c in sample_chunks(model, range(10), chunk=4)] == [4, 4, 2]


@pytest.mark.parametrize("chunk", [1, 4, 64])
def test_options_of_one_value_per_image_follow_their_images_into_the_chunks(chunk):
    model = build("cdcgan")
    temperatures = torch.linspace(0.2, 1.4, 10)
    labels = labels_for(model, 10)
    together = sample(model, range(10), labels, chunk=chunk, temperature=temperatures)
    alone = [sample(model, [i], labels[i : i + 1], temperature=float(t)) for i, t in enumerate(temperatures)]
    assert equal(together, np.concatenate(alone))


def test_labels_and_seeds_must_be_as_many():
    with pytest.raises(GanlibError, match="3 seeds need as many labels, not 2"):
        sample(build("cdcgan"), [1, 2, 3], [0, 1])


class Small(DCGAN):
    """As on a device whose memory holds only ``fits`` images."""

    fits = 5

    def generate(self, latents: Latents, labels: Tensor | None = None, **options: float) -> Tensor:
        self.tried = [*getattr(self, "tried", []), len(latents)]
        if len(latents) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().generate(latents, labels, **options)


def small(fits: int) -> Small:
    model = Small(DCGAN.Config.tiny())
    model.load_state_dict(build("dcgan").state_dict())
    model.fits = fits
    return model.eval()


def test_a_chunk_that_does_not_fit_in_memory_is_halved_until_it_does():
    model = small(5)
    images = sample(model, range(11), chunk=16)
    assert model.tried == [12, 8, 4, 4, 4]  # filled up to multiples of four
    assert equal(images, sample(build("dcgan"), range(11)))


def test_stages_that_do_not_fit_in_memory_are_made_in_smaller_chunks_too():
    model = small(5)
    (images,) = sample_stages(model, range(11), chunk=16)
    assert model.tried == [12, 8, 4, 4, 4]  # filled up to multiples of four
    assert equal(images, sample(build("dcgan"), range(11)))
    assert equal(Growing(small(5), range(11)).finish(), images)


def test_memory_for_not_even_one_image_is_an_error():
    with pytest.raises(torch.OutOfMemoryError):
        sample(small(0), range(3))


def test_other_errors_are_not_taken_for_lack_of_memory():
    with pytest.raises(TypeError, match="colour"):
        sample(build("dcgan"), [0], colour=1)


def test_sampling_leaves_no_lock_behind_after_an_error():
    model = small(0)
    with pytest.raises(torch.OutOfMemoryError):
        sample(model, [0])
    model.fits = 5
    assert len(sample(model, [0])) == 1


@pytest.mark.parametrize("name", GENERATIVE)
def test_chunks_at_once_are_the_chunks_one_after_the_other(name):
    model = build(name)
    labels = labels_for(model, 22)
    expected = sample(model, range(22), labels, chunk=4)
    torch.set_num_threads(2)
    try:
        assert equal(sample(model, range(22), labels, chunk=4), expected)
        assert [len(part) for part in sample_chunks(model, range(22), labels, chunk=8)] == [8, 8, 6]
    finally:
        torch.set_num_threads(1)


def test_what_does_not_fit_at_once_is_computed_one_by_one_then_in_halves():
    model = small(3)
    torch.set_num_threads(2)
    try:
        assert len(sample(model, range(10), chunk=4)) == 10
    finally:
        torch.set_num_threads(1)


def test_threads_that_sample_at_once_get_the_images_they_would_alone():
    models = [build(name) for name in ("cdcgan", "sngan")]
    jobs = [(model, range(start, start + 12), [k] * 12) for model in models for start in (0, 50) for k in (0, 2)]
    alone = [sample(*job, chunk=5) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            at_once = list(pool.map(lambda job: sample(*job, chunk=5), jobs))
            assert all(np.array_equal(a, b) for a, b in zip(alone, at_once, strict=True))
