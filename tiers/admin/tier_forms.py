"""Forms of the pages of tiers: what a tier is, what each gives of a benefit, and what it should bring in. A form only asks; the verbs decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from prm.lib.forms import MoneyField
from prm.lib.money import Money
from tiers import targets
from tiers.benefits import LONGEST_NAME, LONGEST_VALUE
from tiers.choices import BenefitKind, TierColour
from tiers.ladder_changes import FIELDS
from tiers.models import Benefit, Program, Tier

LONGEST_BENEFITS = 2000


def _colours() -> list[tuple[str, str]]:
    """Return the colours, each written in itself."""
    return [
        (each.value, format_html('<span class="tier tier-{}">{}</span>', each.value, each.label))
        for each in TierColour
    ]


class TierForm(forms.Form):
    """What a tier is, and where it stands."""

    use_required_attribute = False

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    rank = forms.IntegerField(
        label=gettext_lazy("Rank"),
        min_value=1,
        max_value=999,
        help_text=gettext_lazy("1 is where newcomers stand. Reviews lead from rank to rank."),
    )
    track = forms.CharField(
        label=gettext_lazy("Track"),
        required=False,
        max_length=60,
        help_text=gettext_lazy(
            "Tiers with the same track are one ladder, such as “Affiliates” and “Co-selling”. Empty: the program has one ladder."
        ),
    )
    colour = forms.ChoiceField(
        label=gettext_lazy("Colour"),
        choices=lazy(_colours, list)(),
        widget=forms.RadioSelect,
        help_text=gettext_lazy("A hint beside the name; all are readable on light and dark pages."),
    )
    capacity = forms.IntegerField(
        label=gettext_lazy("Partners at most"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=gettext_lazy("Empty: no limit. Nobody is moved into a full tier."),
    )
    benefits = forms.CharField(
        label=gettext_lazy("Also given"),
        required=False,
        max_length=LONGEST_BENEFITS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What no benefit of the catalogue says, one thing on each line."),
    )

    @classmethod
    def of(cls, tier: Tier, data: Any = None) -> TierForm:
        """Return the form of a tier."""
        return cls(data, initial={name: getattr(tier, name) for name in FIELDS})

    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        given = {name: self.cleaned_data[name] for name in FIELDS}
        given["track"] = " ".join(given["track"].split())
        return given


class NewTierForm(TierForm):
    """A new tier: its key is chosen once."""

    key = forms.SlugField(
        label=gettext_lazy("Key"),
        max_length=40,
        help_text=gettext_lazy(
            "A stable name that rules and schemes refer to, such as gold. It never changes."
        ),
    )
    field_order = ("name", "key", "rank", "track", "colour", "capacity", "benefits")


class BenefitForm(forms.Form):
    """A line of the catalogue, in every language, and what each tier gives of it."""

    use_required_attribute = False

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=BenefitKind.choices)

    def __init__(
        self,
        data: Any = None,
        *,
        tiers: Sequence[Tier],
        benefit: Benefit | None = None,
        given: Mapping[int, Mapping[str, str]] | None = None,
    ) -> None:
        self.tiers = tiers
        given = given or {}
        name = benefit.name if benefit is not None else {}
        initial: dict[str, Any] = {"kind": benefit.kind if benefit is not None else BenefitKind.SUPPORT}
        initial |= {f"name_{code}": name.get(code, "") for code, _language in settings.LANGUAGES}
        for tier in tiers:
            initial[f"given_{tier.pk}"] = tier.pk in given
            values = given.get(tier.pk, {})
            initial |= {f"value_{tier.pk}_{code}": text for code, text in values.items()}
        super().__init__(data, initial=initial)
        for code, language in settings.LANGUAGES:
            self.fields[f"name_{code}"] = forms.CharField(
                label=_("Name, %(language)s") % {"language": str(language)},
                required=False,
                max_length=LONGEST_NAME,
                help_text=_("Empty: what the kind is called.") if code == "en" else "",
            )
        for tier in tiers:
            self._add_tier(tier)

    def _add_tier(self, tier: Tier) -> None:
        self.fields[f"given_{tier.pk}"] = forms.BooleanField(
            label=_("%(tier)s gives it") % {"tier": tier.name}, required=False
        )
        for code, language in settings.LANGUAGES:
            self.fields[f"value_{tier.pk}_{code}"] = forms.CharField(
                label=_("What %(tier)s gives, %(language)s") % {"tier": tier.name, "language": str(language)},
                required=False,
                max_length=LONGEST_VALUE,
                help_text=_("Such as: an answer within four hours. Empty: yes.") if code == "en" else "",
            )

    @property
    def about(self) -> list[forms.BoundField]:
        """Return the fields about the line itself."""
        return [self[name] for name in ("kind", *(f"name_{code}" for code, _name in settings.LANGUAGES))]

    @property
    def groups(self) -> list[tuple[Tier, list[forms.BoundField]]]:
        """Return the fields of each tier."""
        return [
            (
                tier,
                [
                    self[name]
                    for name in (
                        f"given_{tier.pk}",
                        *(f"value_{tier.pk}_{code}" for code, _name in settings.LANGUAGES),
                    )
                ],
            )
            for tier in self.tiers
        ]

    def clean(self) -> dict[str, Any]:
        """Point at a value that a tier would not give."""
        cleaned = super().clean() or {}
        for tier in self.tiers:
            told = any(cleaned.get(f"value_{tier.pk}_{code}") for code, _name in settings.LANGUAGES)
            if told and not cleaned.get(f"given_{tier.pk}"):
                self.add_error(
                    f"given_{tier.pk}",
                    _("Tick it, or remove what is written for %(tier)s.") % {"tier": tier.name},
                )
        return cleaned

    def name(self) -> dict[str, str]:
        """Return the name by language."""
        return {code: self.cleaned_data[f"name_{code}"] for code, _name in settings.LANGUAGES}

    def given(self) -> dict[int, dict[str, str] | None]:
        """Return what each tier gives, None for nothing."""
        return {tier.pk: self._value(tier) for tier in self.tiers}

    def _value(self, tier: Tier) -> dict[str, str] | None:
        if not self.cleaned_data[f"given_{tier.pk}"]:
            return None
        return {code: self.cleaned_data[f"value_{tier.pk}_{code}"] for code, _name in settings.LANGUAGES}


class TargetsForm(forms.Form):
    """What each tier should bring in within a year."""

    use_required_attribute = False

    def __init__(
        self,
        data: Any = None,
        *,
        program: Program,
        tiers: Sequence[Tier],
        now: Mapping[int, Mapping[str, int]],
    ) -> None:
        self.tiers, self.program = tiers, program
        super().__init__(data)
        for tier in tiers:
            for metric, label in targets.GOALS.items():
                self._add(tier, metric, str(label), now.get(tier.pk, {}).get(metric))

    def _add(self, tier: Tier, metric: str, label: str, target: int | None) -> None:
        field: forms.Field
        currency = self.program.currency
        if targets.is_money(metric):
            text = _("%(goal)s of %(tier)s, %(currency)s")
            field = MoneyField(currency=currency, required=False)
            initial: Any = Money(target, currency) if target is not None else None
        else:
            text = _("%(goal)s of %(tier)s")
            field = forms.IntegerField(required=False, min_value=0, max_value=targets.LARGEST)
            initial = target
        field.label = text % {"goal": label, "tier": tier.name, "currency": currency}
        field.initial = initial
        field.widget.attrs["inputmode"] = "decimal" if targets.is_money(metric) else "numeric"
        self.fields[f"{metric}_{tier.pk}"] = field

    @property
    def rows(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Return one row for each goal, with a field for each tier."""
        return [
            (label, [self[f"{metric}_{tier.pk}"] for tier in self.tiers])
            for metric, label in targets.GOALS.items()
        ]

    def told(self, tier: Tier) -> dict[str, int | None]:
        """Return the targets typed for a tier."""
        found: dict[str, int | None] = {}
        for metric in targets.GOALS:
            value = self.cleaned_data[f"{metric}_{tier.pk}"]
            found[metric] = value.minor if isinstance(value, Money) else value
        return found
