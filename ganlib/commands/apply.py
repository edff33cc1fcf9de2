"""python -m ganlib apply RUN PICTURE|FOLDER… --out FOLDER"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain, count
from pathlib import Path, PurePosixPath

from ganlib.applications.editor import EditOptions, build_editor
from ganlib.applications.inpainting import METHODS, InpaintingConfig
from ganlib.commands.progress import ProgressLine
from ganlib.config import add_arguments, given
from ganlib.data.files import Reader, iterate_files, readable_errors
from ganlib.data.pictures import UnreadablePicture
from ganlib.devices import pick_device
from ganlib.errors import GanlibError
from ganlib.files import write_atomically
from ganlib.images import png
from ganlib.naming import counted
from ganlib.nn.masks import HOLES
from ganlib.runs import find_run

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
SHOWN = 5  # files left out that are named


def add(parser: argparse.ArgumentParser, argv: Sequence[str]) -> None:
    parser.description = "Fills holes, enlarges, translates or colours pictures, one after the other, as the run can."
    parser.add_argument("name", metavar="RUN", help="name or folder of a run")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="files, folders or archives of them")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where PNGs of the same names go")
    parser.add_argument("--mask", help=f"the hole to fill: {', '.join(HOLES)}, or a picture that is white in it")
    methods = "; ".join(f"{name}: {about[0].lower()}{about[1:].rstrip('.')}" for name, about in METHODS.items())
    parser.add_argument(
        "--method", choices=METHODS, help=f"how holes are filled (default: the first that the run can). {methods}"
    )
    parser.add_argument("--from", dest="domain", metavar="DOMAIN", help="of translation: the domain of the pictures")
    parser.add_argument("--drawing", action="store_true", help="the pictures are drawings, dark on light, already")
    parser.add_argument("--class", dest="label", help="class of the pictures (default: what the classifier sees)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    add_arguments(parser.add_argument_group("filling holes"), InpaintingConfig)


def run(args: argparse.Namespace) -> None:
    run = find_run(args.name)
    own = {(path if path.is_dir() else path.parent).resolve() for path in args.pictures if not _is_packed(path)}
    if args.out.resolve() in own:  # a PNG would take the place of its original
        raise GanlibError(f"--out {args.out} is the pictures' own folder; choose another one.")
    config = InpaintingConfig.from_dict(given(args, InpaintingConfig))
    options = EditOptions(args.mask, args.domain, args.label, args.drawing, args.method, config)
    edit = build_editor(run, run.load(pick_device(args.device)), options)
    notes: Counter[str] = Counter()
    skipped: list[str] = []
    written: set[str] = set()
    done = 0
    with closing(ProgressLine()) as line:
        for name, read in _files(args.pictures, args.out):
            try:
                edited = edit(read(), name)
            except UnreadablePicture as error:
                skipped.append(str(error))
                continue
            stem = _free_stem(name, written)
            for i, picture in enumerate(edited.pictures):
                number = f"-{i}" if len(edited.pictures) > 1 else ""
                write_atomically(args.out / f"{stem}{number}.png", png(picture))
            notes.update(edited.notes)
            done += 1
            line.update(f"{run.name}  {counted(done, 'picture')}", fraction=0.0, seconds=0.0)
    for sentence in skipped[:SHOWN]:
        print(sentence, file=sys.stderr)
    if len(skipped) > SHOWN:
        print(f"{len(skipped) - SHOWN} more files could not be read.", file=sys.stderr)
    if not done:
        raise GanlibError(
            f"No picture was found in {', '.join(map(str, args.pictures))}; name files or folders of some."
        )
    for note, times in notes.items():
        print(f"{times} of {done}: {note}")
    print(f"{counted(done, 'picture')} in {args.out}")


def _free_stem(name: str, written: set[str]) -> str:
    """Path of the output without its ending; with that of the input where two differ in nothing else, then numbered.

    Windows and macOS do not distinguish "A" from "a".
    """
    path = PurePosixPath(name)
    numbered = (f"{path.with_suffix('')} ({i})" for i in count(2))
    stem = next(way for way in chain([str(path.with_suffix("")), str(path)], numbered) if way.lower() not in written)
    written.add(stem.lower())
    return stem


def _is_packed(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() not in PICTURES


def _files(paths: Sequence[Path], out: Path) -> Iterator[tuple[str, Reader]]:
    """Name below its folder, and reader, of each picture: one file is open at a time.

    None of those below ``out``: a folder in the pictures' own has what an earlier call made of them.
    """
    for path in paths:
        if not path.exists():
            raise GanlibError(f"There is no {path}; name files or folders of pictures.")
        if path.is_file() and path.suffix.lower() in PICTURES:
            yield path.name, path.read_bytes
            continue
        results = out.resolve()
        inside = results.relative_to(path.resolve()) if results.is_relative_to(path.resolve()) else None
        with readable_errors(path):
            for name, read in iterate_files(path):
                path_inside = PurePosixPath(name)
                if inside and path_inside.is_relative_to(inside.as_posix()):
                    continue
                if path_inside.suffix.lower() in PICTURES and ".." not in path_inside.parts:  # an archive may say so
                    yield name, read
