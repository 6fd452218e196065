"""One row of a calculation, and the stored explanation rows are made from. What an older explanation does not hold is nothing, never an
error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from payouts.explained import texts
from prm.lib.money import Money
from prm.lib.periods import local_day


@dataclass(frozen=True)
class Row:
    """A row of a calculation; `counts` tells addends of the total from the figures that lead to them. A row without an amount only
    says something."""

    label: str
    amount: Money | None = None
    note: str = ""
    href: str = ""
    counts: bool = False


@dataclass(frozen=True)
class Facts:
    """A stored explanation; `recruit` is who made the sale of an override, when that is known."""

    because: Mapping[str, Any]
    zone: tzinfo
    recruit: str = ""

    @property
    def currency(self) -> str:
        return str(self.because["currency"])

    @property
    def rule_kind(self) -> str:
        return str(self.because["rule"].get("kind", ""))

    @property
    def event_kind(self) -> str:
        return str((self.because.get("event") or {}).get("kind") or "")

    @property
    def what(self) -> str:
        return str(self.because.get("what") or "earned")

    @property
    def window(self) -> Mapping[str, Any]:
        return self.because.get("window") or {}

    @property
    def period(self) -> str:
        """Return the window a line counts in, in words; nothing for one that counts nowhere."""
        counts = self.because.get("counts") or {}
        key = self.window.get("key") or counts.get("window")
        return texts.window(str(key)) if key else ""

    @property
    def metric(self) -> str:
        return str(self.window.get("metric") or "revenue")

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def text(self, minor: int) -> str:
        return texts.money(minor, self.currency)

    def volume(self, value: int, metric: str = "") -> str:
        return texts.volume(value, metric or self.metric, self.currency)

    @property
    def share(self) -> str:
        """Return this partner's share: a percentage when the shares are parts of one, else its part of their sum."""
        sharing = self.because.get("share")
        if not sharing:
            return ""
        weights = [Decimal(weight) for weight in sharing["weights"]]
        mine, total = weights[sharing["at"]], sum(weights)
        if total == 1:
            return texts.percent(mine)
        return _("%(mine)s of %(total)s") % {"mine": texts.number(mine), "total": texts.number(total)}

    @property
    def rule(self) -> str:
        """Return the rule with its version and since when that is in force."""
        rule = self.because["rule"]
        since = local_day(datetime.fromisoformat(rule["in_force_from"]), self.zone)
        params = {"rule": rule["name"], "version": rule["version"], "date": texts.day(since)}
        return _("Rule “%(rule)s”, version %(version)s, in force since %(date)s.") % params

    def rounded(self, exact: object) -> str:
        """Say that a figure was rounded, and from what; nothing when it came out whole."""
        text = str(exact)
        if "/" not in text and Decimal(text) == Decimal(text).to_integral_value():
            return ""
        return _("Rounded from %(exact)s.") % {"exact": texts.exact(text, self.currency)}
