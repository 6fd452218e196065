"""Say in words how a program gives credit, from the rules of one version. Every figure comes from the rules that judge the events, so what
is read is what is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from prm.lib import l10n
from referrals.attribution.settings import DAY, HOUR, WINDOWED, Qualifies, Settings
from tiers.sentence_words import Words, events

CONTACT_NAMES: dict[str, Promise] = {
    "deal": gettext_lazy("A registered deal"),
    "code": gettext_lazy("A code"),
    "click": gettext_lazy("A click"),
    "lead": gettext_lazy("A lead"),
    "intro": gettext_lazy("An introduction"),
    "view": gettext_lazy("A banner that was seen"),
    "customer": gettext_lazy("Who brought the customer"),
}
_PARTNERS: dict[str, Promise] = {
    "deal": gettext_lazy("the partner who registered the deal"),
    "code": gettext_lazy("the partner whose code was used"),
    "click": gettext_lazy("the partner whose link was clicked"),
    "lead": gettext_lazy("the partner who brought the lead"),
    "intro": gettext_lazy("the partner who made the introduction"),
    "view": gettext_lazy("the partner whose banner was seen"),
    "customer": gettext_lazy("the partner who brought the customer"),
}
MODEL_NAMES: dict[str, Promise] = {
    "last_touch": gettext_lazy("The latest contact takes all of it"),
    "first_touch": gettext_lazy("The earliest contact takes all of it"),
    "linear": gettext_lazy("Equal shares"),
    "position": gettext_lazy("First and last 40 % each, those between 20 %"),
    "time_decay": gettext_lazy("The later, the more"),
    "participation": gettext_lazy("The latest takes all of it, the others are credited as helping"),
}


def paragraph(settings: Settings, *, currency: str, locale: str) -> str:
    """Return all of it as one paragraph."""
    return " ".join(sentences(settings, currency=currency, locale=locale))


def sentences(settings: Settings, *, currency: str, locale: str) -> list[str]:
    """Return who is credited, how credit is shared, how long contacts count and what counts as a referral, in the language in force."""
    words = Words(currency, locale)
    return [
        *order_of(settings, locale=locale),
        *_sharing(settings, words),
        *_windows(settings, words),
        *_customers(settings),
        *_qualifying(settings.qualifies, words),
    ]


def order_of(settings: Settings, *, locale: str) -> list[str]:
    """Return which contacts decide, the first ones first."""
    said = []
    for place, group in enumerate(settings.precedence):
        text = (
            _("Credit goes first to %(partner)s.")
            if place == 0 and len(settings.precedence) > 1
            else _("Credit goes to %(partner)s.")
            if place == 0
            else _("Without one, it goes to %(partner)s.")
        )
        partners = [str(_PARTNERS[kind]) for kind in group]
        said.append(text % {"partner": l10n.list_text(partners, locale, "or")})
    return [*said, _("Otherwise nobody is credited.")]


def window_text(window: timedelta, locale: str) -> str:
    """Return how long a contact counts: 30 days, 36 hours."""
    hours = window // HOUR
    count = window // DAY
    if hours % 24:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {
            "count": l10n.number_text(hours, locale)
        }
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": l10n.number_text(count, locale)}


def _sharing(settings: Settings, words: Words) -> Iterator[str]:
    match settings.model:
        case "last_touch":
            yield _("Of several contacts of that kind, the latest takes all of the credit.")
        case "first_touch":
            yield _("Of several contacts of that kind, the earliest takes all of the credit.")
        case "linear":
            text = _("Several contacts of that kind share the credit equally: three get %(share)s each.")
            yield text % {"share": _percent(Fraction(1, 3), words)}
        case "position":
            text = _(
                "Of several contacts of that kind, the first and the last get %(ends)s each and those between share"
                " %(rest)s; two get %(half)s each."
            )
            parts = {"ends": Fraction(2, 5), "rest": Fraction(1, 5), "half": Fraction(1, 2)}
            yield text % {name: _percent(part, words) for name, part in parts.items()}
        case "time_decay":
            text = _(
                "Of several contacts of that kind, later ones get more: one that is %(time)s older weighs half. Of two"
                " that lie %(time)s apart, the later gets %(later)s and the earlier %(earlier)s."
            )
            values = {
                "time": window_text(settings.half_life_hours * HOUR, words.locale),
                "later": _percent(Fraction(2, 3), words),
                "earlier": _percent(Fraction(1, 3), words),
            }
            yield text % values
        case "participation":
            yield _(
                "Of several contacts, the latest of that kind takes all of the credit; every other partner whose contact"
                " counted is credited as having helped."
            )
    if settings.assists and settings.model != "participation":
        yield _("Partners whose contact counted without a share are credited as having helped.")


def _windows(settings: Settings, words: Words) -> Iterator[str]:
    text = {
        "click": _("A click counts for %(time)s."),
        "lead": _("A lead counts for %(time)s."),
        "intro": _("An introduction counts for %(time)s."),
        "view": _("A banner that was seen counts for %(time)s."),
    }
    for kind in WINDOWED:
        if kind in settings.kinds:
            yield text[kind] % {"time": window_text(settings.window(kind), words.locale)}
    if "deal" in settings.kinds:
        yield _("A registered deal counts up to the day it is protected until.")
    if "customer" in settings.kinds:
        yield _recurring(settings.recurring_months, words)


def _recurring(months: int | None, words: Words) -> str:
    if months is None:
        return _("Who brought a customer earns by its later purchases without an end.")
    text = ngettext(
        "Who brought a customer earns by its later purchases for %(count)s month.",
        "Who brought a customer earns by its later purchases for %(count)s months.",
        months,
    )
    return text % {"count": words.number(months)}


def _customers(settings: Settings) -> Iterator[str]:
    if settings.qualifies.customers == "all":
        yield _("Orders of new and of existing customers count alike.")
    elif "customer" in settings.kinds:
        yield _("A customer who has bought before counts only for the partner who brought it.")
    else:
        yield _("Only new customers count: orders of somebody who has bought before earn nothing.")


def _qualifying(asks: Qualifies, words: Words) -> Iterator[str]:
    if asks.kinds:
        yield _("Only %(events)s count.") % {"events": events(words, asks.kinds)}
    if asks.least_minor:
        yield _("An order counts from %(amount)s.") % {"amount": words.money(asks.least_minor)}
    if asks.countries:
        text = _("Only customers in %(countries)s count.")
        yield text % {"countries": words.countries(asks.countries)}
    if asks.products:
        yield _("Only orders with these products count: %(names)s.") % {"names": _row(asks.products, words)}
    if asks.categories:
        text = _("Only orders with products of these categories count: %(names)s.")
        yield text % {"names": _row(asks.categories, words)}
    for name, value in asks.attributes:
        text = _("Only orders with “%(value)s” as “%(name)s” count.")
        yield text % {"name": name, "value": value}


def _row(texts: Collection[str], words: Words) -> str:
    return words.row(sorted(texts), "or")


def _percent(part: Fraction, words: Words) -> str:
    """Write a share with one decimal at most."""
    thousandths = round(part * 1000)
    return words.percent(Decimal(thousandths) / 1000)
