"""Which device computes, in which precision, and one lock for each."""

from __future__ import annotations

import threading
from collections import defaultdict

import torch

from ganlib.errors import GanlibError

_LOCKS: dict[str, threading.Lock] = defaultdict(threading.Lock)


def available_devices() -> list[str]:
    """Names that ``pick_device`` accepts here, best first; always ends with "cpu"."""
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def pick_device(name: str = "auto") -> torch.device:
    """ "auto" takes CUDA, then MPS, then the CPU; "cuda" is the first GPU."""
    names = available_devices()
    if name == "auto":
        return torch.device(names[0])
    if name == "cuda" and "cuda:0" in names:
        return torch.device("cuda:0")
    if name in names:
        return torch.device(name)
    raise GanlibError(f"This machine has no device {name!r}; choose auto, {', '.join(names)}.")


def device_lock(device: torch.device) -> threading.Lock:
    """Held while a model computes: sessions share models, and two forward passes at once only slow each other."""
    return _LOCKS[str(device)]


def bf16_helps(device: torch.device) -> bool:
    """True where bfloat16 runs on the hardware: emulated on the CPU it is several times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # older torch cannot tell
        found = torch.cpu.get_capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return False


def is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has a type for it; the CPU and MPS allocators only say so in words."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()
