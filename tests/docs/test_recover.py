"""A partner is away, comes back, and an operator does what docs/how-to/recover.md says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents
from tests.running import free_port

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "recover.md"

# Three orders shipped while nobody answers; the deadline is a second, so that the day is over soon.
BEFORE = """
```console
$ printf 'code\\nHQ\\n' > places.csv; printf 'sku,style_no\\nRING-1,RING-1\\n' > goods.csv
$ printf 'sku,location,qty\\nRING-1,HQ,50\\n' > stock.csv
$ .venv/bin/entrepot import outlets places.csv && .venv/bin/entrepot import articles goods.csv
1 rows taken, 0 left out.
1 rows taken, 0 left out.
$ .venv/bin/entrepot import stock stock.csv
1 rows taken, 0 left out.
$ .venv/bin/entrepot connections add shop goldshop
…
$ .venv/bin/entrepot tenant set allowed_networks=127.0.0.0/8
…
$ .venv/bin/entrepot connections set shop partner_url=http://127.0.0.1:9000 schedule=200ms deadline=1s
…
$ BASE=$(.venv/bin/entrepot connections url shop)
$ for n in 1 2 3; do curl -s $BASE/pickGoods/send -d '{"pickGoods":
>   {"custName": "安", "oriOrderNo": "W-'$n'", "username": "L"},
>   "pickGoodsDtls": [{"styleNo": "RING-1", "qty": 2}]}'; done
…
$ for n in 1 2; do .venv/bin/entrepot orders process W-$n; done > log.txt
$ for n in 1 2 3; do .venv/bin/entrepot orders ship W-$n; done >> log.txt
$ standing() { .venv/bin/entrepot deliveries list --json --state needs_attention |
>   grep -o '"order_[a-z]*"' | wc -l; }
$ until [ $(standing) = 3 ]; do sleep 0.3; done
```
"""
BACK = """```console
$ .venv/bin/entrepot mock --dialect goldshop --role miniapp --port 9000 > shop.log &
$ until grep -q listens shop.log; do sleep 0.1; done
```
"""


@pytest.mark.embedded
def test_an_operator_recovers_a_partner_as_the_page_says(tmp_path: Path) -> None:
    """Every command prints what the page shows; in the end nothing waits."""
    text = PAGE.read_text(encoding="utf-8").replace("<!-- the partner is back -->", BACK)
    text = (BEFORE + text).replace("9000", str(free_port()))
    before = len(list(documents.commands(BEFORE)))
    assert documents.play_on_an_empty_hub(text, tmp_path) > before
