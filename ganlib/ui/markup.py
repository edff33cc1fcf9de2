"""Text for Streamlit's Markdown, and HTML of images and numbers, which its own elements cannot show."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
from PIL import Image

from ganlib.images import png
from ganlib.naming import counted, readable
from ganlib.picture_files import open_picture
from ganlib.sampling.request import SampleRequest

# Images are small and are shown enlarged: honest square pixels rather than a blur the model did not make. Their size is
# among their attributes, so that a browser keeps their place before it has decoded them.
IMAGE_STYLE = "width:100%;height:auto;display:block;image-rendering:pixelated;border-radius:3px"
WIDE = 640  # pixels to which a picture of pictures is enlarged, about
ROW_STYLE = "align-self:center;font-size:.875rem"
FAINT = "rgba(128,128,128,.35)"
CAPTION_STYLE = "font-size:.75rem;opacity:.75;text-align:center;line-height:1.5"

# Of Markdown and of Streamlit's extensions to it, formulas among them; "_" within a word is none.
SYNTAX = re.compile(r"[\\`*~\[\]$]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])|:(?=[A-Za-z:])|(?<!\S)[#>]")
BLOCK_START = re.compile(r"(\d{0,9})([-+.)])(?=\s|-|$)")  # of a list or a rule
# Read as symbols and links where backslashes are gone: an unseen character inside keeps them text.
LATE_SYNTAX = re.compile(r":(?=[\w+-]+:|material/|//)|(?<=www)(?=\.)|@(?=\w)|(?<=[-<>~])(?=[->=](?:\s|$))", re.I)
WORD_JOINER = "\u2060"
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def plain(text: object) -> str:
    """Markdown that shows exactly this text: for all that comes from a link, a file or a name.

    Nothing in it becomes a picture, which a browser would fetch, a link, a formula, an icon or a heading. Line breaks
    become spaces, what cannot be shown becomes �.
    """
    line = " ".join(UNPRINTABLE.sub("�", str(text)).split())
    line = LATE_SYNTAX.sub(lambda match: match[0] + WORD_JOINER, line)
    line = SYNTAX.sub(lambda match: f"\\{match[0]}", line)
    return BLOCK_START.sub(r"\1\\\2", line, count=1) if BLOCK_START.match(line) else line


def data_url(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def sheet(content: bytes, alt: str, caption: str = "") -> str:
    """A WebP file of a run folder as wide as its column, with its caption below."""
    with open_picture(content, ["WEBP"]) as decoded:
        size = _size(decoded)
    image = f'<img src="{data_url(content, "webp")}" alt="{escape(alt)}" {size} style="{IMAGE_STYLE}">'
    if not caption:
        return image
    text = f'<figcaption style="{CAPTION_STYLE}">{escape(caption)}</figcaption>'
    return f'<figure style="margin:0">{image}{text}</figure>'


def large_image(image: np.ndarray, caption: str) -> str:
    return f'<div data-testid="large-image">{_image(image, caption)}</div>'


def stage_grid(request: SampleRequest, stages: Mapping[int, np.ndarray]) -> str:
    """A row per image, a column per stage: images (N, h, w, C) uint8 by the number of the stage."""
    last = max(stages)
    heads = "".join(f'<div style="{CAPTION_STYLE}">{stage} of {last}</div>' for stage in stages)
    rows = "".join(
        f'<div style="{ROW_STYLE};overflow-wrap:anywhere">{escape(caption)}</div>'
        + "".join(_image(images[i], f"{caption}, stage {stage} of {last}") for stage, images in stages.items())
        for i, caption in enumerate(request.captions)
    )
    style = f"gap:.4rem;grid-template-columns:clamp(4.5rem,14%,9rem) repeat({len(stages)},minmax(0,8rem))"
    return _group("stages", f"Stages of images of {request.run.name}", style, f"<div></div>{heads}{rows}")


def strip_rows(labels: Mapping[str, str], strengths: Sequence[float], strips: Sequence[np.ndarray]) -> str:
    """A row a direction under its label, a column a strength: (strengths, H, W, C) uint8 each."""
    heads = "".join(f'<div style="{CAPTION_STYLE}">{strength:+g}</div>' for strength in strengths)
    rows = "".join(
        f'<div style="{CAPTION_STYLE};grid-column:1/-1;text-align:left;margin-top:.3rem">{escape(label)}</div>'
        + "".join(
            _image(image, f"{name}, strength {strength:+g}") for image, strength in zip(strip, strengths, strict=True)
        )
        for (name, label), strip in zip(labels.items(), strips, strict=True)
    )
    style = f"gap:.25rem;grid-template-columns:repeat({len(strengths)},minmax(0,7rem))"
    return _group("direction-strips", f"Film strips of {counted(len(labels), 'direction')}", style, f"{heads}{rows}")


def option_sheet(rows: Sequence[str], columns: Sequence[str], images: np.ndarray, label: str) -> str:
    """Images (rows · columns, H, W, C) uint8, row by row, between the labels of both."""
    cells = "".join(f'<div style="{CAPTION_STYLE}">{escape(column)}</div>' for column in columns)
    for i, row in enumerate(rows):
        cells += f'<div style="{ROW_STYLE};overflow-wrap:anywhere">{escape(row)}</div>'
        own = images[i * len(columns) : (i + 1) * len(columns)]
        cells += "".join(_image(image, f"{row}, {column}") for image, column in zip(own, columns, strict=True))
    style = (
        f"gap:.25rem;overflow-x:auto;grid-template-columns:minmax(4rem,max-content) "
        f"repeat({len(columns)},minmax(44px,10rem))"
    )
    return _group("sheet", label, style, f"<div></div>{cells}")


def film_strip(captions: Sequence[str], frames: np.ndarray, columns: int = 0, label: str = "Film strip") -> str:
    """Frames (F, H, W, C) uint8 in order, row by row; 0 ``columns`` are as many as there is room for."""
    cells = "".join(_image(frame, caption) for frame, caption in zip(frames, captions, strict=True))
    width = f"max(48px, calc((100% - {columns - 1} * .25rem) / {columns} - 1px))" if columns else "72px"
    style = f"gap:.25rem;grid-template-columns:repeat(auto-fill,minmax({width},1fr))"
    return _group("film-strip", f"{label} of {len(captions)} frames", style, cells)


def single_image(image: np.ndarray, caption: str, side: int) -> str:
    """An image (H, W, C) uint8 at most ``side`` pixels wide."""
    return f'<div style="width:{side}px;max-width:100%;margin:auto">{_image(image, caption)}</div>'


def captioned_images(images: np.ndarray, captions: Sequence[str], label: str) -> str:
    """Images (N, H, W, C) uint8, each over its caption."""
    cells = "".join(
        f'<figure style="margin:0">{_image(image, caption)}'
        f'<figcaption style="{CAPTION_STYLE}">{escape(caption)}</figcaption></figure>'
        for image, caption in zip(images, captions, strict=True)
    )
    style = "gap:.4rem;max-width:72rem;grid-template-columns:repeat(auto-fill,minmax(96px,1fr))"
    return _group("captioned-images", label, style, cells)


def lead(sentence: str, *, testid: str) -> str:
    """What a page says first, larger than its text."""
    style = "font-size:1.2rem;line-height:1.45;max-width:72rem;text-wrap:pretty"
    return f'<p data-testid="{testid}" style="{style}">{escape(sentence)}</p>'


def picture(image: Image.Image, alt: str) -> str:
    """A picture of pictures, enlarged in whole pixels and no wider than its column."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    style = f"{IMAGE_STYLE};max-width:{image.width * max(WIDE // image.width, 1)}px"
    return f'<img src="{data_url(buffer.getvalue())}" alt="{escape(alt)}" {_size(image)} style="{style}">'


def picture_rows(rows: Sequence[tuple[str, Sequence[tuple[Image.Image, str]]]], label: str) -> str:
    """A row a title: pictures, each over its caption."""
    parts = []
    for title, pictures in rows:
        cells = "".join(
            f'<figure style="margin:0"><img src="{_webp(picture)}" alt="{escape(f"{title}, {caption}")}" '
            f'{_size(picture)} style="{IMAGE_STYLE}">'
            f'<figcaption style="{CAPTION_STYLE}">{escape(caption)}</figcaption></figure>'
            for picture, caption in pictures
        )
        columns = f"grid-template-columns:repeat({len(pictures)},minmax(6.5rem,1fr))"
        parts.append(
            f'<div style="{ROW_STYLE};font-weight:600">{escape(title)}</div>'
            f'<div style="display:grid;gap:.4rem;overflow-x:auto;{columns}">{cells}</div>'
        )
    return _group("picture-rows", label, "gap:.3rem;grid-template-columns:minmax(0,1fr)", "".join(parts))


def text_table(frame: pd.DataFrame, label: str) -> str:
    """Texts that wrap, where a data frame would cut them; it scrolls sideways where it is too wide."""
    cell = f"text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid {FAINT}"
    head = "".join(f'<th style="{cell};font-weight:600">{escape(str(name))}</th>' for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f'<td style="{cell}">{escape(str(value))}</td>' for value in row) + "</tr>"
        for row in frame.itertuples(index=False)
    )
    return (
        f'<div style="overflow-x:auto"><table aria-label="{escape(label)}" style="border-collapse:collapse;'
        f'min-width:38rem;width:100%;font-size:.9rem"><tr>{head}</tr>{rows}</table></div>'
    )


def bullets(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul style="margin:0;padding-left:1.2rem">{items}</ul>'


def dot_rows(rows: Sequence[tuple[str, str, Sequence[float]]], label: str, reference: float | None = None) -> str:
    """(title, "#rrggbb", values): a row each with a dot a value on one axis; ``reference`` is a line across."""
    values = [value for _, _, row in rows for value in row] + ([] if reference is None else [reference])
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or abs(high) or 1.0
    low, high = low - margin, high + margin

    def place(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.1f}%"

    line = "position:absolute;top:0;bottom:0;border-left:1px dashed currentColor;opacity:.6"
    mark = "" if reference is None else f'<i style="{line};left:{place(reference)}"></i>'
    dot = "position:absolute;top:50%;width:.7rem;height:.7rem;border-radius:50%;transform:translate(-50%,-50%)"
    cells = []
    for title, colour, row in rows:
        dots = "".join(f'<i style="{dot};background:{colour};left:{place(v)}" title="{readable(v)}"></i>' for v in row)
        track = f"position:relative;height:1.3rem;border-bottom:1px solid {FAINT}"
        mean = readable(sum(row) / len(row)) if row else "–"
        cells.append(
            f'<div style="overflow-wrap:anywhere">{escape(title)}</div><div style="{track}">{mark}{dots}</div>'
            f'<div style="text-align:right">{mean}</div>'
        )
    said = "; ".join(f"{title} {', '.join(map(readable, row))}" for title, _, row in rows)
    style = "gap:.2rem .6rem;align-items:center;font-size:.8rem;grid-template-columns:minmax(0,9rem) 1fr max-content"
    head = f'<div style="grid-column:1/-1;opacity:.75">{escape(label)}</div>'
    return _group("dot-rows", f"{label}: {said}", style, head + "".join(cells))


def _webp(picture: Image.Image) -> str:
    content = io.BytesIO()
    picture.save(content, "WEBP", quality=85)
    return data_url(content.getvalue(), "webp")


def numbers(cells: Sequence[tuple[str, str, str]]) -> str:
    """(value, unit, explanation on hover) side by side, narrower than st.metric can be."""
    blocks = "".join(
        f'<div title="{escape(explanation)}"><div style="font-size:1.25rem;font-weight:600">{escape(value)}</div>'
        f'<div style="font-size:.8rem;opacity:.75">{escape(unit)}</div></div>'
        for value, unit, explanation in cells
    )
    return f'<div style="display:grid;grid-template-columns:repeat({len(cells)},1fr);gap:.5rem">{blocks}</div>'


def _image(image: np.ndarray, caption: str) -> str:
    text, size = escape(caption), f'width="{image.shape[1]}" height="{image.shape[0]}"'
    return f'<img src="{data_url(png(image))}" alt="{text}" title="{text}" {size} style="{IMAGE_STYLE}">'


def _size(image: Image.Image) -> str:
    return f'width="{image.width}" height="{image.height}"'


def _group(testid: str, label: str, style: str, content: str) -> str:
    return (
        f'<div role="group" aria-label="{escape(label)}" data-testid="{testid}" style="display:grid;{style}">'
        f"{content}</div>"
    )
