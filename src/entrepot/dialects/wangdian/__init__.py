"""wangdian: 旺店通旗舰版 and the merchants that push suites to it (document 004)."""

from __future__ import annotations

from pathlib import Path

from entrepot import ids
from entrepot.dialect import Dialect, Role
from entrepot.dialects.wangdian import client, server, wire


def _appsecret() -> dict[str, str]:
    return {"appsecret": f"{ids.token()}:{ids.token()}"}


def _account() -> dict[str, str]:
    return {"sid": f"wdt{ids.token(48)}", "key": f"key{ids.token(48)}"}


def _theirs() -> dict[str, str]:
    """Return what 旺店通 gives a merchant, to be filled in."""
    return {"sid": "", "key": "", "appsecret": ""}


dialect = Dialect(
    name="wangdian",
    label="旺店通（组合装）",
    document="004",
    roles={
        "wdt": Role(
            settings=wire.WdtSettings,
            render=wire.render,
            routes=server.WDT,
            secrets=_appsecret,
            accounts=_account,
            sign=client.sign,
        ),
        "merchant": Role(
            settings=wire.MerchantSettings,
            render=wire.render,
            listens=frozenset({"suite_saved", "goods_saved"}),
            request_for=client.request_for,
            verdict=client.verdict,
            accounts=_theirs,
            stock_query=client.STOCK,
        ),
    },
    folder=Path(__file__).parent,
)
