"""Write money, rates, dates, states and icons in templates, in the reader's language. A template hands in values and gets text;
no filter here asks the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField, Field, Form
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from partners.application_forms.rows import RowsBoundField, errors_in
from portal import formats, status
from portal.icons import ICONS
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import Month

register = template.Library()


@register.filter
def money(value: Money | None) -> str:
    """Return an amount with its currency; nothing for nothing."""
    return "" if value is None else l10n.money_text(value, formats.active_locale())


@register.filter
def percent(value: Decimal | None) -> str:
    """Return a fraction of one as a percentage, unrounded."""
    return "" if value is None else l10n.percent_text(value, formats.active_locale())


@register.filter
def number(value: int | Decimal | None) -> str:
    """Return a count with the language's separators."""
    return "" if value is None else l10n.number_text(value, formats.active_locale())


@register.filter
def when(value: date | None, style: str = "medium") -> str:
    """Return a date marked up as such; `style` is day, medium, long or full."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        raise TypeError("An instant needs a zone: use whenat.")
    locale = formats.active_locale()
    text = formats.day_text(value, locale) if style == "day" else l10n.date_text(value, locale, style)  # type: ignore[arg-type]
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.filter
def whenat(value: datetime | None, zone: tzinfo | str | None = None) -> str:
    """Return an instant in `zone` (or the zone in force) marked up as such."""
    if value is None:
        return ""
    place = _zone(zone)
    text = l10n.datetime_text(value, place, formats.active_locale())
    return format_html(
        '<time datetime="{}">{}</time>', value.astimezone(place).isoformat(timespec="seconds"), text
    )


@register.filter
def daytime(value: datetime | None, zone: tzinfo | str | None = None) -> str:
    """Return an instant as day and time without year and zone, for timelines: 18 Nov, 10:31."""
    if value is None:
        return ""
    local = value.astimezone(_zone(zone))
    text = f"{formats.day_text(local.date())}, {local:%H:%M}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


@register.filter
def month(value: Month | None, style: str = "long") -> str:
    """Return a month that stands alone; `style` is long, short, name or abbreviation."""
    return "" if value is None else l10n.month_text(value, formats.active_locale(), style)  # type: ignore[arg-type]


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return an icon; screen readers skip it, the word beside it speaks."""
    shape = ICONS[name]
    return mark_safe(f'<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="{shape}"/></svg>')  # noqa: S308


@register.inclusion_tag("components/badge.html")
def status_badge(word: status.StatusWord | str, kind: str = "") -> dict[str, Any]:
    """Return a badge for a status word, or for a state name of a `kind` of thing."""
    found = status.word(kind, word) if isinstance(word, str) else word
    return {"label": found.label, "icon": found.icon, "tone": found.tone}


@dataclass(frozen=True)
class Tab:
    key: str
    label: Any
    icon: str
    url: str


_TABS = (
    ("home", gettext_lazy("Home"), "home", "portal:home"),
    ("links", gettext_lazy("Links"), "link", "portal:links"),
    ("reports", gettext_lazy("Reports"), "report", "portal:reports"),
    ("earnings", gettext_lazy("Earnings"), "chart", "portal:earnings"),
    ("statements", gettext_lazy("Statements"), "document", "portal:statements"),
)
_MENU = (
    ("tier", gettext_lazy("Your tier"), "chart", "portal:tier"),
    ("customers", gettext_lazy("Customers"), "people", "portal:customers"),
    ("questions", gettext_lazy("Questions"), "info", "portal:questions"),
    ("reviews_of_lines", gettext_lazy("Lines under review"), "alert", "portal:reviews_of_lines"),
    ("payment_details", gettext_lazy("Payment details"), "bank", "portal:payment_details"),
    ("tax", gettext_lazy("Tax and invoices"), "document", "portal:tax"),
    ("resources", gettext_lazy("Resources"), "page", "portal:resources"),
    ("profile", gettext_lazy("Profile"), "briefcase", "portal:profile"),
    ("terms", gettext_lazy("Terms"), "page", "portal:terms"),
    ("introductions", gettext_lazy("Introduce"), "plus", "portal:introductions"),
    ("activities", gettext_lazy("Activities"), "tick", "portal:activities"),
    ("plans", gettext_lazy("Business plans"), "page", "portal:plans"),
    ("training", gettext_lazy("Training"), "document", "portal:training"),
    ("staff", gettext_lazy("Your people"), "people", "portal:staff"),
    ("team", gettext_lazy("Team"), "people", "portal:team"),
    ("account", gettext_lazy("Your account"), "person", "portal:account"),
)


@register.simple_tag(takes_context=True)
def portal_tabs(context: Mapping[str, Any]) -> list[Tab]:
    """Return the main rooms of the portal that are mounted and open to the reader (`closed_rooms` names the others)."""
    return _mounted(_TABS, context.get("closed_rooms", ()))


@register.simple_tag(takes_context=True)
def portal_menu(context: Mapping[str, Any]) -> list[Tab]:
    """Return the rooms under the partner's name that are mounted and open to the reader."""
    return _mounted(_MENU, context.get("closed_rooms", ()))


def _mounted(entries: tuple[tuple[str, Any, str, str], ...], closed: Container[str]) -> list[Tab]:
    tabs = []
    for key, label, shape, name in entries:
        if key in closed:
            continue
        try:
            tabs.append(Tab(key, label, shape, reverse(name)))
        except NoReverseMatch:
            continue
    return tabs


@register.filter
def form_errors(form: Form) -> list[tuple[str, str]]:
    """Return every error of a form with the id to jump to, in the order of the fields."""
    found = [("", str(error)) for error in form.non_field_errors()]
    said = Counter(str(error) for field in form for error in field.errors)
    for field in form:
        found.extend(_named(field, said))
    return found


def _named(field: BoundField, said: Counter[str]) -> list[tuple[str, str]]:
    if isinstance(field, RowsBoundField):
        rows = errors_in(field.errors)
        return [(f"{field.auto_id}-{place or field.first_place}", error) for place, error in rows]
    return [(_first_control(field), _said_of(field, str(error), said)) for error in field.errors]


def _said_of(field: BoundField, error: str, said: Counter[str]) -> str:
    """Name the field where the sentence alone does not tell which one is meant."""
    is_vague = said[error] > 1 or error == str(Field.default_error_messages["required"])
    return f"{field.label}: {error}" if is_vague else error


@register.filter
def widget_kind(field: BoundField) -> str:
    """Return how a field is laid out: hidden, check, choices, rows, file or text."""
    if field.is_hidden:
        return "hidden"
    if isinstance(field, RowsBoundField):
        return "rows"
    kind = getattr(field.field.widget, "input_type", "")
    if field.use_fieldset:
        return "choices"
    return {"checkbox": "check", "file": "file"}.get(kind, "text")


def _first_control(field: BoundField) -> str:
    return f"{field.auto_id}_0" if field.use_fieldset else field.auto_id


def _zone(zone: tzinfo | str | None) -> tzinfo:
    if zone is None or zone == "":
        return timezone.get_current_timezone()
    return ZoneInfo(zone) if isinstance(zone, str) else zone
