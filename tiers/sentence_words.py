"""The words that sentences about rules are made of: amounts, events, windows, counts and lists, in the reader's language. Names of
tiers and partners come from the caller, because a rule knows only their keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prm.lib import l10n
from prm.lib.money import Money, exponent
from tiers.engine.facts import GIVES_BACK, TAKES_BACK, Metric, Window

# Stands in conditions for a partner or a deal that whoever reads is not to know by name.
UNNAMED = "\N{HORIZONTAL ELLIPSIS}"
# Countries that English names with an article, as in "customers in the Netherlands".
# fmt: off
_WITH_ARTICLE = frozenset({
    "AE", "AX", "BS", "CC", "CF", "CK", "DO", "FK", "FO", "GB", "GM", "IM", "IO", "KM",
    "KY", "MH", "MP", "MV", "NL", "PH", "SB", "SC", "TC", "TF", "UM", "US", "VG", "VI",
})
# fmt: on


@dataclass(frozen=True)
class Words:
    """How one reader is told things: in this locale, with amounts in this currency and these names for keys."""

    currency: str
    locale: str
    names: Mapping[str, str] = field(default_factory=dict)

    def money(self, minor: int) -> str:
        return l10n.short_money_text(Money(minor, self.currency), self.locale)

    def decimal_money(self, amount: Decimal) -> str:
        """Write an amount given in whole units, as conditions keep it."""
        return self.money(self.minor(amount))

    def minor(self, amount: Decimal) -> int:
        return int(amount.scaleb(exponent(self.currency)))

    def percent(self, rate: Decimal) -> str:
        return l10n.percent_text(rate, self.locale)

    def number(self, number: Decimal | int) -> str:
        return l10n.number_text(number, self.locale)

    def day(self, day: date) -> str:
        return l10n.date_text(day, self.locale)

    def name(self, key: str) -> str:
        return _("another partner") if key == UNNAMED else self.names.get(key, key)

    def names_of(self, keys: Collection[str], style: Literal["standard", "or"] = "or") -> str:
        return self.row([self.name(key) for key in sorted(keys)], style)

    def country(self, code: str) -> str:
        """Name a country by itself: United Kingdom."""
        return str(l10n.locale_of(self.locale).territories.get(code.upper(), code.upper()))

    def countries(self, codes: Collection[str], style: Literal["standard", "or"] = "or") -> str:
        """Name countries inside a sentence, in the order of their names: France or the United Kingdom."""
        named = sorted((self.country(code), code.upper()) for code in codes)
        return self.row([self._with_article(name, code) for name, code in named], style)

    def _with_article(self, name: str, code: str) -> str:
        is_english = self.locale.split("-")[0].split("_")[0] == "en"
        return f"the {name}" if is_english and code in _WITH_ARTICLE else name

    def row(self, texts: Sequence[str], style: Literal["standard", "or"] = "standard") -> str:
        return l10n.list_text(texts, self.locale, style)


def rate_text(words: Words, rate: Decimal, flat: int = 0) -> str:
    """Return what is paid: 10%, £5, or 10% plus £5."""
    if not flat:
        return words.percent(rate)
    if not rate:
        return words.money(flat)
    return _("%(percent)s plus %(flat)s") % {"percent": words.percent(rate), "flat": words.money(flat)}


_FIRST = ("sale", "renewal", "signup", "qualified_lead")


def _in_order(kinds: Collection[str]) -> list[str]:
    """Return kinds of event with the usual ones first; none means sales."""
    known = {kind: at for at, kind in enumerate(_FIRST)}
    return sorted(kinds, key=lambda kind: (known.get(kind, len(known)), kind)) or ["sale"]


def earning(kinds: Collection[str]) -> Collection[str]:
    """Return the kinds that earn something; what takes a sale back is told with the refunds."""
    return [kind for kind in kinds if kind not in TAKES_BACK and kind != GIVES_BACK] or kinds


def every_event(words: Words, kinds: Collection[str]) -> str:
    """Return the events one by one: every order and every renewal."""
    known = {
        "sale": _("every order"),
        "signup": _("every sign-up"),
        "qualified_lead": _("every qualified lead"),
        "renewal": _("every renewal"),
        "install": _("every install"),
    }
    told = dict.fromkeys(known.get(kind, _("every agreed event")) for kind in _in_order(earning(kinds)))
    return words.row(list(told))


def events(words: Words, kinds: Collection[str], style: Literal["standard", "or"] = "standard") -> str:
    """Return the events together: orders and renewals."""
    known = {
        "sale": _("orders"),
        "signup": _("sign-ups"),
        "qualified_lead": _("qualified leads"),
        "renewal": _("renewals"),
        "install": _("installs"),
        "refund": _("refunds"),
        "chargeback": _("chargebacks"),
        "chargeback_won": _("chargebacks won back"),
    }
    told = dict.fromkeys(known.get(kind, _("agreed events")) for kind in _in_order(kinds))
    return words.row(list(told), style)


def counted(words: Words, metric: Metric, count: int) -> str:
    """Return how much of a metric: £1,000 of orders, 10 orders, 3 new customers."""
    if metric == "revenue":
        return _("%(amount)s of orders") % {"amount": words.money(count)}
    told = {
        "sales": ngettext("%(count)s order", "%(count)s orders", count),
        "new_customers": ngettext("%(count)s new customer", "%(count)s new customers", count),
        "leads": ngettext("%(count)s qualified lead", "%(count)s qualified leads", count),
        "units": ngettext("%(count)s piece", "%(count)s pieces", count),
    }
    return told[metric] % {"count": words.number(count)}


def each_counted(metric: Metric) -> str:
    """Return one piece of a metric."""
    return {
        "sales": _("each order"),
        "new_customers": _("each new customer"),
        "leads": _("each qualified lead"),
        "units": _("each piece"),
    }[metric]


def quantity(words: Words, metric: Metric, count: int) -> str:
    """Return a bound of a metric by itself: £1,000 or 10."""
    return words.money(count) if metric == "revenue" else words.number(count)


def months(words: Words, count: int) -> str:
    return ngettext("%(count)s month", "%(count)s months", count) % {"count": words.number(count)}


def in_window(words: Words, window: Window) -> str:
    """Return over which time something is counted: in a month, in the last 6 months, in total."""
    match window.kind:
        case "month":
            return _("in a month")
        case "quarter":
            return _("in a quarter")
        case "year":
            return _("in a year")
        case "trailing":
            return _("in the last %(months)s") % {"months": months(words, window.months)}
        case "joining":
            return _("in %(months)s counted from joining") % {"months": months(words, window.months)}
    return _("in total")


def each_window(words: Words, window: Window) -> str:
    """Return for what one amount is paid: for each month, once."""
    match window.kind:
        case "month" | "trailing":
            return _("for each month")
        case "quarter":
            return _("for each quarter")
        case "year":
            return _("for each year")
        case "joining":
            return _("for each %(months)s from joining") % {"months": months(words, window.months)}
    return _("once")
