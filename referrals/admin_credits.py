"""The page that corrects who is credited for an event: what is asked for is shown with its consequences before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from partners.models import Membership
from prm.accounts.back_office import BackOfficeAdmin, Fact, attempt, money_text, person, require, row_url
from referrals.attribution import correct
from referrals.attribution.correct import Share
from referrals.choices import ConversionState, CreditRole
from referrals.models import Conversion

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROWS = 4
HUNDRED = Decimal(100)


class CorrectionForm(forms.Form):
    """Rows of partner, share and role; an empty row credits nobody."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept on record with your name. Partners may ask for it."),
    )
    field_order: Sequence[str] = ()

    def __init__(self, data: Any = None, *, members: Sequence[Membership], standing: Sequence[Share]) -> None:
        super().__init__(data)
        self.members = {str(member.pk): member for member in members}
        choices = [("", _("Nobody")), *((pk, _name(member)) for pk, member in self.members.items())]
        for at in range(max(ROWS, len(standing) + 1)):
            self._add_row(at, choices, standing[at] if at < len(standing) else None)
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def _add_row(self, at: int, choices: list[tuple[str, str]], share: Share | None) -> None:
        self.fields[f"partner_{at}"] = forms.ChoiceField(
            label=_("Partner"),
            choices=choices,
            required=False,
            initial=str(share.membership.pk) if share else "",
        )
        self.fields[f"share_{at}"] = forms.DecimalField(
            label=_("Share in percent"),
            required=False,
            min_value=Decimal("0.0001"),
            max_value=HUNDRED,
            decimal_places=4,
            initial=_percent(share.share) if share else None,
            widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        )
        self.fields[f"role_{at}"] = forms.ChoiceField(
            label=_("Role"), choices=CreditRole.choices, initial=share.role if share else CreditRole.SOURCED
        )

    def rows(self) -> Iterator[list[forms.BoundField]]:
        """Yield the fields of each row."""
        for name in self.fields:
            if name.startswith("partner_"):
                at = name.removeprefix("partner_")
                yield [self[name], self[f"share_{at}"], self[f"role_{at}"]]

    def clean(self) -> dict[str, Any]:
        """Ask for a share wherever a partner is chosen."""
        given = super().clean() or {}
        for name, value in list(given.items()):
            at = name.removeprefix("partner_")
            if name != at and value and given.get(f"share_{at}") is None and f"share_{at}" not in self.errors:
                self.add_error(f"share_{at}", _("Write the share of this partner."))
        return given

    def wanted(self) -> list[Share]:
        """Return who is to be credited."""
        given = self.cleaned_data
        return [
            Share(self.members[given[name]], given[f"share_{at}"] / HUNDRED, given[f"role_{at}"])
            for name in self.fields
            if (at := name.removeprefix("partner_")) != name and given[name]
        ]


def correct_credits(desk: BackOfficeAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask who is to be credited, show what that does, and do it when it is confirmed."""
    require(request, "correct_credits")
    conversion = get_object_or_404(Conversion.objects.visible_to(person(request)), pk=pk)
    standing = correct.standing(conversion)
    form = CorrectionForm(request.POST or None, members=_eligible(conversion), standing=standing)
    wanted: list[Share] | None = None
    if request.method == "POST" and form.is_valid() and "again" not in request.POST:
        wanted = form.wanted()
        done = _proceed(request, conversion, form, wanted, is_confirmed="confirmed" in request.POST)
        if done is not None:
            messages.success(request, _("Who is credited was corrected. Commission follows in a moment."))
            return HttpResponseRedirect(row_url(conversion))
    is_checked = wanted is not None and not form.errors
    return desk.page(
        request,
        "admin/referrals/conversion/credits.html",
        title=_("Correct who is credited for %(event)s") % {"event": conversion.external_id},
        parent=conversion.external_id,
        parent_url=row_url(conversion),
        conversion=conversion,
        form=form,
        errors=bool(form.errors),
        is_checked=is_checked,
        facts=_facts(conversion, standing, wanted if is_checked else None),
        consequences=_consequences(conversion, standing, wanted or ()) if is_checked else (),
    )


def _proceed(
    request: HttpRequest,
    conversion: Conversion,
    form: CorrectionForm,
    wanted: list[Share],
    *,
    is_confirmed: bool,
) -> object:
    """Correct the credit, or only check that it could be."""
    by, reason = person(request), form.cleaned_data["reason"]

    def move() -> object:
        if not is_confirmed:
            correct.check(conversion, credits=wanted, by=by, reason=reason)
            return None
        return correct.correct(conversion, credits=wanted, by=by, reason=reason, at=timezone.now())

    return attempt(request, move, form=form)


def _eligible(conversion: Conversion) -> list[Membership]:
    """Return who can be chosen: those of the event's program, or of any in its currency, who had joined by then."""
    found = Membership.objects.filter(
        program__currency=conversion.currency, joined_at__lte=conversion.occurred_at
    )
    program = correct.program_of(conversion)
    if program is not None:
        found = found.filter(program=program)
    return list(found.select_related("partner", "program").order_by("partner__name", "program__name", "pk"))


def _facts(conversion: Conversion, standing: Sequence[Share], wanted: Sequence[Share] | None) -> list[Fact]:
    facts = [
        Fact(_("Event"), f"{conversion.get_kind_display()}, {money_text(conversion.amount)}"),
        Fact(_("Credited now"), _sentence(standing)),
    ]
    return facts if wanted is None else [*facts, Fact(_("Credited afterwards"), _sentence(wanted))]


def _consequences(
    conversion: Conversion, standing: Sequence[Share], wanted: Sequence[Share]
) -> list[StrOrPromise]:
    moves = conversion.refunds.exclude(state=ConversionState.REJECTED).count()
    losing = {share.membership.pk for share in standing} - {share.membership.pk for share in wanted}
    names = ", ".join(share.membership.partner.name for share in standing if share.membership.pk in losing)
    found: list[StrOrPromise] = []
    if names:
        found.append(
            _("%(names)s: what this event earned is taken back, what was paid already becomes a debt.")
            % {"names": names}
        )
    found.append(
        _("Commission is computed anew for everybody credited, at the rates of the day it happened.")
    )
    if moves:
        found.append(
            ngettext(
                "%(count)d refund or chargeback of it follows.",
                "%(count)d refunds and chargebacks of it follow.",
                moves,
            )
            % {"count": moves}
        )
    return [*found, _("The credit that stood, the reason and your name stay on record.")]


def _sentence(shares: Sequence[Share]) -> str:
    said = (
        f"{_name(each.membership)}: {_percent(each.share)} %, {CreditRole(each.role).label}"
        for each in shares
    )
    return "; ".join(said) or _("Nobody")


def _name(membership: Membership) -> str:
    return f"{membership.partner.name}, {membership.program.name}"


def _percent(share: Decimal) -> str:
    text = f"{share * HUNDRED:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
