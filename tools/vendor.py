"""Copy what the hub's pages need of node_modules into the package, under names that carry their content.

Writes `src/entrepot/console/static/vendor/NAME.HASH.EXT` and `manifest.json`, which maps each logical
name (`htmx.js`) to the file that holds it, so that a page can be cached for ever and still change.
`icons.svg` is a sprite of the icons named here: `<svg><use href="/…/icons.HASH.svg#truck"/></svg>`.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src/entrepot/console/static/vendor"

# Logical name -> file inside node_modules.
FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "echarts.js": "echarts/dist/echarts.common.min.js",
    "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "swagger-ui.js": "swagger-ui-dist/swagger-ui-bundle.js",
}
LICENCES = {
    "htmx.LICENSE": "htmx.org/LICENSE",
    "echarts.LICENSE": "echarts/LICENSE",
    "inter.LICENSE": "@fontsource-variable/inter/LICENSE",
    "lucide.LICENSE": "lucide-static/LICENSE",
    "swagger-ui.LICENSE": "swagger-ui-dist/LICENSE",
}
# From lucide; add one when a page needs it.
ICONS = """
activity anchor arrow-down arrow-down-left arrow-left arrow-left-right arrow-right arrow-up
arrow-up-right badge-check ban banknote bell blocks book-open bookmark boxes building-2 calendar
calendar-clock check chevron-down chevron-left chevron-right chevron-up circle-alert circle-check
circle-dashed circle-dot circle-help circle-pause circle-user circle-x clipboard clock cloud-off
code coins copy database download ellipsis ellipsis-vertical external-link eye eye-off file-text
filter fingerprint gauge globe hand hash history hourglass inbox info key-round keyboard languages
layers layout-dashboard link link-2 list list-checks list-filter lock log-out map-pin menu monitor
moon move-right package package-2 package-check package-open package-x pause pencil percent play
plug plus printer radio receipt refresh-cw rotate-ccw rotate-cw save scale scroll-text search send
server settings shield shield-check ship shopping-bag shopping-cart sliders-horizontal smartphone
split store sun table tag terminal trash-2 triangle-alert truck undo-2 upload user users wallet
warehouse waypoints webhook workflow wrench x zap
""".split()  # noqa: SIM905 - a list of words is read as one

_SVG = re.compile(r'<svg[^>]*viewBox="([^"]+)"[^>]*>(.*?)</svg>', re.DOTALL)


def sprite() -> bytes:
    """Return one SVG with a symbol for each icon, drawn with the surrounding text's colour."""
    symbols = []
    for name in ICONS:
        source = (MODULES / "lucide-static/icons" / f"{name}.svg").read_text(encoding="utf-8")
        if (svg := _SVG.search(source)) is None:
            raise ValueError(f"lucide's {name}.svg is not what it was")
        body = " ".join(svg[2].split())
        symbols.append(f'<symbol id="{name}" viewBox="{svg[1]}">{body}</symbol>')
    style = (
        'fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round"'
    )
    drawn = "\n".join(symbols).replace("<symbol ", f"<symbol {style} ")
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{drawn}\n</svg>\n'.encode()


def hashed_name(name: str, content: bytes) -> str:
    """`htmx.js` and its bytes -> `htmx.3f2a91c04be7.js`."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"


def main() -> None:
    """Replace the vendor directory as a whole."""
    contents = {name: (MODULES / source).read_bytes() for name, source in FILES.items()}
    contents["icons.svg"] = sprite()
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    manifest = {name: hashed_name(name, content) for name, content in contents.items()}
    for name, content in contents.items():
        (VENDOR / manifest[name]).write_bytes(content)
    for name, source in LICENCES.items():
        shutil.copyfile(MODULES / source, VENDOR / name)
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
