"""The currencies that prices may be in: those of ISO 4217 that money changes hands in."""

from xml.etree.ElementTree import Element

import iso4217

# The list calls these two currencies, though nothing is paid in them.
_UNITS_OF_ACCOUNT = {"UYW", "XAD"}


def _circulates(entry: Element) -> bool:
    """False for funds, and for what has no minor unit: metals, bond market units, test codes."""
    is_fund = entry.find("CcyNm[@IsFund='true']") is not None
    return not is_fund and entry.findtext("CcyMnrUnts", "").isdigit()


_ENTRIES: list[Element] = iso4217.raw_xml.findall("CcyTbl/CcyNtry")

CURRENCIES = frozenset(
    entry.findtext("Ccy", "") for entry in _ENTRIES if _circulates(entry)
).difference(_UNITS_OF_ACCOUNT)
