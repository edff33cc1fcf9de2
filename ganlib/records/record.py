"""One measured number with all that it depends on.

Two numbers of a metric compare exactly where their protocols are equal. What a metric needs beyond the common fields is
in ``Protocol.extra``:

kid subset · isc splits · precision, recall, density, coverage neighbours · fid_infinity sizes · class_fid class
ppl            space, path, epsilon, paths (how many), discarded (percentiles beyond which they are)
cas            trained: the classifier's model, width, images seen, batch_size and seed
code_accuracy  code, and matched {data, split, fingerprint, n}: where its values got their classes
probe_accuracy trained, likewise, grid and svm; its layers and pixels_accuracy stand beside the protocol
two_sample_auc, neighbour_accuracy, energy_distance, copied   test, size, encoding, seed; of pixels the subject; of
               copies the number of training_images
straightness   steps
of generated images of imbalanced data sets   class_mix: classes in proportion to the training images, and a random
               sample of these
psnr, ssim, feature_distance, target_fid, target_kid, source_fid   task, of translation with the direction
sampling_rate  machine; its blocks are calls of 64 images
training_rate  machine, precision
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from sys import float_info
from types import NoneType
from typing import Any, Self

from ganlib.files import parse_json
from ganlib.records.metrics import METRICS

LARGEST = 2**53  # up to which a browser, too, knows each integer


@dataclass(frozen=True)
class Interval:
    low: float
    high: float
    how: str = ""  # it was computed

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        if not (isinstance(values, dict) and _is_number(values.get("low")) and _is_number(values.get("high"))):
            raise ValueError("has no proper 'interval'")
        return cls(values["low"], values["high"], str(values.get("how", "")))

    def to_dict(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "how": self.how}


@dataclass(frozen=True)
class Reference:
    """The real images that were compared with."""

    data: str
    split: str
    fingerprint: str = ""

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        if not (isinstance(values, dict) and {"data", "split"} <= values.keys()):
            raise ValueError("has no proper 'protocol'")
        return cls(str(values["data"]), str(values["split"]), str(values.get("fingerprint", "")))

    def to_dict(self) -> dict[str, Any]:
        return {"data": self.data, "split": self.split, "fingerprint": self.fingerprint}


@dataclass(frozen=True)
class Protocol:
    """What two numbers must share to be compared."""

    n_real: int = 0  # images compared with, 0 where there are none
    n_fake: int = 0  # images generated, 0 where none are
    reference: Reference | None = None
    extractor: str | None = None  # None where the model itself is measured
    extractor_name: str | None = None
    extractor_hash: str | None = None
    resizer: str | None = "none"
    options: Mapping[str, Any] = field(default_factory=dict)  # of ``generate``, those not at their default
    extra: Mapping[str, Any] = field(default_factory=dict)  # what one metric needs beyond these

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        if not isinstance(values, dict):
            raise ValueError("has no proper 'protocol'")
        counts = all(_is_count(values.get(name)) for name in ("n_real", "n_fake"))
        texts = (values.get(name) for name in ("extractor", "extractor_name", "extractor_hash", "resizer"))
        extractor = "extractor" in values and all(isinstance(text, (str, NoneType)) for text in texts)
        if not (counts and extractor and isinstance(values.get("options"), dict)):
            raise ValueError("has no proper 'protocol'")
        names = _names(cls)
        reference = values.get("reference")
        return cls(
            **{name: values[name] for name in names & values.keys() if name != "reference"},
            reference=None if reference is None else Reference.from_dict(reference),
            extra={name: value for name, value in values.items() if name not in names},
        )

    @classmethod
    def from_key(cls, key: str) -> Self:
        """ValueError for a text that is none."""
        return cls.from_dict(parse_json(key))

    def to_dict(self) -> dict[str, Any]:
        """As ``evaluation.json`` has it: what is in ``extra`` stands beside the rest."""
        values = {name: getattr(self, name) for name in (f.name for f in fields(self)) if name != "extra"}
        values |= {"reference": self.reference.to_dict() if self.reference else None, "options": dict(self.options)}
        return values | dict(self.extra)

    @property
    def key(self) -> str:
        """Canonical JSON: numbers of a metric compare exactly where their keys are equal."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @property
    def label(self) -> str:
        """ "embedded cifar10-classifier · 10,000 generated vs 50,000 cifar10-jpeg train · truncation 0.5"."""
        extractor = dict.fromkeys(filter(None, [self.extractor, self.extractor_name]))
        sides = [f"{self.n_fake:,} generated"] if self.n_fake else []
        if self.reference:
            sides.append(f"{self.n_real:,} {self.reference.data} {self.reference.split}")
        extra = [str(self.extra[name]) for name in ("space", "machine", "task") if name in self.extra]
        extra += [f"classes {self.extra['class_mix']}"] if "class_mix" in self.extra else []
        return " · ".join(filter(None, [" ".join(extractor), " vs ".join(sides), *extra, self.options_label]))

    @property
    def options_label(self) -> str:
        """ "steps 50 · truncation 0.5", "" where all are at their default."""
        return " · ".join(f"{name} {value}" for name, value in sorted(self.options.items()))

    def measured_on(self, other: Protocol) -> bool:
        """Whether these are the images of ``other`` or those of one class of them, seen by the same extractor.

        A metric without extractor, or without generated images, goes with all that have the same options. Of how many
        images those of a class are a part, ``Record.seeds`` alone says.
        """
        features = [(p.extractor, p.extractor_hash, p.resizer) for p in (self, other)]
        same_features = self.extractor is None or features[0] == features[1]
        same_images = self.n_fake in (0, other.n_fake) or ("class" in self.extra and self.n_fake <= other.n_fake)
        if self.n_fake:
            same_images &= self.extra.get("class_mix") == other.extra.get("class_mix")
        references = {p.reference for p in (self, other) if p.reference}
        same_reference = len(references) == len({reference.split for reference in references})
        return same_features and same_images and same_reference and self.options == other.options


@dataclass(frozen=True, kw_only=True)
class Record:
    metric: str
    value: float
    protocol: Protocol
    interval: Interval | None = None
    blocks: tuple[float, ...] = ()  # the metric on each of the parts behind the interval
    warning: str | None = None  # why to distrust the number
    labels: str = "none"  # of the generated images: "balanced", "proportional" to the training data's, or "none"
    seeds: str | None = None  # "0-9999", of a class those of all classes
    options: Mapping[str, Any] = field(default_factory=dict)  # all that ``generate`` was called with
    images_seen: int | None = None  # by the evaluated weights
    weights_hash: str = ""  # 12 hex digits of the evaluated file
    snapshot: int | None = None  # its images, None for the run's weights
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    date: str | None = None  # ISO 8601
    extra: Mapping[str, Any] = field(default_factory=dict)  # what one metric alone has to say

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """ValueError says in a few words what is wrong; keys of other versions are kept in ``extra``."""
        if not isinstance(values, dict):
            raise ValueError("is not an object")
        checks = {
            "metric": isinstance(values.get("metric"), str),
            "value": _is_number(values.get("value")),
            "weights_hash": isinstance(values.get("weights_hash", ""), str),
            **{name: values.get(name) is None or _is_count(values[name]) for name in ("snapshot", "images_seen")},
            "warning": isinstance(values.get("warning"), (str, NoneType)),
            "blocks": _is_list_of_numbers(values.get("blocks") or []),
            **{name: isinstance(values.get(name), (dict, NoneType)) for name in ("options", "versions")},
        }
        if wrong := next((name for name, valid in checks.items() if not valid), ""):
            raise ValueError(f"has no proper {wrong!r}")
        names = _names(cls)
        interval = values.get("interval")
        known = {name: values[name] for name in names & values.keys()} | {
            "protocol": Protocol.from_dict(values.get("protocol")),
            "interval": None if interval is None else Interval.from_dict(interval),
            "blocks": tuple(values.get("blocks") or ()),
            **{name: values.get(name) or {} for name in ("options", "versions")},
        }
        return cls(**known, extra={name: value for name, value in values.items() if name not in names})

    def to_dict(self) -> dict[str, Any]:
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "extra"}
        return (
            values
            | {"protocol": self.protocol.to_dict(), "interval": self.interval.to_dict() if self.interval else None}
            | {"blocks": list(self.blocks), "options": dict(self.options), "versions": dict(self.versions)}
            | dict(self.extra)
        )

    def describe(self) -> str:
        """One line for people. What another extractor than Inception measures is never called plainly FID."""
        metric, protocol = METRICS.get(self.metric), self.protocol
        name = metric.label if metric else self.metric
        if "class" in protocol.extra:
            name = f"{name} of {protocol.extra['class']}"
        if "space" in protocol.extra:
            name = f"{name} in {protocol.extra['space']}"
        generated = f"n={protocol.n_fake:,}" if protocol.n_fake else ""
        real = f"{protocol.n_real:,} {protocol.reference.split}" if protocol.reference else ""
        if protocol.extractor:
            images = [f"{generated} vs {real}" if real else generated]
        else:
            images = [generated, f"{real} images" if real else ""]
        where = ", ".join(
            filter(None, [protocol.extractor, *(protocol.extra.get(name) for name in ("code", "task")), *images])
        )
        percent = metric is not None and metric.unit == "%"
        value = f"{self.value:.1%}" if percent else f"{self.value:.4g}"
        if self.interval:
            value += f" ± {self.interval.half_width:{'.1%' if percent else '.2g'}}"
        return f"{name} ({where}) {value}"


def _names(cls: type) -> set[str]:
    return {f.name for f in fields(cls)} - {"extra"}


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and abs(value) <= float_info.max


def _is_list_of_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST
