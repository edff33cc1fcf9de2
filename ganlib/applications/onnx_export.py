"""A run's generator as an ONNX file, for ONNX Runtime and others: one forward pass, checked against torch on seeds."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import to_uint8
from ganlib.models import GenerativeModel, Latents
from ganlib.provenance import versions
from ganlib.runs import Run
from ganlib.sampling import check_options

OPSET = 18  # the lowest that torch's exporter writes without conversion; ONNX Runtime reads it from 1.14 on
SEEDS = range(16)
MAX_LEVELS = 1  # of 255, by which images may differ: sums in another order round to the next level here or there
HINT = "Where its images take noise of the seed besides z, choose an --option that holds it, such as noise=held."
BATCH = 4  # of the example that the graph is traced with


class Export(NamedTuple):
    path: Path
    inputs: tuple[str, ...]
    largest: int  # difference of the images of ``SEEDS`` in levels of 255
    mean: float


class _Generate(nn.Module):
    """(N, *latent_shape), (N, K) class weights -> (N, C, H, W) in [-1, 1]."""

    def __init__(self, model: GenerativeModel, options: dict[str, Any]) -> None:
        super().__init__()
        self.model, self.options = model, options

    def forward(self, z: Tensor, class_weights: Tensor | None = None) -> Tensor:
        seeds = torch.zeros(z.shape[0], dtype=torch.int64)
        return self.model.generate(Latents(z, seeds), class_weights, **self.options)


def export_onnx(run: Run, path: Path, options: dict[str, str] | None = None, opset: int = OPSET) -> Export:
    """Inputs ``z`` and, of a conditional model, ``class_weights`` (N, K); the output is ``images``, for any number N.

    GanlibError for a model that draws in several steps, whose images take more than these inputs, or that does not pass
    the check; then nothing is written.
    """
    _require_packages()
    model = run.load()
    if not isinstance(model, GenerativeModel):
        raise GanlibError(f"{run.name} generates nothing from seeds, so that there is no generator to export.")
    checked = check_options(model, options or {})
    if model.stages(**checked) > 1:
        raise GanlibError(
            f"{run.name} draws in {model.stages(**checked)} steps; an ONNX file holds one forward pass: export a "
            "one-step model, such as a GAN."
        )
    wrapper = _Generate(model, checked).eval()
    example = _inputs(model, range(BATCH))
    content = _trace(wrapper, example, opset, run, checked)
    largest, mean = _difference(wrapper, content, _inputs(model, SEEDS), run)
    if largest > MAX_LEVELS:
        raise GanlibError(
            f"The ONNX graph of {run.name} draws other images than torch (up to {largest} levels of 255); nothing was "
            f"written. {HINT}"
        )
    write_atomically(path, content)
    return Export(path, tuple(example), largest, mean)


def _require_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise GanlibError(f"Export as ONNX needs {error.name}; install it with: pip install 'ganlib[onnx]'.") from None


def _inputs(model: GenerativeModel, seeds: Sequence[int]) -> dict[str, Tensor]:
    """z of the seeds and, class by class in turn, weights of 1."""
    inputs = {"z": model.latents(seeds).z}
    if model.conditional:
        k = model.config.num_classes
        inputs["class_weights"] = one_hot(torch.arange(len(seeds)) % k, k).float()
    return inputs


def _trace(wrapper: nn.Module, example: dict[str, Tensor], opset: int, run: Run, options: dict[str, Any]) -> bytes:
    batch = torch.export.Dim("N")
    try:
        with _quiet():
            program = torch.onnx.export(
                wrapper,
                (),
                kwargs=example,
                dynamo=True,
                opset_version=opset,
                input_names=list(example),
                output_names=["images"],
                dynamic_shapes={name: {0: batch} for name in example},
                custom_translation_table={torch.ops.aten.scaled_dot_product_attention.default: _attention},
                verbose=False,
            )
    except Exception as error:  # whatever of the network the exporter cannot follow
        cause = type(error.__cause__ or error).__name__
        raise GanlibError(
            f"torch's exporter cannot follow how {run.name} draws ({cause}), so that there is no ONNX graph. {HINT}"
        ) from error
    assert program is not None
    proto = program.model_proto
    about = {
        "run": run.name,
        "weights_sha256_12": run.weights_hash,
        "model": run.model_name,
        "classes": json.dumps(run.classes),
        "options": json.dumps(options),
        "versions": json.dumps(versions()),
        "images": "(N, C, H, W) in [-1, 1]; level = round(127.5 * (x + 1))",
    }
    for key, value in about.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(proto.SerializeToString())


def _attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Softmax(scale Q Kᵀ) V of any rank: torch's exporter knows four axes alone, and SAGAN's attention has three."""
    from onnxscript import opset18 as op

    if attn_mask is not None or is_causal or enable_gqa or dropout_p:
        raise NotImplementedError("attention with a mask, groups or dropout")
    rank = len(query.shape)
    scores = op.MatMul(query, op.Transpose(key, perm=[*range(rank - 2), rank - 1, rank - 2]))
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    return op.MatMul(op.Softmax(op.Mul(scores, op.Constant(value_float=factor)), axis=-1), value)


def _difference(wrapper: nn.Module, content: bytes, inputs: dict[str, Tensor], run: Run) -> tuple[int, float]:
    """Largest and mean difference in levels of 255 to what ONNX Runtime draws on the CPU."""
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        (images,) = session.run(["images"], {name: tensor.numpy() for name, tensor in inputs.items()})
    except Exception as error:  # its own types, which share no base
        reason = " ".join(str(error).split())[:160]
        raise GanlibError(f"ONNX Runtime cannot run the graph of {run.name} ({reason}).") from error
    with torch.inference_mode():
        expected = to_uint8(wrapper(**inputs)).astype(int)
    levels = np.abs(to_uint8(torch.from_numpy(images)).astype(int) - expected)
    return int(levels.max()), float(levels.mean())


@contextmanager
def _quiet() -> Any:
    """The exporter logs what it tries to standard output and warns of its own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
