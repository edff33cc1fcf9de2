"""A data set's name -> its arrays."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ganlib.data.cache import load_cached
from ganlib.data.sets import DATA_SETS, DataRequest, DataSet, Progress, check_name
from ganlib.errors import GanlibError
from ganlib.settings import array_cache, data_roots

MIN_SIZE, MAX_SIZE = 4, 1024


def recorded_name(name: str, root: Path | str | None = None) -> str:
    """What the set is called once it is loaded, in recipes: ``folder:pets`` for ``folder:/photos/pets.tar.xz``.

    GanlibError as ``load_data`` where it is unknown or absent.
    """
    check_name(name)
    key, _, argument = name.partition(":")
    return DATA_SETS[key].locate(DataRequest(argument or None, data_roots(root))).name


def load_data(
    name: str,
    *,
    size: int | None = None,
    channels: int | None = None,
    root: Path | str | None = None,
    cache: Path | str | None = None,
    attribute: str | None = None,
    progress: Progress | None = None,
) -> DataSet:
    """``name`` or ``name:argument`` (``folder:PATH``, ``celeba:Smiling,Male``) -> data set, decoded on first use;
    ``shards:PATH`` is indexed on first use and decoded whenever it is read.

    Images become size x size with 1 or 3 channels (None = the set's default). ``root`` is searched before
    GANLIB_DATA and the default folder; ``progress(done, total)`` is called while decoding.
    Raises GanlibError when the set is unknown, absent or unreadable, or the size or attribute makes no sense.
    """
    if size is not None and not MIN_SIZE <= size <= MAX_SIZE:
        raise GanlibError(f"Images cannot be {size} pixels wide; choose {MIN_SIZE} to {MAX_SIZE}.")
    if channels not in (None, 1, 3):
        raise GanlibError(f"Images cannot have {channels} channels; choose 1 (grey) or 3 (colour).")
    key, colon, argument = name.partition(":")
    definition = DATA_SETS[key]
    if attribute is not None and definition.argument != "ATTRIBUTES":
        raise GanlibError(f"{key} has no attributes, so {attribute!r} cannot be chosen; leave it out.")
    check_name(name)
    if colon and attribute is not None and attribute != argument:
        raise GanlibError(f"{name} and the attribute {attribute!r} contradict each other; give one of them.")
    source = definition.locate(DataRequest(argument or attribute, data_roots(root)))
    return (source.open or partial(load_cached, source))(
        size, channels, Path(cache).expanduser() if cache else array_cache(), progress
    )
