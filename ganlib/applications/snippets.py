"""Python that gives the same pixels as a page, its link and its command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganlib.applications.sheets import SheetRequest
from ganlib.runs import Run
from ganlib.sampling.keyframes import InterpolationRequest
from ganlib.sampling.request import Edit, SampleRequest, format_edits


def sample_snippet(request: SampleRequest) -> str:
    """For the images of a sampling request, edited or of saved latents."""
    r = request
    given = [f"classes={r.classes!r}", f"seeds={_seeds(r.seeds)}"]
    given += [f"options={r.options!r}"] if r.options else []
    given += [f"edits=parse_edits({format_edits(r.edits)!r})"] if r.edits else []
    if r.latents:
        names = ", ".join(repr(latents.name) for latents in r.latents)
        given += [f"latents=tuple(find_latents(run, name) for name in [{names}])"]
    imports = ["from ganlib.applications.edits import generate"]
    imports += ["from ganlib.applications.saved_latents import find_latents"] if r.latents else []
    imports += ["from ganlib.runs import find_run"]
    imports += [f"from ganlib.sampling.request import SampleRequest{', parse_edits' if r.edits else ''}"]
    return _lines(
        *imports,
        "",
        _run(r.run),
        f"request = SampleRequest(run, {', '.join(given)})",
        "images = generate(run.load(), request)  # (N, H, W, C) uint8",
    )


def interpolation_snippet(request: InterpolationRequest) -> str:
    """For the frames of an interpolation, or the cells of its sheet."""
    r = request
    defaults = {"path": "slerp", "space": "z", "closed": False, "order": "together", "equal_speed": False}
    given = [f"{name}={getattr(r, name)!r}" for name, default in defaults.items() if getattr(r, name) != default]
    given += [f"options={r.options!r}"] if r.options else []
    given += [f"sheet={r.sheet!r}"] if r.sheet else []
    return _lines(
        "from ganlib.applications.paths import generate_frames, parse_keys",
        "from ganlib.runs import find_run",
        "from ganlib.sampling.keyframes import InterpolationRequest",
        "",
        _run(r.run),
        "model = run.load()",
        f"keys = parse_keys({[key.text(r.run) for key in r.keys]!r}, run, model)",
        f"request = InterpolationRequest({', '.join(['run', 'keys', f'frames={r.frames}', *given])})",
        "images = generate_frames(model, request)  # (frames, H, W, C) uint8",
    )


def sheet_snippet(request: SheetRequest) -> str:
    """For the cells of a sheet of two options."""
    r = request
    axes = [f"parse_axis({axis.text(r.run)!r}, run, model)" for axis in (r.rows, r.columns)]
    given = [f"seed={r.seed}", f"label={r.label}"]
    given += [f"options={r.options!r}"] if r.options else []
    given += [f"edits=parse_edits({format_edits(r.edits)!r})"] if r.edits else []
    return _lines(
        "from ganlib.applications.sheets import Sheet, SheetRequest, parse_axis",
        "from ganlib.runs import find_run",
        *(["from ganlib.sampling.request import parse_edits"] if r.edits else []),
        "",
        _run(r.run),
        "model = run.load()",
        f"rows = {axes[0]}",
        f"columns = {axes[1]}",
        f"request = SheetRequest(run, rows, columns, {', '.join(given)})",
        "images = Sheet(model, request).finish()  # (rows · columns, H, W, C) uint8",
    )


def inversion_snippet(run: Run, picture: str, label: int | None, options: dict[str, Any], edits: Sequence[Edit]) -> str:
    """For the inversion of a picture in a file, then moved along ``edits``. ``options``: of ``InversionConfig``."""
    changed = ", ".join(f"{name}={value!r}" for name, value in options.items())
    image = "images = to_uint8(inversion.image)  # (1, H, W, C)"
    if edits:
        image = (
            f"edits = resolve(run, inversion.model, parse_edits({format_edits(edits)!r}))\n"
            "images = edited_image(inversion.model, inversion.latents, inversion.label, edits)[None]  # (1, H, W, C)"
        )
    return _lines(
        "from pathlib import Path",
        "",
        *(["from ganlib.applications.edits import edited_image, resolve"] if edits else []),
        "from ganlib.applications.inversion import Inversion, InversionConfig",
        "from ganlib.data.pictures import read_picture",
        f"from ganlib.images import from_uint8{'' if edits else ', to_uint8'}",
        "from ganlib.runs import find_run",
        *(["from ganlib.sampling.request import parse_edits"] if edits else []),
        "",
        _run(run),
        f"picture = read_picture(Path({picture!r}), run.config.image_size, run.config.channels)",
        f"inversion = Inversion(run.load(), from_uint8(picture[None]), {label}, InversionConfig({changed}))",
        "inversion.finish()",
        image,
    )


def _run(run: Run) -> str:
    return f"run = find_run({run.argument!r})"


def _seeds(seeds: Sequence[int]) -> str:
    """(0, 1, 2, 3) -> "tuple(range(4))"."""
    if len(seeds) > 3 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"tuple(range({seeds[0]}, {seeds[-1] + 1}))"
    return repr(tuple(seeds))


def _lines(*lines: str) -> str:
    return "\n".join(lines)
