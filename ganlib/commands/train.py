"""python -m ganlib train MODEL --data DATA [any config field] | --like RUN | --start RUN | --resume RUN"""

from __future__ import annotations

import argparse
import re
import signal
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from ganlib.commands.progress import ProgressLine
from ganlib.config import add_arguments, given
from ganlib.data import DataSet, load_data
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.models import MODELS, ModelConfig, Trainable
from ganlib.provenance import commit, now, versions
from ganlib.runs import RUNS, Run, RunFolder, find_run
from ganlib.training import Progress, Trainer, TrainingConfig
from ganlib.training.config import resolve_precision
from ganlib.training.step import select_phases
from ganlib.training.trainer import seeded


def add(subparsers: Any, argv: Sequence[str]) -> None:
    parser = subparsers.add_parser(
        "train",
        help="train a model into a run folder",
        description="Flags of the architecture appear with its name: python -m ganlib train sngan --help",
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--like", metavar="RUN", help="repeat this run's recipe; other flags override it")
    parser.add_argument("--start", metavar="RUN", help="like --like, but from that run's weights, not from random ones")
    parser.add_argument("--resume", metavar="RUN", help="go on where this run stopped; budgets may be raised")
    parser.add_argument("--data", help="name, folder:PATH or celeba:ATTRIBUTE (default: digits)")
    parser.add_argument("--data-root", metavar="DIR", help="where data sets lie (default: $GANLIB_DATA)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="the run's folder (default: a new one in runs/)")
    parser.add_argument("--note", metavar="TEXT", default="", help="a sentence for the run's card")
    add_arguments(parser.add_argument_group("training"), TrainingConfig)
    if argv[:1] == ["train"]:
        model = _model_of(argv[1:])
        if model:
            add_arguments(parser.add_argument_group(model), MODELS[model].Config)
    parser.set_defaults(run=run)


def _model_of(argv: Sequence[str]) -> str | None:
    """The architecture decides which flags exist, so it is looked up before parsing."""
    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("model", nargs="?")
    for flag in ("--like", "--start", "--resume"):
        early.add_argument(flag)
    args, _ = early.parse_known_args(argv)
    if earlier := args.like or args.start or args.resume:
        return find_run(earlier).model_name
    return args.model if args.model in MODELS else None


def run(args: argparse.Namespace) -> None:
    if args.resume:
        folder, model, data, training = _resume(args)
    else:
        folder, model, data, training = _start(args)
    trainer = Trainer(folder, model, data, training, pick_device(args.device), resume=bool(args.resume))
    if args.resume:  # the state fits: now the recipe may say how far it goes
        folder.write_config(find_run(args.resume).recipe | {"training": training.to_dict()})
    stop: list[int] = []
    handlers = {s: signal.signal(s, lambda number, _: stop.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    line = ProgressLine()

    def report(progress: Progress) -> None:
        losses = "  ".join(f"{k} {v:.3g}" for k, v in progress.scalars.items() if k.startswith("loss/"))
        line.update(
            f"{folder.path.name}  {progress.images:,} images  {progress.images_per_second:.0f}/s  {losses}",
            fraction=progress.fraction,
            seconds=progress.seconds,
        )

    try:
        trainer.train(report, lambda: bool(stop))
    finally:
        line.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    how = "stopped; go on with --resume" if stop else "finished"
    print(f"{folder.path}: {how}, {trainer.images:,} images in {trainer.seconds / 60:.1f} minutes")


def _start(args: argparse.Namespace) -> tuple[RunFolder, Trainable, DataSet, TrainingConfig]:
    if args.like and args.start:
        raise GanlibError("--like starts from random weights, --start from a run's; leave one out.")
    like = find_run(args.like or args.start) if args.like or args.start else None
    recipe = like.recipe if like else None
    name = args.model or (recipe and recipe["model"])
    if not name:
        raise GanlibError(f"Name a model to train ({', '.join(MODELS)}) or a run with --like.")
    cls = MODELS[name]
    same = recipe is not None and recipe["model"] == name
    values: dict[str, Any] = dict(recipe["config"]) if recipe and same else {}
    flags = given(args, cls.Config)
    data_name = args.data or (recipe["data"]["name"] if recipe else "digits")
    other_data = recipe is None or data_name != recipe["data"]["name"]
    shape = {} if other_data else values
    data = _load(
        data_name,
        args.data_root,
        flags.get("image_size", shape.get("image_size")),
        flags.get("channels", shape.get("channels")),
    )
    values |= {"image_size": data.size, "channels": data.channels, "num_classes": data.num_classes} | flags
    settings = (like.training if like and same else cls.recipe) | given(args, TrainingConfig)
    device = pick_device(args.device)
    training = resolve_precision(TrainingConfig.from_dict(settings), device)
    if not training.images and not training.max_minutes:
        raise GanlibError("Say how long to train: --images N or --max-minutes M.")
    model = seeded(lambda: cls(cls.Config.from_dict(values)), training.seed)
    if like and args.start:
        _start_from(like, model)
    else:
        model.before_training()
    select_phases(model, training.phases)  # a pattern that matches none is refused before anything is written
    folder = RunFolder(args.out or _new_folder(f"{data.name}-{name}"))
    if folder.config.exists():
        raise GanlibError(f"{folder.path} is a run already; --resume it or choose another --out.")
    if folder.path.exists() and any(folder.path.iterdir()):
        raise GanlibError(f"{folder.path} holds other files; choose an empty or new folder for --out.")
    folder.write_config(
        {
            "model": name,
            "config": model.config.to_dict(),
            "data": {
                "name": data.name,
                "classes": list(data.classes),
                "train": {"n": len(data.train), "fingerprint": data.train.fingerprint},
                "test": {"n": len(data.test), "fingerprint": data.test.fingerprint},
            },
            "training": training.to_dict(),
            **({"start": {"run": like.name, "weights": like.weights_hash}} if like and args.start else {}),
            **({"note": args.note} if args.note else {}),
            "versions": versions(),
            "commit": commit(),
            "created": now(),
        }
    )
    return folder, model, data, training


def _start_from(run: Run, model: Trainable) -> None:
    """The weights of a run whose networks have the same shapes."""
    weights = run.load().state_dict()
    shapes, wanted = ({k: v.shape for k, v in state.items()} for state in (weights, model.state_dict()))
    if shapes != wanted:
        raise GanlibError(f"The weights of {run.name} do not fit networks of other sizes; leave out what changes them.")
    model.load_state_dict(weights)


def _resume(args: argparse.Namespace) -> tuple[RunFolder, Trainable, DataSet, TrainingConfig]:
    found: Run = find_run(args.resume)
    changed = [k for k in given(args, ModelConfig) | given(args, found.model_class.Config)]
    budget = given(args, TrainingConfig)
    fixed = changed + [k for k in budget if k not in ("images", "max_minutes")]
    if fixed:
        raise GanlibError(f"A resumed run keeps its recipe, so {fixed[0]} cannot change; use --like for a new run.")
    c = found.config
    data = _load(found.data_name, args.data_root, c.image_size, c.channels)
    if data.train.fingerprint != found.fingerprint("train"):
        raise GanlibError(
            f"{data.name} is not the data set {found.name} was trained on (its pixels differ); name its folder "
            "with --data-root."
        )
    training = TrainingConfig.from_dict(found.training | budget)
    return found.folder, found.model_class(c), data, training


def _load(name: str, root: str | None, size: int | None, channels: int | None) -> DataSet:
    line = ProgressLine()
    data = load_data(
        name,
        root=root,
        size=size,
        channels=channels,
        progress=partial(line.update_stage, name, "decoded"),
    )
    line.close()
    if data.skipped_count:
        shown = "\n  ".join(data.skipped)
        print(f"{data.skipped_count} unreadable files were skipped:\n  {shown}")
    return data


def _new_folder(name: str) -> Path:
    name = re.sub(r"[^\w.-]", "-", name)  # folder:my pictures
    names = (name if i == 1 else f"{name}-{i}" for i in count(1))
    return next(RUNS / n for n in names if not (RUNS / n).exists())
