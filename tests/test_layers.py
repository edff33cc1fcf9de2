"""Rules held over every file: each layer imports only those below it; elements get no Markdown from outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = (  # from bottom to top
    {"__version__", "errors"},
    {"files", "naming"},
    {"parquet_pages", "picture_files", "recipe", "registry", "settings"},
    {"config", "devices", "distributed", "images", "provenance", "records", "tensors"},
    {"losses", "augment", "data", "nn", "partial"},
    {"models"},
    {"run_folder"},
    {"runs"},
    {"archive", "sampling"},
    {"half_precision"},
    {"training"},
    {"intervals"},
    {"balances", "metrics"},
    {"twosample"},
    {"queue"},
    {"applications", "diagnostics"},
    {"ui", "commands"},
    {"__main__"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
APART = {  # the curves need no model: these stand beside the layers and may know only
    "logs": {
        "errors",
        "files",
        "naming",
        "parquet_pages",
        "picture_files",
        "recipe",
        "records",
        "registry",
        "settings",
    },
    "figures": {"errors", "naming", "registry", "records", "logs"},
    "experiments": {"balances", "errors", "files", "intervals", "naming", "recipe", "records", "logs"},
}
APART_BELOW = LEVEL["ui"]  # the first layer that may use what stands apart

BARE = {"torch", "numpy", "pandas", "PIL", "safetensors", "filelock"}  # a bare GPU machine's; torch brings filelock
OPTIONAL = {"data": {"torchvision", "pyarrow"}, "models": {"torchvision"}}  # inside functions
PAGES = {"streamlit", "pandas", "ganlib"}
ONLY_IN = {
    "streamlit": "ganlib/ui",
    "torch_fidelity": "ganlib/metrics/fidelity.py",
    "timm": "ganlib/metrics/imagenet.py",
}

FILES = [
    path.relative_to(ROOT)
    for pattern in ("ganlib/**/*.py", "app.py", "dashboard.py", "pages/*.py")
    for path in sorted(ROOT.glob(pattern))
]
FORBIDDEN = [  # file, source, what the rule says of it
    ("ganlib/models/new.py", "from ganlib.training import Trainer", "models may not import ganlib.training"),
    ("ganlib/models/new.py", "def f():\n    import ganlib.sampling", "models may not import ganlib.sampling"),
    ("ganlib/losses.py", "from ganlib.nn import block", "losses may not import ganlib.nn"),
    ("ganlib/runs.py", "from ganlib import sampling", "runs may not import ganlib.sampling"),
    ("ganlib/metrics/new.py", "from ganlib.ui import grid", "metrics may not import ganlib.ui"),
    ("ganlib/metrics/new.py", "from ganlib.figures import bars", "metrics may not import ganlib.figures"),
    ("ganlib/ui/new.py", "from ganlib.commands import train", "ui may not import ganlib.commands"),
    ("ganlib/figures.py", "import ganlib.models", "figures may not import ganlib.models"),
    ("ganlib/logs/new.py", "from ganlib.runs import Run", "logs may not import ganlib.runs"),
    ("ganlib/logs/new.py", "def f():\n    import torch", "logs are read without it"),
    ("ganlib/records/new.py", "import torch", "records are read without it"),
    ("ganlib/logs/new.py", "from torchvision.io import x", "logs are read without it"),
    ("ganlib/training/new.py", "import scipy", "a bare GPU machine trains without it"),
    ("ganlib/data/new.py", "import torchvision", "a bare GPU machine trains without it"),
    ("ganlib/data/new.py", "import pyarrow", "a bare GPU machine trains without it"),
    ("ganlib/models/new.py", "import torchvision", "a bare GPU machine trains without it"),
    ("ganlib/metrics/new.py", "import streamlit", "belongs in ganlib/ui alone"),
    ("ganlib/metrics/new.py", "import torch_fidelity", "belongs in ganlib/metrics/fidelity.py alone"),
    ("ganlib/metrics/new.py", "import timm", "belongs in ganlib/metrics/imagenet.py alone"),
    ("ganlib/__init__.py", "from ganlib.models import MODELS", "has no layer"),
    ("ganlib/novel/new.py", "from ganlib.models import MODELS", "novel has no layer"),
    ("pages/new.py", "import torch", "move that code into ganlib"),
    ("app.py", "import plotly.express", "move that code into ganlib"),
]
PERMITTED = [  # file, source
    ("ganlib/data/new.py", "def f():\n    from torchvision.datasets import CIFAR10"),
    ("ganlib/data/new.py", "def f():\n    import pyarrow.parquet"),
    ("ganlib/models/new.py", "def f():\n    from torchvision.models import ResNet"),
    ("ganlib/data/new.py", "from ganlib.data.sets import register_data_set"),
    ("ganlib/training/new.py", "from ganlib.sampling import sample\nimport numpy as np\nfrom PIL import Image"),
    ("ganlib/figures.py", "from ganlib.logs import smooth\nimport plotly.graph_objects as go"),
    ("ganlib/ui/new.py", "import streamlit as st\nfrom ganlib import figures, logs"),
    ("ganlib/metrics/fidelity.py", "import torch_fidelity\nfrom ganlib.training import Trainer"),
    ("pages/new.py", "import json\nimport streamlit as st\nimport pandas as pd\nfrom ganlib.ui import grid"),
]


class Import(NamedTuple):
    name: str  # dotted
    line: int
    inside: bool  # a function, so that importing the file does not run it

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def part(self) -> str:
        """ganlib.models.contract -> models."""
        return self.name.split(".")[1]


def imports(source: str) -> list[Import]:
    def walk(node: ast.AST, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(a.name, child.lineno, inside) for a in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"line {child.lineno}: absolute imports only"
                # "from ganlib import models" names the module last
                module = str(child.module)
                names = [f"ganlib.{a.name}" for a in child.names] if module == "ganlib" else [module]
                yield from (Import(name, child.lineno, inside) for name in names)
            else:
                function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from walk(child, inside or function)

    return list(walk(ast.parse(source), False))


def part_of(path: Path) -> str:
    """ganlib/models/base.py -> models; ganlib/runs.py -> runs."""
    return path.with_suffix("").parts[1]


def violations(path: Path, source: str) -> list[str]:
    """What is wrong with a file's imports, one sentence each."""
    sentences, page = [], path.parts[0] != "ganlib"
    here = "" if page or path == Path("ganlib/__init__.py") else part_of(path)
    for item in imports(source):
        where = f"{path}:{item.line}"
        if page:
            if item.package not in PAGES | sys.stdlib_module_names:
                sentences.append(f"{where} imports {item.name}; move that code into ganlib.")
            continue
        home = ONLY_IN.get(item.package)
        if home and path.as_posix() != home and not path.as_posix().startswith(f"{home}/"):
            sentences.append(f"{where} imports {item.name}, which belongs in {home} alone.")
        if here in ("logs", "records", "experiments") and item.package in {"torch", "torchvision"}:
            sentences.append(f"{where} imports {item.name}; {here} are read without it.")
        if here in LEVEL and LEVEL[here] <= LEVEL["training"]:
            bare = item.package in BARE | {"ganlib"} | sys.stdlib_module_names
            optional = item.inside and item.package in OPTIONAL.get(here, ())
            if not bare and not optional:
                sentences.append(f"{where} imports {item.name}; a bare GPU machine trains without it.")
        if item.package == "ganlib" and "." in item.name and item.part != here:
            if here not in LEVEL and here not in APART:
                sentences.append(
                    f"{where}: {here or 'ganlib/__init__.py'} has no layer; give it one in test_layers.py."
                )
            elif not may_import(here, item.part):
                sentences.append(f"{where}: {here} may not import {item.name}, which does not stand below it.")
    return sentences


def may_import(here: str, other: str) -> bool:
    if here in APART:
        return other in APART[here]
    if other in APART:
        return LEVEL[here] >= APART_BELOW
    return LEVEL.get(other, len(LAYERS)) < LEVEL[here]


def test_imports_point_downwards():
    assert [violation for path in FILES for violation in violations(path, (ROOT / path).read_text())] == []


def test_every_part_has_a_layer():
    parts = {part_of(path) for path in FILES if path.parts[0] == "ganlib" and path != Path("ganlib/__init__.py")}
    assert parts - LEVEL.keys() - APART.keys() == set()


def test_the_rule_notices_what_it_forbids():
    results = [(violations(Path(path), source), expected) for path, source, expected in FORBIDDEN]
    assert [result for result in results if len(result[0]) != 1 or result[1] not in result[0][0]] == []


def test_the_rule_permits_everything_else():
    assert [violation for path, source in PERMITTED for violation in violations(Path(path), source)] == []


def test_relative_imports_are_refused():
    with pytest.raises(AssertionError, match="line 1: absolute imports only"):
        imports("from .base import MODELS")


MARKDOWN = {  # elements of Streamlit that read their first argument as Markdown
    "badge", "button", "caption", "checkbox", "download_button", "error", "expander", "file_uploader", "header",
    "info", "link_button", "markdown", "metric", "multiselect", "number_input", "pills", "popover", "progress",
    "radio", "segmented_control", "select_slider", "selectbox", "slider", "spinner", "status", "subheader", "success",
    "text_input", "title", "toast", "toggle", "warning", "write",
}  # fmt: skip
DRAWN = [path for path in FILES if path.parts[0] != "ganlib" or path.parts[1] == "ui"]


def is_literal(node: ast.expr) -> bool:
    """Whether a text consists of literals, numbers with a format and what ``markup.plain`` returns."""
    match node:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Name(id="plain" | "len") | ast.Attribute(attr="plain")):
            return True
        case ast.JoinedStr(values=parts):
            return all(is_literal(part) for part in parts)
        case ast.FormattedValue(value=value, format_spec=spec):
            return spec is not None or is_literal(value)
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Compare()):
            return is_literal(left)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_literal(left) and is_literal(right)
        case ast.IfExp(body=body, orelse=orelse):
            return is_literal(body) and is_literal(orelse)
        case ast.Name(id=name):
            return name.isupper()  # a constant
    return False


def markdown_texts(source: str) -> list[str]:
    """What a file hands to Streamlit as Markdown although it may come from a link, a file or a name."""
    texts = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MARKDOWN:
            if ast.unparse(node.func.value) == "report":  # a PageReport, which does it itself
                continue
            first = node.func.attr == "progress"  # whose text is its second
            given = [
                *node.args[first : first + 1],
                *(k.value for k in node.keywords if k.arg in ("label", "body", "text")),
            ]
            texts += [f"{node.lineno}: {ast.unparse(text)}" for text in given if not is_literal(text)]
    return texts


def test_texts_of_elements_are_literals_or_plain():
    assert {path: texts for path in DRAWN if (texts := markdown_texts((ROOT / path).read_text()))} == {}


def test_what_a_table_lacks_is_a_dash():
    """Streamlit writes "None", which is no word of these pages."""
    calls = [
        (path, node.lineno, {keyword.arg for keyword in node.keywords})
        for path in DRAWN
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.dataframe"
    ]
    assert calls
    assert [(path, line) for path, line, given in calls if "placeholder" not in given] == []


def test_downloads_are_made_when_they_are_pressed():
    """Bytes given to Streamlit's own button are stored under an address that the next run of the script takes back."""
    users = [path for path in DRAWN if ".download_button(" in (ROOT / path).read_text()]
    assert users == [Path("ganlib/ui/downloads.py")]
