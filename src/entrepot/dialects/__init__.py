"""Discovers dialects: every folder here, every entry point of the group, every folder given.

A dialect announces itself by a module-level ``dialect`` in its package; nothing else is registered
anywhere.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import pkgutil
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.dialect import Dialect
from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType


def discover(*folders: Path) -> Mapping[str, Dialect]:
    """Return every dialect by name; a broken or doubled one stops the start.

    ``folders`` are further places to look, each holding dialect packages (used for a merchant's own
    dialects: ``ENTREPOT_DIALECTS``).
    """
    found: dict[str, Dialect] = {}
    for dialect in (*_built_in(), *_installed(), *_beside(folders)):
        if dialect.name in found:
            message = f"Two dialects are called {dialect.name!r}; rename one."
            raise Unusable(message)
        found[dialect.name] = dialect
    return found


def known() -> Mapping[str, Dialect]:
    """Return every dialect of this process: those that are found, and ``ENTREPOT_DIALECTS``'s folders.

    The variable holds folders, colon-separated.
    """
    folders = os.environ.get("ENTREPOT_DIALECTS", "").split(":")
    return discover(*(Path(folder) for folder in folders if folder))


def _built_in() -> Iterator[Dialect]:
    for module in pkgutil.iter_modules(__path__):
        yield _of(importlib.import_module(f"{__name__}.{module.name}"))


def _installed() -> Iterator[Dialect]:
    for entry in entry_points(group=Dialect.ENTRY_POINTS):
        yield _of(entry.load())


def _beside(folders: tuple[Path, ...]) -> Iterator[Dialect]:
    for folder in folders:
        packages = sorted(folder.glob("*/__init__.py"))
        if not packages:
            message = (
                f"ENTREPOT_DIALECTS: {folder} holds no folder of a dialect; name the one above it."
            )
            raise Unusable(message)
        for package in packages:
            yield _of(_loaded(package))


def _loaded(package: Path) -> ModuleType:
    """Import a package by its path; its name tells folders of one name apart."""
    digest = hashlib.sha256(str(package.resolve()).encode()).hexdigest()[:8]
    name = f"entrepot_dialect_{package.parent.name}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        name, package, submodule_search_locations=[str(package.parent)]
    )
    if spec is None or spec.loader is None:
        message = f"{package} cannot be loaded as a dialect."
        raise Unusable(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        message = f"{package} cannot be loaded as a dialect: {error}"
        raise Unusable(message) from error
    return module


def _of(module: object) -> Dialect:
    dialect = getattr(module, "dialect", module)
    if not isinstance(dialect, Dialect):
        message = f"{module!r} defines no dialect (a module-level name `dialect`)."
        raise Unusable(message)
    return dialect
