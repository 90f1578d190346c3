"""Finds the operation of a method and path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.api.problems import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from entrepot.api.operation import Operation

_ANY = "{}"


class Table:
    """Operations by their path's segments; a fixed segment goes before a ``{name}``."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_shape: dict[tuple[str, ...], dict[str, Operation]] = {}
        self._beginnings: set[tuple[str, ...]] = set()
        for operation in operations:
            shape = _shape(operation.path)
            self._beginnings |= {shape[:length] for length in range(1, len(shape) + 1)}
            methods = self._by_shape.setdefault(shape, {})
            if methods.setdefault(operation.method, operation) is not operation:
                message = f"{operation.method} {operation.path} is defined twice"
                raise TypeError(message)

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
        """Return the operation and the values in its path; raises Stopped with 404 or 405."""
        segments = tuple(path.removeprefix("/").split("/"))
        methods = self._methods(segments)
        if methods is None:
            raise Stopped(404, "unknown_path", "There is nothing at this path.")
        operation = methods.get(method)
        if operation is None:
            allowed = ", ".join(sorted(methods))
            text = f"This path takes {allowed}."
            raise Stopped(405, "wrong_method", text, Allow=allowed)
        named = zip(operation.path.removeprefix("/").split("/"), segments, strict=True)
        return operation, {name[1:-1]: text for name, text in named if name.startswith("{")}

    def _methods(self, segments: tuple[str, ...]) -> dict[str, Operation] | None:
        """Return the methods of the path whose shape has the most fixed segments, from the left."""
        shapes: list[tuple[str, ...]] = [()]
        for segment in segments:
            parts = (segment, _ANY) if segment else ()
            longer = ((*shape, part) for shape in shapes for part in parts)
            shapes = [shape for shape in longer if shape in self._beginnings]
        found = (self._by_shape[shape] for shape in shapes if shape in self._by_shape)
        return next(found, None)


def _shape(path: str) -> tuple[str, ...]:
    segments = path.removeprefix("/").split("/")
    return tuple(_ANY if segment.startswith("{") else segment for segment in segments)
