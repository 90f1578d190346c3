"""What the API does, one module per noun; every ``Operation`` in a module here is served."""

from __future__ import annotations

import importlib
import pkgutil

from entrepot.api.operation import Operation


def operations() -> tuple[Operation, ...]:
    """Return the operations of every module here, in the order in which they are written."""
    modules = (
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    )
    return tuple(
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, Operation)
    )
