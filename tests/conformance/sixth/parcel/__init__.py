"""parcel: a dialect of nobody's, to prove that one folder is all a dialect needs."""

from __future__ import annotations

from pathlib import Path

from entrepot.dialect import Dialect, Role

from . import words

dialect = Dialect(
    name="parcel",
    label="Parcel shop",
    document="none",
    roles={
        "shop": Role(
            settings=words.Settings,
            render=words.render,
            routes=words.ROUTES,
            listens=frozenset({"order_shipped"}),
            request_for=words.request_for,
            verdict=words.verdict,
        )
    },
    folder=Path(__file__).parent,
)
