"""Copy what the console needs of node_modules into the package, under names that carry their content.

Writes `src/entrepot/console/static/vendor/NAME.HASH.EXT` and `manifest.json`, which maps each logical
name (`htmx.js`) to the file that holds it, so that a page can be cached for ever and still change.
"""

import hashlib
import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src/entrepot/console/static/vendor"

# Logical name -> file inside node_modules.
FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "echarts.js": "echarts/dist/echarts.common.min.js",
    "icons.svg": "lucide-static/sprite.svg",
}
LICENCES = {
    "htmx.LICENSE": "htmx.org/LICENSE",
    "echarts.LICENSE": "echarts/LICENSE",
    "lucide.LICENSE": "lucide-static/LICENSE",
}


def hashed_name(name: str, content: bytes) -> str:
    """`htmx.js` and its bytes -> `htmx.3f2a91c04be7.js`."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"


def main() -> None:
    """Replace the vendor directory as a whole."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    manifest = {}
    for name, source in FILES.items():
        content = (MODULES / source).read_bytes()
        manifest[name] = hashed_name(name, content)
        (VENDOR / manifest[name]).write_bytes(content)
    for name, source in LICENCES.items():
        shutil.copyfile(MODULES / source, VENDOR / name)
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
