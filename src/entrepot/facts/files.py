"""Files that came in or went out by themselves. Pure."""

from __future__ import annotations

from entrepot.facts.fact import Fact


class ImportFinished(Fact, frozen=True, kw_only=True):
    """A file of ``content`` (articles, stock, …) was brought in, or could not be read (``problem``).

    ``number`` is the import's id; ``taken`` and ``left_out`` count its rows. A ``dry_run`` changed nothing.
    """

    kind = "import_finished"

    content: str
    dry_run: bool
    taken: int
    left_out: int
    problem: str = ""


class ExportFinished(Fact, frozen=True, kw_only=True):
    """A file of ``content`` is ready in ``parts``, or could not be written (``problem``).

    ``number`` is the export's id.
    """

    kind = "export_finished"

    content: str
    rows: int
    parts: int
    problem: str = ""
