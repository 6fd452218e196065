"""The forms on which a draft of a tier scheme is written, except for requirements: how they go together, what earns points, when reviews come
and how a change is gone about. People type amounts and names; the scheme holds minor units and codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from prm.lib import l10n
from prm.lib.countries import code_of, is_code
from prm.lib.forms import MoneyField
from prm.lib.money import Money
from tiers.admin.fields import LinesField
from tiers.models import Program
from tiers.narrowing import MARKET, Names
from tiers.qualify import Ask, PointRate
from tiers.qualify import scheme as parts
from tiers.requirement_sentences import sentence

_MARKET = re.compile(r"(.+?)[\s:=×x]*\s([0-9]{1,4}(?:[.,][0-9]{1,4})?)")
MOST_POINTS, MOST_PER = Decimal(10**9), 10**9


class SchemeForm(forms.Form):
    """A form of these pages."""

    use_required_attribute = False

    def choose(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        """Say what a field can be chosen from."""
        cast(forms.ChoiceField, self.fields[name]).choices = list(choices)


class CombineForm(SchemeForm):
    """How the requirements of one tier go together, with what each counts where they are weighed."""

    combine = forms.ChoiceField(
        label=_("What has to be met"),
        choices=[
            (parts.ALL, _("All requirements")),
            (parts.ANY, _("Any one of them")),
            (parts.WEIGHTS, _("Enough of them: each counts something, and together they need so much")),
        ],
        widget=forms.RadioSelect,
    )
    needed = forms.IntegerField(
        label=_("Needed together"),
        required=False,
        min_value=1,
        max_value=10_000,
        help_text=_("Only where each counts something."),
    )

    def __init__(self, data: Any = None, *, ask: Ask, program: Program) -> None:
        super().__init__(data, initial={"combine": ask.combine, "needed": ask.needed or None})
        self.ask, names, locale = ask, Names(program), l10n.active_locale()
        for at, each in enumerate(ask.requirements, start=1):
            self.fields[f"weight_{at}"] = forms.IntegerField(
                label=_("Counts: %(requirement)s")
                % {"requirement": sentence(each, program, locale, names=names)},
                required=False,
                min_value=0,
                max_value=1_000,
                initial=each.weight or None,
            )

    def clean(self) -> dict[str, Any]:
        """Ask for what weights need."""
        given = super().clean() or {}
        if given.get("combine") == parts.WEIGHTS and not given.get("needed") and "needed" not in self.errors:
            self.add_error("needed", _("Say how much has to be met together."))
        return given

    def weights(self) -> dict[str, int]:
        """Return what each requirement counts, by key."""
        return {
            each.key: self.cleaned_data[f"weight_{at}"] or 0
            for at, each in enumerate(self.ask.requirements, start=1)
        }


class RateForm(SchemeForm):
    """What earns points, for one source."""

    points = forms.DecimalField(
        label=_("Points"), max_digits=13, decimal_places=4, min_value=Decimal("0.0001"), max_value=MOST_POINTS
    )
    per_amount = MoneyField(label=_("For each"), help_text=_("An amount of net revenue, such as 100.00."))
    per = forms.IntegerField(
        label=_("For how many"), min_value=1, max_value=MOST_PER, initial=1, help_text=_("Usually 1.")
    )
    role = forms.ChoiceField(label=_("Role in the sale"), required=False)
    kind = forms.ChoiceField(label=_("Kind of activity"), required=False)
    multipliers = LinesField(
        label=_("Multipliers by market"),
        help_text=_("One country on each line with its multiplier: Germany 2. Every other one counts once."),
    )

    def __init__(
        self, data: Any = None, *, source: str, program: Program, rate: PointRate | None = None
    ) -> None:
        self.source, self.names = source, Names(program)
        super().__init__(data, initial=self._initial(rate, program))
        gone = {"per"} if source == "revenue" else {"per_amount"}
        gone |= set() if source in ("revenue", "sale") else {"role"}
        gone |= set() if source == "activity" else {"kind"}
        for name in gone:
            del self.fields[name]
        for name, param in (("role", "credit_role"), ("kind", "kind")):
            if name in self.fields:
                values = [(each.key, each.name) for each in self.names.values(param)]
                self.choose(name, [("", _("Any")), *values])
        if "per_amount" in self.fields:
            cast(MoneyField, self.fields["per_amount"]).currency = program.currency

    def clean_per_amount(self) -> Money:
        """Refuse points for each nothing."""
        amount: Money = self.cleaned_data["per_amount"]
        if amount.minor < 1:
            raise ValidationError(_("Write an amount above 0."))
        return amount

    def clean_multipliers(self) -> tuple[tuple[str, Fraction], ...]:
        """Read each line as a country and a number."""
        found: dict[str, Fraction] = {}
        for line in self.cleaned_data["multipliers"]:
            country, factor = self._market(line)
            if country in found:
                raise ValidationError(_("“%(line)s”: this country is there twice."), params={"line": line})
            found[country] = factor
        return tuple(sorted(found.items()))

    def rate(self) -> PointRate:
        """Return the rate that was written."""
        given = self.cleaned_data
        amount = given.get("per_amount")
        return PointRate(
            source=self.source,
            points=Fraction(given["points"]),
            per=amount.minor if isinstance(amount, Money) else given["per"],
            role=given.get("role") or "",
            kind=given.get("kind") or "",
            multipliers=given["multipliers"],
        )

    def _market(self, line: str) -> tuple[str, Fraction]:
        read = _MARKET.fullmatch(line)
        if read is None:
            raise ValidationError(
                _("“%(line)s”: write a country and a number, such as Germany 2."), params={"line": line}
            )
        name = read[1].strip()
        own = next((each.key for each in self.names.values(MARKET) if each.name == name), "")
        country, factor = own or code_of(name), Fraction(read[2].replace(",", "."))
        if not is_code(country):
            raise ValidationError(_("“%(name)s” is no country we know."), params={"name": name})
        if factor <= 0:
            raise ValidationError(_("“%(line)s”: a multiplier is above 0."), params={"line": line})
        return country, factor

    def _initial(self, rate: PointRate | None, program: Program) -> dict[str, Any]:
        if rate is None:
            return {}
        return {
            "points": _plain(rate.points),
            "per_amount": Money(rate.per, program.currency),
            "per": rate.per,
            "role": rate.role,
            "kind": rate.kind,
            "multipliers": [
                f"{self.names.name(MARKET, country)} {_plain(factor)}" for country, factor in rate.multipliers
            ],
        }


def _plain(number: Fraction) -> str:
    """Write an exact number as it is typed: 2, 1.5."""
    return format((Decimal(number.numerator) / Decimal(number.denominator)).normalize(), "f")
