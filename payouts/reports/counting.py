"""Count one day from what happened: clicks, events with the credit in them, and the lines they earned, in a bounded number of queries whatever
the day holds. The figures of a dimension add up to those of the whole, but for unique visitors and orders with several products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from payouts.choices import ReportDimension
from payouts.models import Commission
from payouts.reports.figures import Figures, Key
from payouts.reports.products import Products
from prm.lib.periods import start_of_day
from referrals.attribution.shares import part, weights_of
from referrals.choices import ClickKind, ConversionState, CreditRole
from referrals.facts import GIVES_BACK, TAKES_BACK
from referrals.models import Click, Conversion, Credit
from referrals.performance import counting
from tiers.choices import EventKind
from tiers.models import Program

LONGEST = 80  # of a key, as the column holds it
LEADS = frozenset({EventKind.SIGNUP, EventKind.QUALIFIED_LEAD})
_EVERYTHING = ReportDimension.ALL.value
_ROWS_AT_ONCE = 2_000
_SUB_IDS = ("sub_id", "sub2", "sub3", "sub4", "sub5")
# What clicks are told apart by: the dimension, the column and what its keys begin with.
_OF_CLICKS = (
    (_EVERYTHING, "", ""),
    (ReportDimension.LINK.value, "link__public_id", ""),
    (ReportDimension.CAMPAIGN.value, "campaign", ""),
    (ReportDimension.COUNTRY.value, "country", ""),
    *((ReportDimension.SUB_ID.value, name, f"{number}:") for number, name in enumerate(_SUB_IDS, 1)),
)

Day = dict[Key, Figures]


@dataclass(frozen=True, slots=True)
class _Event:
    """What an event is filed under, as a row of a query tells it, and as whose."""

    pk: int
    original: int | None
    kind: str
    minor: int
    product: str
    keys: tuple[tuple[str, str], ...]
    minutes: int | None  # from the credited click; None without one


def count(program: Program | None, day: date) -> Day:
    """Return the figures of a program's local day by membership, or without a program those of nobody on a UTC day; no empty ones."""
    found: Day = defaultdict(Figures)
    since, until = bounds(program, day)
    if program is None:
        _organic(found, since, until)
    else:
        _clicks(found, program, since, until)
        _events(found, program, since, until)
        _earned(found, program, since, until)
    return {key: figures for key, figures in found.items() if figures}


def bounds(program: Program | None, day: date) -> tuple[datetime, datetime]:
    """Return the first instant of a day and that of the next one."""
    zone = UTC if program is None else program.zone
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)


def sub_id_key(number: int, value: str) -> str:
    """Return the key of a sub-id: its place and its value, `1:newsletter`."""
    return f"{number}:{value}"[:LONGEST]


def _clicks(found: Day, program: Program, since: datetime, until: datetime) -> None:
    """Count clicks and visitors; a click without a visitor number counts as a visitor of its own."""
    rows = Click.objects.filter(
        link__membership__program=program, clicked_at__gte=since, clicked_at__lt=until
    )
    person, numbered = Q(kind=ClickKind.PERSON), ~Q(visitor="")
    needed: dict[str, Any] = {
        "clicks": Count("pk", filter=person),
        "numbered": Count("visitor", filter=person & numbered, distinct=True),
        "alone": Count("pk", filter=person & ~numbered),
        "other": Count("pk", filter=~Q(kind__in=(ClickKind.PERSON, ClickKind.VIEW))),
    }
    for dimension, column, begins in _OF_CLICKS:
        by = {"owner": F("link__membership"), **({"value": F(column)} if column else {})}
        is_further = bool(begins) and begins != "1:"
        chosen = rows.exclude(**{column: ""}) if is_further else rows
        groups: list[Any] = list(chosen.order_by().values(**by).annotate(**needed))
        for row in groups:
            value = row.get("value", "")
            key = f"{begins}{value}"[:LONGEST] if value else ""
            figures = found[Key(row["owner"], dimension, key, program.currency)]
            figures.clicks += row["clicks"]
            figures.visitors += row["numbered"] + row["alone"]
            figures.uncounted += row["other"]
        if not groups and not column:
            return  # no hit at all: nothing to tell apart


def _events(found: Day, program: Program, since: datetime, until: datetime) -> None:
    """Count what members are credited for; of a split event each has its part of the amount."""
    credits = counting(since=since, until=until).filter(membership__program=program)
    weights = weights_of(credits)
    products = Products(credits.values("conversion"))
    columns = _event_columns("conversion__") | {"owner": F("membership")}
    for row in _stream(credits, columns):
        event = _event(row)
        own = part(
            event.minor, program.currency, conversion=event.pk, membership=row["owner"], weights=weights
        )
        _file(found, row["owner"], event, own, program.currency, products)


def _organic(found: Day, since: datetime, until: datetime) -> None:
    """Count what nobody is credited for. What takes back a sale nobody has told yet counts nowhere until it is told."""
    standing = Credit.objects.standing().exclude(role=CreditRole.ASSISTED)
    rows = (
        Conversion.objects.filter(occurred_at__gte=since, occurred_at__lt=until)
        .exclude(state=ConversionState.REJECTED)
        .exclude(original=None, original_external_id__gt="")
        .filter(~Exists(standing.filter(conversion=OuterRef("pk"))))
    )
    products = Products(rows.values("pk"))
    for row in _stream(rows, _event_columns("") | {"currency": F("currency")}):
        event = _without_own(_event({**row, "click_at": None, "link": None, "code": None}))
        _file(found, None, event, event.minor, row["currency"], products)


def _earned(found: Day, program: Program, since: datetime, until: datetime) -> None:
    """Add up lines by the day of their event, corrections and take-backs included; those of a month by their own day, in the whole only."""
    mine = Commission.objects.filter(membership__program=program)
    lines = mine.filter(conversion__occurred_at__gte=since, conversion__occurred_at__lt=until)
    products = Products(lines.values("conversion"))
    columns = _event_columns("conversion__", credit="credit__")
    columns |= {
        "owner": F("membership"),
        "credited": F("credit__membership"),
        "earned": F("amount_minor"),
        "about": F("because__lines"),
    }
    for row in _stream(lines, columns):
        event = _event(row)
        if row["owner"] != row["credited"]:
            event = _without_own(event)  # a recruiter does not learn the recruit's links
        _file_earned(found, row["owner"], event, row["earned"], program.currency, products, row["about"])
    months = mine.filter(conversion=None, effective_at__gte=since, effective_at__lt=until)
    for owner, minor in months.values_list("membership", "amount_minor"):
        found[Key(owner, _EVERYTHING, "", program.currency)].earned_minor += minor


def _event_columns(event: str, *, credit: str = "") -> dict[str, Any]:
    """Return the columns an event is filed by; what a refund does not tell is that of its sale."""
    told = {
        name: F(f"{event}{column}")
        for name, column in (
            ("event", "pk"),
            ("sale", "original"),
            ("kind", "kind"),
            ("minor", "amount_minor"),
            ("happened_at", "occurred_at"),
            *((name, name) for name in ("product", "country", "campaign", "sub_id")),
            *((f"sale_{name}", f"original__{name}") for name in ("product", "country", "campaign", "sub_id")),
        )
    }
    if not event:
        return told
    clicked = {f"click_{name}": F(f"{credit}click__{name}") for name in (*_SUB_IDS, "campaign", "country")}
    return {
        **told,
        **clicked,
        "click_at": F(f"{credit}click__clicked_at"),
        "link": F(f"{credit}click__link__public_id"),
        "code": F(f"{credit}code__public_id"),
    }


def _stream(rows: QuerySet[Any], columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Read columns under these names, whatever the table calls its own."""
    named = {f"x_{name}": column for name, column in columns.items()}
    for row in rows.order_by().values(**named).iterator(chunk_size=_ROWS_AT_ONCE):
        yield {name[2:]: value for name, value in row.items()}


def _event(row: Mapping[str, Any]) -> _Event:
    by_code, clicked_at = row["code"], row["click_at"]
    minutes = (
        None if clicked_at is None else max(int((row["happened_at"] - clicked_at).total_seconds()) // 60, 0)
    )
    keys = [
        (ReportDimension.LINK.value, "" if by_code else row["link"] or ""),
        (ReportDimension.CODE.value, by_code or ""),
        (ReportDimension.CAMPAIGN.value, _first(row, "click_campaign", "campaign", "sale_campaign")),
        (ReportDimension.COUNTRY.value, _first(row, "country", "sale_country", "click_country")),
    ]
    first = _first(row, "click_sub_id", "sub_id", "sale_sub_id")
    keys.append((ReportDimension.SUB_ID.value, sub_id_key(1, first) if first else ""))
    for number, name in enumerate(_SUB_IDS[1:], 2):
        if value := _first(row, f"click_{name}"):
            keys.append((ReportDimension.SUB_ID.value, sub_id_key(number, value)))
    return _Event(
        pk=row["event"],
        original=row["sale"],
        kind=row["kind"],
        minor=-row["minor"] if row["kind"] in TAKES_BACK else row["minor"],
        product=_first(row, "product", "sale_product"),
        keys=tuple(keys),
        minutes=minutes,
    )


def _first(row: Mapping[str, Any], *names: str) -> str:
    """Return the first of these columns that says anything."""
    return next((row[name] for name in names if row.get(name)), "")


def _without_own(event: _Event) -> _Event:
    """Return the event without what only the one who is credited has: links, codes, campaigns and sub-ids."""
    keys = tuple(
        (dimension, key if dimension == ReportDimension.COUNTRY else "") for dimension, key in event.keys[:5]
    )
    return _Event(event.pk, event.original, event.kind, event.minor, event.product, keys, event.minutes)


def _file(
    found: Day, owner: int | None, event: _Event, minor: int, currency: str, products: Products
) -> None:
    """Count one event under everything it belongs to."""
    whole = _figures_of(event, minor)
    for dimension, key in ((_EVERYTHING, ""), *event.keys):
        found[Key(owner, dimension, key, currency)].add(whole)
    parts = products.split(minor, currency, event.pk, event.original, event.product)
    rest_only = {"", *parts} if len(parts) > 1 else set()
    for product, own in parts.items():
        figures = found[Key(owner, ReportDimension.PRODUCT.value, product[:LONGEST], currency)]
        if product == "" and rest_only:
            figures.revenue_minor += own  # shipping and the like: no order of its own
        else:
            figures.add(_figures_of(event, own))


def _file_earned(
    found: Day, owner: int, event: _Event, minor: int, currency: str, products: Products, about: Any
) -> None:
    for dimension, key in ((_EVERYTHING, ""), *event.keys):
        found[Key(owner, dimension, key, currency)].earned_minor += minor
    parts = products.split(minor, currency, event.pk, event.original, event.product, about=about)
    for product, own in parts.items():
        found[Key(owner, ReportDimension.PRODUCT.value, product[:LONGEST], currency)].earned_minor += own


def _figures_of(event: _Event, minor: int) -> Figures:
    is_lead, is_back = event.kind in LEADS, event.kind in TAKES_BACK
    is_conversion = not is_lead and not is_back and event.kind != GIVES_BACK
    is_after_click = is_conversion and event.minutes is not None
    return Figures(
        leads=int(is_lead),
        qualified=int(event.kind == EventKind.QUALIFIED_LEAD),
        conversions=int(is_conversion),
        from_clicks=int(is_after_click),
        waited_minutes=(event.minutes or 0) if is_after_click else 0,
        refunds=int(is_back),
        revenue_minor=minor,
    )
