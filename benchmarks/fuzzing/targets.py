"""Every reader of files and links from outside: what it starts from, how that is damaged, how it is read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, partial
from pathlib import Path
from random import Random

from benchmarks.fuzzing import corpus
from benchmarks.fuzzing.corpus import Files
from benchmarks.fuzzing.mutations import (
    Mutation,
    mutate_bytes,
    mutate_json,
    mutate_png,
    mutate_safetensors,
    mutate_tar,
    mutate_text,
    mutate_zip,
)
from ganlib.applications.export.manifest import Manifest
from ganlib.applications.saved_latents import list_latents
from ganlib.applications.storage import saved_directions
from ganlib.balances import read_balance
from ganlib.data import load_data
from ganlib.data.pictures import decode_picture, decode_whole
from ganlib.errors import GanlibError
from ganlib.experiments import read_experiment
from ganlib.images import read_metadata
from ganlib.logs import Follower, read
from ganlib.logs.archives import is_archive, unpack
from ganlib.logs.frame import COLUMNS
from ganlib.logs.notebook_samples import notebook_samples
from ganlib.logs.tree import LogTree
from ganlib.models.options import TEMPERATURE
from ganlib.queue.definition import Entry, read_queue
from ganlib.queue.state import StateFolder
from ganlib.records import Protocol, read_evaluations
from ganlib.run_folder import read_sheet
from ganlib.runs import Run, scan
from ganlib.sampling.keyframes import parse_key
from ganlib.sampling.request import SampleRequest, parse_classes, parse_edits, parse_seeds
from ganlib.twosample.result import read_comparison
from ganlib.ui.presentation import parse_view, read_views

STRUCTURED: tuple[tuple[str, Mutation], ...] = (  # by a file's name; bytes are damaged in all
    ("*.json", mutate_json),
    ("*.ipynb", mutate_json),
    ("*.safetensors", mutate_safetensors),
    ("*.zip", mutate_zip),
    ("*.npz", mutate_zip),
    ("*.xlsx", partial(mutate_zip, inner=mutate_text)),
    ("state.pt", partial(mutate_zip, stored=True)),
    ("*.tar", mutate_tar),
    ("*.png", mutate_png),
    *((f"*.{ending}", mutate_text) for ending in ("csv", "tsv", "txt", "log", "jsonl", "toml", "yaml")),
    ("text", mutate_text),
)


@dataclass(frozen=True)
class Target:
    """``read`` gets a folder with the files; GanlibError is an answer, anything else that it raises a fault.

    ``damaged``: a pattern of the files that are mutated; the others stay as they are.
    """

    name: str
    seeds: Callable[[], list[Files]]
    read: Callable[[Path], object]
    damaged: str = "*"

    @property
    def undamaged(self) -> list[Files]:
        return _seeds(self.seeds)

    def files(self, number: int, seed: int) -> Files:
        """Input ``number`` of this target: the same for the same ``seed``, alone or among others."""
        rng = Random(f"{self.name} {seed} {number}")
        files = dict(rng.choice(self.undamaged))
        name = rng.choice([name for name in files if fnmatch(name, self.damaged)])
        structured = next((m for pattern, m in STRUCTURED if fnmatch(name.rpartition("/")[2], pattern)), mutate_bytes)
        mutation = rng.choice((structured, structured, mutate_bytes))
        try:
            files[name] = mutation(files[name], rng)
        except Exception:  # it cannot be taken apart
            files[name] = mutate_bytes(files[name], rng)
        return files


@cache
def _seeds(build: Callable[[], list[Files]]) -> list[Files]:
    return build()


def run_seeds() -> list[Files]:
    return [corpus.run_files()]


def only(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def read_log(folder: Path) -> None:
    frame = read(only(folder))
    assert list(frame.columns) == COLUMNS
    for column in ("run", "tag", "original"):  # which a page and a download have to hold
        "".join(frame[column].cat.categories).encode()


def read_notebook(folder: Path) -> None:
    frame = read(only(folder))
    notebook_samples(frame.attrs["notebooks"], frame.attrs["step_units"])


def read_log_tree(folder: Path) -> None:
    tree = LogTree(folder)
    tree.read(tree.runs())
    read(folder)


def follow_log(folder: Path) -> None:
    """A file that grows in three parts."""
    path = only(folder)
    content = path.read_bytes()
    follower = Follower(path)
    for end in (len(content) // 3, 2 * len(content) // 3, len(content)):
        path.write_bytes(content[:end])
        try:
            follower.read()
        except GanlibError:
            continue


def read_log_archive(folder: Path) -> None:
    path = only(folder)
    if is_archive(path):
        read(unpack(path))


def read_run(folder: Path) -> None:
    """What pages and commands do with a run."""
    _, errors = scan([folder.parent])
    assert all("\n" not in str(error) for error in errors)
    run = Run(folder)
    assert run.weights_hash
    assert run.images_seen + run.training_seconds < 2**54
    assert run.parameters
    run.load()
    for text in (run.name, run.note, run.data_name, *run.classes):
        text.encode()


def read_records(folder: Path) -> None:
    frame, errors = read_evaluations({folder: "run"})
    assert all("\n" not in error for error in errors)
    frame.to_csv().encode()


def resume(folder: Path) -> None:
    corpus.make_trainer(folder, resume=True)


def read_picture(folder: Path) -> None:
    path = only(folder)
    content = path.read_bytes()
    decode_picture(content, path.name, 32, 3)
    decode_whole(content, path.name, 3, 64)


def read_written_metadata(folder: Path) -> None:
    read_metadata(only(folder))


def read_picture_set(folder: Path) -> None:
    load_data(f"folder:{only(folder)}", size=8, channels=3, cache=folder / "cache")


def read_shards(folder: Path) -> None:
    data = load_data(f"shards:{only(folder)}", size=8, channels=3, cache=folder / "cache")
    assert len(data.train.images[:8]) == min(8, len(data.train))


def read_queue_state(folder: Path) -> None:
    state = StateFolder(folder.parent).read("entry").for_entry(_queue_entry())
    state.next(_queue_entry())


@cache
def _queue_entry() -> Entry:
    return read_queue(corpus.PROJECT / "checkpoints" / "queue.toml")[0]


def read_manifest(folder: Path) -> None:
    manifest = Manifest(only(folder), {}, "abc")
    manifest.cut()
    for _ in manifest.rows():
        pass


def read_text_of_link(folder: Path) -> None:
    """Each parser of what a URL may hold, with the same text."""
    text = (folder / "text").read_bytes().decode("utf-8", "replace")
    run = _whole_run()
    parsers: tuple[Callable[[str], object], ...] = (
        parse_seeds,
        parse_edits,
        lambda text: parse_classes(text, run),
        lambda text: parse_key(text, run, (TEMPERATURE,)),
        parse_view,
        TEMPERATURE.parse,
    )
    for parse in parsers:
        try:
            parse(text)
        except GanlibError as error:
            if len(str(error)) > LONGEST_SENTENCE:
                raise ValueError(f"a sentence of {len(str(error))} characters") from None
    with suppress(ValueError):  # of which its callers make nothing
        Protocol.from_key(text)
    SampleRequest(run, (0,), (7,)).command.encode()


@cache
def _whole_run() -> Run:
    from tempfile import mkdtemp

    folder = Path(mkdtemp(prefix="ganlib-fuzzing-run-"))
    corpus.write_files(folder, corpus.run_files())
    return Run(folder)


LONGEST_SENTENCE = 1500  # characters
LINKS = (
    "0,3,8-11",
    "sefa-1=2,brightness=-0.5",
    "cat~7~temperature=0.5",
    "@my dog",
    "b,c",
    '{"n_real": 1}',
    "home?run=a",
)
TARGETS = {
    target.name: target
    for target in (
        Target("log-text", partial(corpus.log_samples, ".txt", ".log"), read_log),
        Target("log-table", partial(corpus.log_samples, ".csv", ".tsv"), read_log),
        Target("log-json", partial(corpus.log_samples, ".json", ".jsonl"), read_log),
        Target("log-notebook", corpus.notebook_logs, read_notebook),
        Target("log-tensorboard", corpus.event_logs, read_log),
        Target("log-wandb", partial(corpus.log_samples, ".wandb"), read_log),
        Target("log-numpy", corpus.array_logs, read_log),
        Target("log-parquet", corpus.parquet_logs, read_log),
        Target("log-database", corpus.database_logs, read_log),
        Target("log-workbook", corpus.workbook_logs, read_log),
        Target("log-tree", corpus.log_trees, read_log_tree),
        Target("log-archive", corpus.log_archives, read_log_archive),
        Target("log-followed", partial(corpus.log_samples, ".csv", ".log", ".jsonl"), follow_log),
        Target("config", run_seeds, read_run, "config.json"),
        Target("weights", run_seeds, read_run, "weights.safetensors"),
        Target("archived", lambda: [corpus.archived_files()], read_run, "weights.json"),
        Target("records", run_seeds, read_records, "evaluation.json"),
        Target("state", run_seeds, resume, "state.pt"),
        Target("latents", run_seeds, lambda folder: list_latents(Run(folder)), "latents/*"),
        Target("directions", run_seeds, lambda folder: saved_directions(Run(folder)), "directions/*"),
        Target("sheet", run_seeds, lambda folder: read_sheet(folder / "samples/8.webp"), "samples/8.webp"),
        Target("picture", corpus.pictures, read_picture),
        Target("picture-metadata", corpus.png_pictures, read_written_metadata),
        Target("picture-archive", corpus.picture_archives, read_picture_set),
        Target("picture-folder", corpus.picture_folders, read_picture_set),
        Target("tar-shards", corpus.tar_shards, read_shards),
        Target("parquet-shards", corpus.parquet_shards, read_shards),
        Target("queue", corpus.queues, lambda f: read_queue(only(f))),
        Target("queue-state", corpus.queue_states, read_queue_state),
        Target("experiment", lambda: corpus.toml_files("experiments/*.toml"), lambda f: read_experiment(only(f))),
        Target("views", lambda: corpus.toml_files("ganlib/ui/views.toml"), lambda f: read_views(only(f))),
        Target("links", lambda: corpus.texts(*LINKS), read_text_of_link),
        Target("comparison", corpus.comparisons, read_comparison),
        Target("balance", corpus.balances, read_balance),
        Target("manifest", corpus.manifests, read_manifest),
    )
}
