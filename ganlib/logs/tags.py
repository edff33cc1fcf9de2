"""Names that tools give their scalars, and the canonical tags of this package. A new name is a line of data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

MAX_NAME = 80  # characters of a name that may be one of a known scalar


class Tag(NamedTuple):
    name: str
    scale: float = 1.0  # what the file's number is multiplied by


# Patterns of a full name after ``normalize_name``, with or without "train_" before it.
# The first that fits counts.
_D = (
    r"(?:d|dis|disc|discriminator|netd|critic|discriminador|discriminateur|diskriminator|дискриминатора?|判[别別]器"
    r"|鉴别器)"
)
_G = r"(?:g|gen|generator|netg|generador|gerador|g[ée]n[ée]rateur|генератора?|生成器)"
_LOSS = r"(?:loss|losses|err|error|verlust|perte|p[ée]rdida|perda|perdita|потер[яи]|损失|損失|손실)"
_M = r"(?:(?:metrics?|val(?:id(?:ation)?)?|test|eval(?:uation)?)_)?"  # these are measured on no training batch
_N = r"(?:_?\d+k?)*"  # "50k", "_50k_50k"
_IMPROVED = rf"(?:pr{_N}(?:_full)?_|improved_)"  # precision and recall of arXiv:1904.06991
CANONICAL: tuple[tuple[str, Tag], ...] = (
    # Progress
    (r"(?:progress_)?kimgs?|n_?kimgs?", Tag("images", 1000)),
    (r"(?:progress_)?(?:images|n_?imgs?|images_seen|num_images|samples_seen|nimg)", Tag("images")),
    (r"(?:progress_)?(?:current_)?epochs?|ep|_epoch|epochen?|[ée]po(?:que|ca)|эпоха|轮次", Tag("epoch")),
    (r"(?:progress_)?tick", Tag("tick")),
    (r"elapsed(?:_time)?|timing_total_sec|_?runtime|(?:time_)?time_elapsed|total_time|relative_time_\((?:process|wall)\)",
     Tag("elapsed")),
    # Losses
    (rf"{_LOSS}_?{_D}|{_D}_?{_LOSS}|{_LOSS}_{_D}_{_LOSS}|{_D}_total_{_LOSS}|{_D}_{_LOSS}_total", Tag("loss/D")),
    (rf"{_LOSS}_?{_G}|{_G}_?{_LOSS}|{_LOSS}_{_G}_{_LOSS}|{_G}_total_{_LOSS}|{_G}_{_LOSS}_total", Tag("loss/G")),
    (rf"(?:{_LOSS}_{_D}|{_D}_{_LOSS})_real|{_D}_real_{_LOSS}|{_LOSS}_real", Tag("loss/D/real")),
    (rf"(?:{_LOSS}_{_D}|{_D}_{_LOSS})_fake|{_D}_fake_{_LOSS}|{_LOSS}_fake", Tag("loss/D/fake")),
    (rf"{_LOSS}_{_D}_reg", Tag("loss/D/reg")),
    (rf"{_LOSS}_{_G}_reg", Tag("loss/G/reg")),
    (r"cls_loss|loss_cls|class(?:ification)?_loss", Tag("loss/classify")),
    (r"(?:loss_)?r1(?:_penalty)?", Tag("D/r1")),
    (r"(?:loss_)?(?:pl|path_length)(?:_penalty)?", Tag("G/path_length")),
    (r"gp|(?:loss_)?gradient_penalty|gp_loss|loss_gp", Tag("D/penalty")),
    (r"loss|loss_loss", Tag("loss")),
    # Outputs of the discriminator
    (rf"loss_scores_real|d\(x\)|{_D}_?x|{_D}_(?:logits?_|scores?_)?real|(?:logits?|scores?)_real|real_(?:logits?|scores?)",
     Tag("D/real")),
    (rf"loss_scores_fake|d\(g\(z\)\)|{_D}_?g_?z(?:_?1)?|{_D}_(?:logits?_|scores?_)?fake|(?:logits?|scores?)_fake|"
     r"fake_(?:logits?|scores?)", Tag("D/fake")),
    (rf"{_D}_acc(?:uracy)?|acc(?:uracy)?_{_D}", Tag("D/accuracy")),
    # Adaptive augmentation (arXiv:2006.06676)
    (r"progress_augment|augment|ada_p|aa_p|ada_aug_p|p_ada", Tag("ada/p")),
    (r"loss_signs_real|dis_sign_real|r_t|ada_r_?t|signs_real", Tag("ada/r_t")),
    (r"loss_signs_fake|dis_sign_fake|signs_fake", Tag("ada/signs_fake")),
    # Learning rates
    (rf"lr_{_D}|{_D}_(?:lr|learning_rate)|(?:learning_rate|lr)_{_D}", Tag("lr/D")),
    (rf"lr_{_G}|{_G}_(?:lr|learning_rate)|(?:learning_rate|lr)_{_G}", Tag("lr/G")),
    (r"lr|learning_rate|lr_(?:adamw?|sgd|rmsprop)", Tag("lr")),
    # Gradients
    (rf"grad(?:_norm)?_{_D}|{_D}_grad(?:_norm)?", Tag("grad/D")),
    (rf"grad(?:_norm)?_{_G}|{_G}_grad(?:_norm)?", Tag("grad/G")),
    # Metrics
    (rf"{_M}(?:(?:clean_?|legacy_?)?fid{_N}(?:_full)?(?:_score)?|fid(?:_full)?{_N}_fid|frechet_inception_distance)",
     Tag("fid")),
    (rf"{_M}(?:kid{_N}(?:_full)?(?:_score|_mean)?|kernel_inception_distance(?:_mean)?)", Tag("kid")),
    (rf"{_M}(?:kid{_N}(?:_full)?|kernel_inception_distance)_std", Tag("kid/std")),
    (rf"{_M}(?:is|isc|inception_score|is_score){_N}(?:_full)?(?:_mean|_score)?", Tag("isc")),
    (rf"{_M}(?:is|isc|inception_score){_N}(?:_full)?_std", Tag("isc/std")),
    (rf"(?:metrics?_)?(?:{_IMPROVED}?precision|{_IMPROVED}prc)", Tag("precision")),
    (rf"(?:metrics?_)?(?:{_IMPROVED}?recall|{_IMPROVED}rec)", Tag("recall")),
    (r"(?:metrics?_)?density", Tag("density")),
    (r"(?:metrics?_)?coverage", Tag("coverage")),
    (rf"(?:metrics?_)?ppl{_N}(?:_?(?:full|w|wend|zend|z|end))*", Tag("ppl")),
    (r"f_?8(?:_score)?", Tag("f_8")),
    (r"f_?1_8(?:_score)?", Tag("f_1/8")),
    (r"accuracy|acc", Tag("accuracy")),
    # Resources
    (r"timing_sec_per_tick|sec_tick", Tag("seconds/tick")),
    (r"timing_sec_per_kimg|sec_kimg", Tag("seconds/kimg")),
    (r"timing_maintenance_sec|maintenance", Tag("seconds/maintenance")),
    (r"resources_cpu_mem_gb|cpumem", Tag("memory/cpu")),
    (r"resources_peak_gpu_mem_gb|gpumem", Tag("memory/gpu")),
    (r"resources_peak_gpu_mem_reserved_gb|reserved", Tag("memory/gpu_reserved")),
    (r"images_s|imgs?_s|images_per_sec(?:ond)?|imgs?_per_sec|throughput", Tag("images/s")),
)  # fmt: skip

# Names that mean a metric only beside the other one: alone "rec" is as often the loss of a reconstruction.
SHORT = {"prc": "precision", "rec": "recall"}

# Measured on a checkpoint, at any later time: going back to an earlier one is no restart of the training.
EVALUATION_TAGS = frozenset(
    ["fid", "kid", "kid/std", "isc", "isc/std", "precision", "recall", "density", "coverage", "ppl", "f_8", "f_1/8"]
)

PROGRESS = frozenset(["images", "epoch", "tick", "elapsed"])  # how far the training is

# Names of the step, in order of preference.
STEP_NAMES = (
    "global_step", "step", "steps", "total_timesteps", "time_total_timesteps", "_step", "total_steps", "iteration",
    "iterations", "iter", "iters", "itr", "it", "n_iter", "num_iter", "iter_num", "cur_iter", "update", "updates",
    "n_updates",
)  # fmt: skip
BATCH_NAMES = ("batch", "batch_idx", "batch_index", "batch_id", "minibatch", "batches", "i")  # starts over each epoch
IMAGE_NAMES = {
    "progress_kimg": 1000,
    "kimg": 1000,
    "kimgs": 1000,
    "images": 1,
    "images_seen": 1,
    "nimg": 1,
    "n_imgs": 1,
}
EPOCH_NAMES = ("epoch", "epochs", "current_epoch", "_epoch", "ep")
# The step and the epoch in other languages, as headers of tables.
TRANSLATED = {
    **dict.fromkeys(
        ["schritt", "schritte", "étape", "etape", "paso", "passo", "iteración", "iteracion", "itération", "iterazione",
         "iteração", "шаг", "итерация", "步数", "迭代", "ステップ", "反復", "스텝", "반복"], "step"),
    **dict.fromkeys(
        ["epoche", "epochen", "époque", "epoque", "época", "epoca", "epoka", "эпоха", "轮次", "周期", "エポック",
         "에폭", "에포크"], "epoch"),
}  # fmt: skip
WALL_TIME_NAMES = (
    "wall_time", "walltime", "timestamp", "_timestamp", "_stamp", "unix_time", "datetime", "date", "created_at",
    "time", "ts",
)  # fmt: skip
# Columns of text that say which scalar a row holds.
TAG_NAMES = ("tag", "metric", "metric_name", "key", "name", "variable", "scalar")
VALUE_NAMES = ("value", "val", "metric_value", "scalar_value", "y")
RUN_NAMES = ("run", "run_name", "run_id", "experiment", "experiment_key", "exp_name")
SPLIT_NAMES = ("split", "phase", "mode", "subset", "stage", "set")

_PATTERNS = tuple((re.compile(pattern), tag) for pattern, tag in CANONICAL)
_ANY_PATTERN = re.compile("|".join(f"(?:{pattern})" for pattern, _ in CANONICAL))  # most names fit none
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_TRAINING = re.compile(r"^train(?:er|ing)?_(?=.)")
_MEANS = re.compile(r"^(?:epoch|step)_(?=.)")
_AFFIXES = re.compile(r"^(?:train(?:ing)?|metrics?)_(?=.)|_(?:step|epoch)$")


def normalize_name(name: str) -> str:
    """``Loss/D/loss`` -> ``loss_d_loss``, ``metricName`` -> ``metric_name``."""
    return re.sub(r"[\s/.:\-]+", "_", _HUMP.sub("_", name.strip(" .:")).lower())


def axis_name(name: str) -> str:
    """The normalized name of what may be an axis: ``train/global_step`` -> ``global_step``, ``Schritt`` -> ``step``;
    but ``train_time``."""
    normalized = normalize_name(name)
    own = _TRAINING.sub("", normalized)
    own = TRANSLATED.get(own, own)
    return own if own in STEP_NAMES or own in EPOCH_NAMES else normalized


@lru_cache(maxsize=4096)
def canonical_tag(name: str) -> Tag:
    """``Loss/D/loss``, ``d_loss``, ``errD`` -> ``loss/D``; an unknown name stays as it is."""
    normalized = normalize_name(name)
    for candidate in dict.fromkeys((normalized, _AFFIXES.sub("", normalized))):
        if tag := _find_tag(candidate):
            return tag
    # Keras' "epoch_loss"; but "epoch_time" is no time since the start.
    if (mean := _MEANS.sub("", normalized)) != normalized and (tag := _find_tag(mean)) and tag.name not in PROGRESS:
        return tag
    return Tag(name.strip())


def _find_tag(normalized: str) -> Tag | None:
    if len(normalized) > MAX_NAME or not _ANY_PATTERN.fullmatch(normalized):
        return None
    return next(tag for pattern, tag in _PATTERNS if pattern.fullmatch(normalized))


def canonical_tags(names: list[str], aliases: Mapping[str, str]) -> list[Tag]:
    """Of names with the same canonical tag only the shortest gets it; the others stay as they are."""
    tags = [Tag(aliases[name]) if name in aliases else canonical_tag(name) for name in names]
    # "D: 0.5 | G: 1.2" are the losses, unless the log has others; alone the letters may be anything.
    if {"d", "g"} <= {name.lower() for name in names} and not {"loss/D", "loss/G"} & {tag.name for tag in tags}:
        tags = [
            Tag(f"loss/{name.upper()}") if name.lower() in ("d", "g") else tag
            for name, tag in zip(names, tags, strict=True)
        ]
    short = [SHORT.get(_AFFIXES.sub("", normalize_name(name))) for name in names]
    if {tag.name for tag in tags} | set(short) >= set(SHORT.values()):
        tags = [
            Tag(tag_of) if tag_of and tag.name == name.strip() else tag
            for name, tag_of, tag in zip(names, short, tags, strict=True)
        ]
    preferred: dict[str, str] = {}
    for name, tag in sorted(zip(names, tags, strict=True), key=lambda pair: (pair[0] != pair[1].name, len(pair[0]))):
        preferred.setdefault(tag.name, name)
    return [tag if preferred[tag.name] == name else Tag(name) for name, tag in zip(names, tags, strict=True)]
