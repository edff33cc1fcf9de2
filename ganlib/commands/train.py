"""python -m ganlib train MODEL --data DATA [any config field] | --like RUN | --start RUN | --resume RUN

torchrun --nproc-per-node N -m ganlib train … trains one run in N processes, on one machine or several.
"""

from __future__ import annotations

import argparse
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, redirect_stdout
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import torch

from ganlib.commands.progress import ProgressLine
from ganlib.config import add_arguments, given
from ganlib.data import DataSet, load_data, recorded_name
from ganlib.data.batches import training_rows
from ganlib.data.subset import whole_set
from ganlib.devices import hardware, pick_device
from ganlib.distributed import LostProcess, World, join_world
from ganlib.errors import GanlibError
from ganlib.models import MODELS, ModelConfig, Trainable, blueprint
from ganlib.models.attributes import AttributesConfig
from ganlib.provenance import commit, now, source_hash, versions
from ganlib.recipe import MAX_SKIPPED, DataRecipe, Recipe, SplitRecipe, StartRecipe, read_recipe
from ganlib.run_folder import RunFolder
from ganlib.runs import Run, find_run, read_tensors
from ganlib.settings import RUNS, run_roots
from ganlib.training import Progress, Trainer, TrainingConfig
from ganlib.training.config import precision_here, resolve_precision
from ganlib.training.shares import Shares
from ganlib.training.state import require_state
from ganlib.training.step import select_phases
from ganlib.training.trainer import seeded


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = (
        "Flags of the architecture appear with its name: python -m ganlib train sngan --help. A new run needs --images "
        "or --max-minutes."
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--like", metavar="RUN", help="repeat this run's recipe; other flags override it")
    parser.add_argument("--start", metavar="RUN", help="like --like, but from that run's weights, not from random ones")
    parser.add_argument("--resume", metavar="RUN", help="go on where this run stopped; budgets may be raised")
    parser.add_argument(
        "--data", help="a name that list data shows, folder:PATH, shards:PATH, mixture:SET+SET, … (default: digits)"
    )
    parser.add_argument(
        "--imbalance",
        metavar="COUNTS",
        help="train on a subset: 100:1 or 100:1-step of largest to smallest class, 50 of each, or 500,50,… of them",
    )
    parser.add_argument("--data-root", metavar="DIR", help="where data sets lie (default: $GANLIB_DATA)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="the run's folder (default: a new one in runs/)")
    parser.add_argument("--note", metavar="TEXT", default="", help="a sentence for the run's card")
    add_arguments(parser.add_argument_group("training"), TrainingConfig)
    if argv[:1] == ["train"]:
        model = _model_of(argv[1:])
        if model:
            add_arguments(parser.add_argument_group(model), MODELS[model].Config)


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


class Training(NamedTuple):
    """What the trainer is given, and the recipe that its folder gets."""

    folder: RunFolder
    model: Trainable
    data: DataSet
    config: TrainingConfig
    recipe: Recipe


def run(args: argparse.Namespace) -> None:
    with join_world() as world:
        _train(args, world)


def _train(args: argparse.Namespace, world: World) -> None:
    prepare = _resume if args.resume else _start
    with redirect_stdout(None) if world.rank else nullcontext():
        training = world.agree(lambda: world.rank_0_first(lambda: prepare(args, world)))
    require_same_training(world, training)
    # Rank 0 has chosen the folder.
    training = training._replace(folder=RunFolder(Path(world.gather(str(training.folder.path))[0])))
    folder = training.folder
    with ExitStack() as stack:
        trainer = world.agree(lambda: _begin(args, training, world, stack))
        with _signals() as received, closing(ProgressLine()) as line:
            try:
                trainer.train(partial(_report, folder.path.name, line), lambda: bool(received))
            except LostProcess as error:
                raise GanlibError(f"{error}; go on from the last saved state with --resume {folder.path}.") from error
    damaged = sorted(set().union(*world.gather(sorted(training.data.train.damaged.values()))))
    if world.rank == 0:
        _report_damaged(folder, damaged)
        outcome = "finished" if trainer.finished and not received else "stopped; go on with --resume"
        print(f"{folder.path}: {outcome}, {trainer.images:,} images in {trainer.seconds / 60:.1f} minutes")


def _report_damaged(folder: RunFolder, damaged: list[str]) -> None:
    """Pictures of shards that could not be read when training came to them, into the recipe as well."""
    if not damaged:
        return
    listed = "\n  ".join(damaged[:MAX_SKIPPED])
    print(f"Damaged pictures, left out for others of their classes: {len(damaged):,}\n  {listed}")
    recipe = read_recipe(folder.config)
    folder.write_config(replace(recipe, data=recipe.data.with_skipped(damaged)))


def _begin(args: argparse.Namespace, training: Training, world: World, stack: ExitStack) -> Trainer:
    """The trainer; rank 0 holds the folder's lock until the stack ends, and writes the recipe."""
    folder, model, data, config, recipe = training
    if world.rank == 0:
        stack.enter_context(folder.training())
    if world.rank == 0 and not args.resume:  # another process may have begun and ended in it since it was looked at
        _require_empty(folder, locked=True)
        folder.write_config(recipe.shared_by(world.size, config.microbatches, 0))
    device = pick_device(args.device)
    torch.backends.cudnn.benchmark = True  # a training's shapes stay the same: the fastest kernels are worth a search
    trainer = Trainer(folder, model, data, config, device, resume=bool(args.resume), world=world)
    if world.rank == 0 and args.resume:  # the state fits: now the recipe may say how far it goes
        shared = recipe.shared_by(world.size, config.microbatches, trainer.images)
        folder.write_config(shared.trained_on(hardware(device)))
    return trainer


def require_same_training(world: World, training: Training) -> None:
    """GanlibError unless all processes train the same model with the same code, data and settings."""
    if world.size == 1:
        return
    recipe, config = training.recipe, training.config
    world.require_equal(
        code=source_hash(),
        torch_version=str(torch.__version__),
        model=(recipe.model, dict(recipe.config)),
        data_set=recipe.data.to_dict(),
        training_setting=config.to_dict(),
        start=recipe.start and recipe.start.to_dict(),
    )


def _report(name: str, line: ProgressLine, progress: Progress) -> None:
    losses = "  ".join(f"{k} {v:.3g}" for k, v in progress.scalars.items() if k.startswith("loss/"))
    line.update(
        f"{name}  {progress.images:,} images  {progress.images_per_second:.0f}/s  {losses}",
        fraction=progress.fraction,
        seconds=progress.seconds,
    )


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Inside, SIGINT and SIGTERM only add themselves to the list."""
    received: list[int] = []
    handlers = {s: signal.signal(s, lambda number, _: received.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _start(args: argparse.Namespace, world: World) -> Training:
    if args.like and args.start:
        raise GanlibError("--like starts from random weights, --start from a run's; leave one out.")
    like = find_run(args.like or args.start) if args.like or args.start else None
    name = args.model or (like and like.model_name)
    if not name:
        raise GanlibError(f"Name a model to train ({', '.join(MODELS)}) or a run with --like.")
    same = like if like and like.model_name == name else None  # whose fields are this model's
    cls = MODELS[name]
    config = _training_config(args, cls, same)
    Shares(world, config.microbatches).check(config.batch_size, cls.in_pairs)
    data = _data(args, like, same)
    model = _model(args, cls, same, data, config.seed)
    if like and args.start:
        _load_weights(like, model)
    _check(model, data, config)
    if not args.start:
        model.before_training()
    recipe = Recipe(
        model=name,
        config=model.config.to_dict(),
        data=_data_recipe(data),
        training=config.to_dict(),
        start=_start_recipe(like) if like and args.start else None,
        note=args.note,
        hardware=hardware(pick_device(args.device)),
        versions=versions(),
        commit=commit(),
        created=now(),
    )
    folder = RunFolder(args.out or (_new_folder(f"{data.name}-{name}") if world.rank == 0 else RUNS))
    if world.rank == 0:
        _require_empty(folder, locked=False)
    return Training(folder, model, data, config, recipe)


def _check(model: Trainable, data: DataSet, config: TrainingConfig) -> None:
    """GanlibError where the model cannot be trained so, before anything is written."""
    select_phases(model, config.phases)
    model.check_budget(config.images)
    only, labels = config.only, config.labels
    rows, kept, _ = training_rows(data.train.labels, only=only, labels_kept=labels, in_pairs=model.in_pairs)
    if model.needs_labels and len(kept) < len(rows):
        raise GanlibError(
            f"{model.display_name} learns from the class of each image, and --labels {labels} leaves "
            f"{len(rows) - len(kept):,} of {len(rows):,} without; leave it out, or train on fewer images by --only."
        )


def _start_recipe(run: Run) -> StartRecipe:
    return StartRecipe(run.name, run.weights_hash, run.total_images, round(run.total_seconds, 1))


def _data(args: argparse.Namespace, like: Run | None, same: Run | None) -> DataSet:
    """At the size that the command line asks for, else the earlier run's if its weights or its data, all or a part of
    them, are taken, else the data set's own.
    """
    name = args.data or (like.data_name if like else "digits")
    if args.imbalance:
        name = f"subset:{name}@{args.imbalance}"
    flags = given(args, ModelConfig)
    taken = same and (args.start or _whole(recorded_name(name, args.data_root)) == _whole(same.data_name))
    shape = dict(same.recipe.config) if same and taken else {}
    size, channels = (flags.get(key, shape.get(key)) for key in ("image_size", "channels"))
    return _load(name, args.data_root, size, channels)


def _whole(recorded: str) -> str:
    """The set that has all images, of whose name early recipes leave out that it is a folder."""
    return whole_set(recorded).removeprefix("folder:")


def _training_config(args: argparse.Namespace, cls: type[Trainable], same: Run | None) -> TrainingConfig:
    device, own = pick_device(args.device), given(args, TrainingConfig)
    config = TrainingConfig.from_dict((same.training if same else cls.training_defaults) | own)
    if same and "precision" not in own:
        config = precision_here(config, device)
    config = resolve_precision(config, device)
    if not config.images and not config.max_minutes:
        raise GanlibError("Say how long to train: --images N or --max-minutes M.")
    return config


def _model(args: argparse.Namespace, cls: type[Trainable], same: Run | None, data: DataSet, seed: int) -> Trainable:
    """With the weights that follow from the seed."""
    values = dict(same.recipe.config) if same else {}
    values |= {"image_size": data.size, "channels": data.channels, "num_classes": data.num_classes}
    if issubclass(cls.Config, AttributesConfig) and not (same and same.recipe.data.attributes == data.attributes):
        values["attributes"] = len(data.attributes)
    config = cls.Config.from_dict(values | given(args, cls.Config))
    blueprint(cls, config)  # refuses what would not fit any memory
    return seeded(lambda: cls(config), seed)


def _data_recipe(data: DataSet) -> DataRecipe:
    train, test = (SplitRecipe(len(split), split.fingerprint) for split in (data.train, data.test))
    recipe = DataRecipe(data.name, data.classes, train, test, data.attributes, data.class_counts)
    return replace(recipe, skipped=data.skipped[:MAX_SKIPPED], skipped_count=data.skipped_count)


def _load_weights(run: Run, model: Trainable) -> None:
    """Those of a run whose networks have the same shapes."""
    weights = run.load().state_dict()
    shapes, expected = ({k: v.shape for k, v in state.items()} for state in (weights, model.state_dict()))
    if shapes != expected:
        raise GanlibError(f"The weights of {run.name} do not fit networks of other sizes; leave out what changes them.")
    model.load_state_dict(weights)


def _require_empty(folder: RunFolder, *, locked: bool) -> None:
    """``locked``: by this process, so that what is in it was not written by one that is just beginning."""
    if folder.is_empty():
        return
    if not locked:
        folder.require_untrained()
    if folder.config.exists():
        raise GanlibError(f"{folder.path} is a run already; --resume it or choose another --out.")
    raise GanlibError(f"{folder.path} holds other files; choose an empty or new folder for --out.")


def _resume(args: argparse.Namespace, world: World) -> Training:
    run = find_run(args.resume)
    changed = [k for k in given(args, ModelConfig) | given(args, run.model_class.Config)]
    budget = given(args, TrainingConfig)
    longer = bool(budget.keys() - {"microbatches"})
    fixed = changed + [k for k in budget if k not in ("images", "max_minutes", "microbatches")]
    fixed += [name for name in ("like", "start", "out", "note", "imbalance") if getattr(args, name)]
    fixed += ["the model"] * (args.model not in (None, run.model_name))
    if fixed:
        raise GanlibError(f"A resumed run keeps its recipe, so {fixed[0]} cannot change; use --like for a new run.")
    data = _load_again(run, args)
    require_state(run.folder.state)
    if world.rank == 0:
        _keep_changed_weights(run, longer)
    run.blueprint  # noqa: B018  (refuses what would not fit any memory)
    config = TrainingConfig.from_dict(run.training | budget)
    recipe = replace(run.recipe, training=config.to_dict())
    return Training(run.folder, run.model_class(run.config), data, config, recipe)


def _load_again(run: Run, args: argparse.Namespace) -> DataSet:
    """The data set that the run was trained on; ``--data`` may say where it is now, but not be another one."""
    c, name = run.config, args.data or run.data_name
    try:
        data = _load(name, args.data_root, c.image_size, c.channels)
    except GanlibError as error:
        raise GanlibError(f"{run.name} cannot go on without {run.data_name}: {error}") from None
    if data.train.fingerprint != run.fingerprint("train"):
        if args.data:
            raise GanlibError(
                f"A resumed run keeps its recipe, so data cannot change: {args.data} does not have the images of "
                f"{run.data_name} that {run.name} was trained on; use --like for a new run."
            )
        raise GanlibError(
            f"{data.name} is not the data set {run.name} was trained on (its pixels differ); name its folder "
            "with --data-root."
        )
    return data


def _keep_changed_weights(run: Run, goes_on: bool) -> None:
    """GanlibError where resuming would only undo ``promote`` or ``halve``; a note where training ``goes_on``."""
    promoted = run.metadata.get("promoted") == "true"
    halved = any(tensor.dtype == torch.float16 for tensor in read_tensors(run.folder.weights).values())
    if not promoted and not halved:
        return
    change = "a promoted snapshot" if promoted else "halved"
    if not goes_on:
        raise GanlibError(
            f"The weights of {run.name} are {change}, which resuming would undo; give larger --images to go on from "
            "the end of its training, or leave it as it is."
        )
    print(f"The weights of {run.name} are {change}: those of the training take their place.")


def _load(name: str, root: str | None, size: int | None, channels: int | None) -> DataSet:
    line = ProgressLine()
    data = load_data(
        name,
        root=root,
        size=size,
        channels=channels,
        progress=partial(line.update_stage, name, "read"),
    )
    line.close()
    if data.skipped_count:
        shown = "\n  ".join(data.skipped)
        print(f"{data.skipped_count} unreadable files were skipped:\n  {shown}")
    for note in data.notes:
        print(note)
    return data


def _new_folder(name: str) -> Path:
    """In ./runs, under a name that no run has, in the gallery or elsewhere: the name alone is to find this run."""
    name = re.sub(r"[^\w.-]", "-", name)  # folder:my pictures
    names = (name if i == 1 else f"{name}-{i}" for i in count(1))
    free = (RUNS / n for n in names if not any((root / n).exists() for root in [RUNS, *run_roots()]))
    return next(path for path in free if _create(path))


def _create(path: Path) -> bool:
    """Whether this process, and no other that looks for a name at the same time, created the folder."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    return True
