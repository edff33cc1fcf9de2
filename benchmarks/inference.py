"""Images a second of runs in other memory formats, precisions and runtimes, in turn within one process.

    python -m benchmarks.inference digits-cdcgan cifar10-sngan [--images 64] [--rounds 5] [--threads 1]

Ratios are to the way in which ganlib loads a run: float32, channels_last. The best of all rounds counts, since other
work can only slow a call down. Compilation and export are not counted. Each variant's images are compared with the
first's, in levels of 255.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlib.applications.onnx_export import export_onnx
from ganlib.commands.sample import parse_options
from ganlib.devices import hardware, pick_device
from ganlib.errors import GanlibError
from ganlib.images import to_uint8
from ganlib.runs import Run, find_run
from ganlib.sampling import check_options


def variants(run: Run, n: int, device: torch.device, options: dict[str, str]) -> dict[str, Callable[[], Tensor]]:
    """What draws the images of n seeds, (n, C, H, W) in [-1, 1]."""
    model: Any = run.load(device)
    chosen = check_options(model, options)
    latents = model.latents(range(n))
    labels = torch.arange(n) % model.config.num_classes if model.conditional else None
    rows: Any = labels if labels is None else torch.nn.functional.one_hot(labels, model.config.num_classes).float()
    rows = rows if rows is None else rows.to(device)

    def draw(network: Any) -> Tensor:
        return network.generate(latents, rows, **chosen)

    contiguous = run.load(device).to(memory_format=torch.contiguous_format)
    compiled: Any = run.load(device)
    compiled.generate = torch.compile(compiled.generate)

    def bf16() -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            return draw(model).float()

    found = {
        "float32, channels_last": lambda: draw(model),
        "float32, contiguous": lambda: draw(contiguous),
        "bf16 autocast": bf16,
        "torch.compile": lambda: draw(compiled),
    }
    if device.type == "cuda":
        compiled_graphs: Any = run.load(device)
        compiled_graphs.generate = torch.compile(compiled_graphs.generate, mode="reduce-overhead")
        found["torch.compile, CUDA graphs"] = lambda: draw(compiled_graphs)
    if session := onnx_session(run, options):
        inputs = {"z": latents.z.cpu().numpy()} | ({} if rows is None else {"class_weights": rows.cpu().numpy()})
        found["ONNX Runtime, CPU"] = lambda: torch.from_numpy(session.run(["images"], inputs)[0])
    return found


def onnx_session(run: Run, options: dict[str, str]) -> Any:
    """None where there is no such graph."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        try:
            content = export_onnx(run, Path(folder) / "model.onnx", options).path.read_bytes()
        except GanlibError as error:
            print(f"no ONNX: {error}")
            return None
    return onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])


def measure(run: Run, args: argparse.Namespace, device: torch.device) -> None:
    draws = variants(run, args.images, device, parse_options(args.option))
    seconds: dict[str, float] = {}
    images: dict[str, np.ndarray] = {}
    with torch.inference_mode():
        for name, draw in list(draws.items()):
            try:
                images[name] = to_uint8(draw()).astype(int)
                draw()
            except Exception as error:  # a compiler that this machine lacks
                print(f"no {name}: {type(error).__name__}")
                del draws[name]
        for _ in range(args.rounds):
            for name, draw in draws.items():
                start = time.perf_counter()
                draw()
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
                seconds[name] = min(seconds.get(name, 1e9), time.perf_counter() - start)
    first = next(iter(draws))
    for name in draws:
        difference = np.abs(images[name] - images[first])
        print(
            f"| {run.name} | {name} | {args.images / seconds[name]:,.0f} | {seconds[first] / seconds[name]:.2f} | "
            f"{difference.max()} | {difference.mean():.3f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    print(f"{hardware(device)}, torch {torch.__version__}, {args.images} images a call, best of {args.rounds}\n")
    print("| run | variant | images/s | ratio | largest difference | mean |")
    print("|-|-|-|-|-|-|")
    for name in args.runs:
        measure(find_run(name), args, device)


if __name__ == "__main__":
    main()
