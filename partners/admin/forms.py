"""Forms of the pages about partners. A form only asks; the verbs decide."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners import assignment
from partners.choices import RejectionReason
from partners.models import Membership
from partners.recruiting import candidates
from prm.accounts.models import User
from prm.lib.periods import local_day, start_of_day
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from partners.models import Application

APPROVE, ASK, REJECT = "approve", "ask", "reject"
DATE = forms.DateInput(attrs={"type": "date"})


class ProposalForm(forms.Form):
    """From when on proposed terms are to hold, in the program's time zone."""

    effective_on = forms.DateField(label=_("In force from"), required=False, widget=DATE)

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program
        self.fields["effective_on"].help_text = _(
            "The day they begin, at midnight in %(zone)s. Empty: from the moment they are accepted."
        ) % {"zone": program.time_zone}

    def effective_at(self, *, now: datetime) -> datetime:
        """Return the instant the terms begin; today means now."""
        day = self.cleaned_data["effective_on"]
        if day is None or day == local_day(now, self.program.zone):
            return now
        return start_of_day(day, self.program.zone)


class TierChoice(forms.ModelChoiceField):
    """Tiers, each with what it earns."""

    rates: dict[int, str] = {}

    def label_from_instance(self, obj: Any) -> str:
        """Return the tier's name with its rate, when one is known."""
        rate = self.rates.get(obj.pk)
        return f"{obj.name}, {rate}" if rate else obj.name


class PersonChoice(forms.ModelChoiceField):
    """Staff, each by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the person's name."""
        return str(obj.full_name or obj.email)


class DecisionForm(forms.Form):
    """What to do with an application. Which fields count depends on the decision."""

    decision = forms.ChoiceField(
        label=_("What to do"),
        choices=[(APPROVE, _("Approve")), (ASK, _("Ask for more information")), (REJECT, _("Decline"))],
        widget=forms.RadioSelect,
        initial=APPROVE,
    )
    tier = TierChoice(
        label=_("Tier, when approved"), queryset=Tier.objects.none(), required=False, empty_label=None
    )
    own_terms = forms.BooleanField(
        label=_("Agree on own rates"),
        required=False,
        help_text=_(
            "After the approval a draft of own rates opens. Until the partner accepts, the tier counts."
        ),
    )
    addendum = forms.CharField(
        label=_("Addendum to the terms, when approved"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Proposed to the new partner, who accepts or declines it. Empty: none."),
    )
    reason = forms.ChoiceField(
        label=_("Reason, when declined"),
        choices=[("", _("Choose a reason")), *RejectionReason.choices],
        required=False,
    )
    reapply_on = forms.DateField(label=_("May apply again on"), required=False, widget=DATE)
    text = forms.CharField(
        label=_("Message in the e-mail"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Needed when you ask for more."),
    )

    def __init__(
        self,
        *args: Any,
        application: Application,
        rates: dict[int, str],
        proposed: str = "",
        may_agree: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        tiers = self.fields["tier"]
        assert isinstance(tiers, TierChoice)  # noqa: S101
        tiers.rates = rates
        tiers.queryset = Tier.objects.filter(program=application.program_id).in_use().by_rank()
        hint = tiers.queryset.filter(key=proposed).first() if proposed else None
        if hint is not None:
            self.initial["tier"] = hint.pk
            tiers.help_text = _("The answers propose %(tier)s.") % {"tier": hint.name}
        if not may_agree:
            del self.fields["own_terms"]

    def clean(self) -> dict[str, Any]:
        """Ask for what the decision needs."""
        given = super().clean() or {}
        decision = given.get("decision")
        if decision == APPROVE and not given.get("tier") and "tier" not in self.errors:
            self.add_error("tier", _("Choose a tier."))
        if decision == ASK and not given.get("text"):
            self.add_error("text", _("Write what you want to know."))
        if decision == REJECT and not given.get("reason"):
            self.add_error("reason", _("Choose a reason."))
        return given


class OwnerForm(forms.Form):
    """Who is to look after an application."""

    manager = PersonChoice(
        label=_("Account manager"), queryset=User.objects.none(), empty_label=_("Choose a person")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["manager"]
        assert isinstance(people, PersonChoice)  # noqa: S101
        people.queryset = assignment.managers()


class PartnerChoice(forms.ModelChoiceField):
    """Memberships, each by its partner's name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the partner's name with its address: two may share a name."""
        return f"{obj.partner.name} ({obj.partner.email})" if obj.partner.email else str(obj.partner.name)


class RecruiterForm(forms.Form):
    """Who recruited a partner."""

    recruiter = PartnerChoice(
        label=_("Recruited by"), queryset=Membership.objects.none(), empty_label=_("Choose a partner")
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recruiters = self.fields["recruiter"]
        assert isinstance(recruiters, PartnerChoice)  # noqa: S101
        recruiters.queryset = candidates(membership)
