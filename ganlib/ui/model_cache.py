"""Models in memory, shared by all sessions: as many as there is room for, none twice."""

from __future__ import annotations

import gc
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from threading import Lock
from weakref import WeakValueDictionary

import torch

from ganlib.models import Trainable
from ganlib.settings import model_memory


class ModelCache:
    """Those used last stay, up to ``limit`` bytes in all and at least one.

    One that was dropped and that a session still works with is found again rather than loaded a second time.
    """

    def __init__(self, limit: Callable[[], int] = model_memory) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[Trainable, int]] = OrderedDict()  # with its bytes
        self._alive: WeakValueDictionary[Hashable, Trainable] = WeakValueDictionary()
        self._loading: defaultdict[Hashable, Lock] = defaultdict(Lock)
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._alive

    @property
    def size(self) -> int:
        """Bytes of what is kept."""
        with self._lock:
            return sum(size for _, size in self._kept.values())

    def get(self, key: Hashable, load: Callable[[], Trainable]) -> Trainable:
        """The model of this key; ``load`` makes it, once however many ask at the same time. Its errors pass through."""
        with self._lock:
            loading = self._loading[key]
        with loading:
            model = self._alive.get(key)
            if model is None:
                model = self._alive[key] = load()
            with self._lock:
                self._loading.pop(key, None)
                self._keep(key, model)
        return model

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._alive.clear()

    def _keep(self, key: Hashable, model: Trainable) -> None:
        if key not in self._kept:
            self._kept[key] = model, _size(model)
        self._kept.move_to_end(key)
        total, limit = sum(size for _, size in self._kept.values()), self._limit()
        while total > limit and len(self._kept) > 1:
            _, (dropped, size) = self._kept.popitem(last=False)
            total -= size
            on_gpu = dropped.device.type == "cuda"
            del dropped
            if on_gpu:
                gc.collect()
                torch.cuda.empty_cache()


def _size(model: Trainable) -> int:
    """Bytes of its tensors."""
    return sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))
