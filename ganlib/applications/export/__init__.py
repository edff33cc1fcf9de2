"""Labelled sets of generated images as files: folder, ZIP or WebDataset shards, with a manifest and a data card."""

from __future__ import annotations

from ganlib.applications.export.config import ExportConfig
from ganlib.applications.export.export import Export, export

__all__ = ["Export", "ExportConfig", "export"]
