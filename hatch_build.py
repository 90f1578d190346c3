"""Puts the console's front-end parts into the wheel; a wheel without them is not built."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANIFEST = "src/entrepot/console/static/vendor/manifest.json"


class VendorHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own parameter
    """Runs npm and tools/vendor.py where `make setup` has not done so yet."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, _build_data: dict[str, Any]) -> None:
        """Called before the wheel is made; an editable install is served by `make setup`."""
        root = Path(self.root)
        if version == "editable" or (root / MANIFEST).exists():
            return
        subprocess.run(["npm", "ci"], cwd=root, check=True)  # noqa: S607 - wherever npm is
        subprocess.run([sys.executable, "tools/vendor.py"], cwd=root, check=True)
