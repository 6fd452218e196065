"""Customers in the back office: who brought each in which program, since when and until when it earns, what was decided about that, and
what the customer bought. Who brought a customer is moved here, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.models import Membership
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, Fact, attempt, money_text, person, require, row_url
from prm.audit.models import AuditEvent
from prm.lib import l10n
from referrals import ownership
from referrals.admin_prospects import ProspectPages
from referrals.attribution_versions import settings_at
from referrals.models import Conversion, Credit, Customer, Referral, Touch
from tiers.models import Program

CAPABILITY = "manage_referrals"
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Owned:
    """A program with who owns the customer in it, and who did before, the newest first."""

    program: Program
    now: Referral | None
    history: list[tuple[Referral, str]]

    @property
    def is_over(self) -> bool:
        """Say whether the owner earns by later purchases no more."""
        until = self.now.earns_until_at if self.now else None
        return until is not None and until <= timezone.now()


class TransferForm(forms.Form):
    """Whom a customer is given to, for how long it earns, and why."""

    use_required_attribute = False
    to = forms.ModelChoiceField(label=gettext_lazy("New owner"), queryset=Membership.objects.none())
    window = forms.ChoiceField(
        label=gettext_lazy("Later purchases earn"),
        choices=[
            ("rest", gettext_lazy("For what is left of the time that began with the owner before")),
            ("new", gettext_lazy("For a time of its own, from now on")),
        ],
        widget=forms.RadioSelect,
        initial="rest",
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=ownership.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept on record with your name. Partners may ask for it."),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, program: Program, now: Referral | None) -> None:
        super().__init__(data, initial={"seen": now.pk if now else None})
        field = self.fields["to"]
        if isinstance(field, forms.ModelChoiceField):
            members = Membership.objects.active().filter(program=program).select_related("partner")
            if now is not None:
                members = members.exclude(pk=now.membership_id)
            field.queryset = members.order_by("partner__name", "pk")
            field.label_from_instance = _partner_name  # type: ignore[method-assign,assignment]
        if now is None:
            del self.fields["window"]


class EndForm(forms.Form):
    """Why a customer belongs to nobody from now on."""

    use_required_attribute = False
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=ownership.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept on record with your name. Partners may ask for it."),
    )


@admin.register(Customer)
class CustomerAdmin(ProspectPages, BackOfficeAdmin):
    """End buyers, for looking them up, for saying who brought them and for asking them to be partners."""

    sees = "see_conversions"
    actions = ("make_prospects",)
    list_display = ("external_id", "source", "country", "first_seen_at")
    list_filter = ("source",)
    search_fields = ("external_id", "public_id")
    ordering = ("-first_seen_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that write prospects down and move who brought a customer."""
        view, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        own = [
            path(
                "<int:pk>/transfer/<int:program_pk>/",
                view(both(self.transfer)),
                name="referrals_customer_transfer",
            ),
            path("<int:pk>/end/<int:referral_pk>/", view(both(self.end)), name="referrals_customer_end"),
        ]
        return [*self.prospect_urls(), *own, *super().get_urls()]

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show a customer with who brought it and what it bought."""
        if object_id is None or not object_id.isdigit():
            return None
        require(request, self.sees)
        customer = get_object_or_404(Customer, pk=object_id)
        return self.page(
            request,
            "admin/referrals/customer/customer.html",
            title=customer.external_id,
            customer=customer,
            facts=_facts(customer),
            owned=_owned(customer),
            may_manage=policy.may(request.user, CAPABILITY),
            conversions=_conversions(customer, request),
            touches=Touch.objects.filter(customer=customer)
            .select_related("membership__partner", "membership__program")
            .order_by("-touched_at", "-pk")[:SHOWN],
        )

    def transfer(self, request: HttpRequest, pk: int, program_pk: int) -> HttpResponse:
        """Give a customer to another partner, after saying what that does."""
        require(request, CAPABILITY)
        customer, program = get_object_or_404(Customer, pk=pk), get_object_or_404(Program, pk=program_pk)
        now = _current(customer).filter(program=program).first()
        form = TransferForm(request.POST if request.method == "POST" else None, program=program, now=now)
        if form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            done = attempt(
                request,
                lambda: ownership.transfer(
                    customer,
                    program,
                    to=given["to"],
                    reason=given["reason"],
                    by=by,
                    at=at,
                    window=given.get("window") or "new",
                    seen=_seen(now, given["seen"]),
                ),
                form=form,
            )
            if done is not None:
                text = _("The customer belongs to %(partner)s from now on.")
                messages.success(request, text % {"partner": given["to"].partner.name})
                return HttpResponseRedirect(row_url(customer))
        title = (
            _("Transfer %(customer)s in %(program)s")
            if now is not None
            else _("Say who brought %(customer)s in %(program)s")
        )
        return self._confirm(
            request,
            customer,
            form,
            title=title % {"customer": customer.external_id, "program": program.name},
            consequences=_consequences(program, now, at=timezone.now()),
            verb=_("Transfer the customer") if now is not None else _("Give it to the partner"),
        )

    def end(self, request: HttpRequest, pk: int, referral_pk: int) -> HttpResponse:
        """Let a customer belong to nobody, after saying what that does."""
        require(request, CAPABILITY)
        customer = get_object_or_404(Customer, pk=pk)
        referral = get_object_or_404(_current(customer), pk=referral_pk)
        form = EndForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            by, at, reason = person(request), timezone.now(), form.cleaned_data["reason"]
            done = attempt(request, lambda: ownership.end(referral, reason=reason, by=by, at=at), form=form)
            if done is not None:
                messages.success(request, _("The customer belongs to nobody from now on."))
                return HttpResponseRedirect(row_url(customer))
        name = referral.membership.partner.name
        return self._confirm(
            request,
            customer,
            form,
            title=_("Let %(customer)s belong to nobody") % {"customer": customer.external_id},
            consequences=[
                _("%(partner)s is the owner no more; what was credited stays credited.") % {"partner": name},
                _("Who is credited next for this customer in %(program)s becomes its owner.")
                % {"program": referral.program.name},
            ],
            verb=_("End it"),
        )

    def _confirm(
        self,
        request: HttpRequest,
        customer: Customer,
        form: forms.Form,
        *,
        title: str,
        consequences: list[str],
        verb: str,
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=title,
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            parent=customer.external_id,
            parent_url=row_url(customer),
            form=form,
            consequences=consequences,
            verb=verb,
        )


def _partner_name(membership: Membership) -> str:
    return membership.partner.name


def _current(customer: Customer) -> Any:
    rows = Referral.objects.open().filter(customer=customer)
    return rows.select_related("membership__partner", "program", "customer")


def _seen(now: Referral | None, seen: int | None) -> Referral | None:
    """Return the owner the page was about; one that is not the owner any more makes the verb refuse."""
    return now if seen is None or (now is not None and now.pk == seen) else Referral(pk=seen)


def _facts(customer: Customer) -> list[Fact]:
    first_seen = l10n.datetime_text(
        customer.first_seen_at, timezone.get_current_timezone(), l10n.active_locale()
    )
    return [
        Fact(_("Source"), customer.source),
        Fact(_("Country"), customer.country or "–"),
        Fact(_("First seen"), first_seen),
        Fact(_("As partners see it"), customer.masked),
    ]


def _owned(customer: Customer) -> list[Owned]:
    """Return every program the customer was credited or owned in, by name."""
    rows = list(
        Referral.objects.filter(customer=customer)
        .select_related("membership__partner", "program", "recorded_by", "ended_by")
        .order_by("-since_at", "-pk")
    )
    credited = Credit.objects.filter(conversion__customer=customer).values("membership__program")
    programs = Program.objects.filter(pk__in=credited) | Program.objects.filter(referrals__customer=customer)
    why = _why_ended(rows)
    return [
        Owned(
            program,
            next((row for row in rows if row.program_id == program.pk and row.ended_at is None), None),
            [(row, why.get(row.pk, "")) for row in rows if row.program_id == program.pk and row.ended_at],
        )
        for program in programs.distinct().order_by("name", "pk")
    ]


def _why_ended(rows: list[Referral]) -> dict[int, str]:
    """Return why each ownership was ended without another one following; a transfer says it where it begins."""
    ids = [str(row.pk) for row in rows if row.ended_at is not None]
    events = AuditEvent.objects.filter(
        action="referral.ended", object_type="referrals.referral", object_pk__in=ids
    )
    return {int(pk): note for pk, note in events.values_list("object_pk", "note")}


def _conversions(customer: Customer, request: HttpRequest) -> list[dict[str, Any]]:
    visible = Conversion.objects.visible_to(person(request)).filter(customer=customer)
    rows = list(visible.order_by("-occurred_at", "-pk")[:SHOWN])
    credited: dict[int, list[str]] = {}
    standing = Credit.objects.standing().filter(conversion__in=rows).select_related("membership__partner")
    for credit in standing.order_by("pk"):
        credited.setdefault(credit.conversion_id, []).append(credit.membership.partner.name)
    return [
        {"row": row, "amount": money_text(row.amount), "credited": ", ".join(credited.get(row.pk, []))}
        for row in rows
    ]


def _consequences(program: Program, now: Referral | None, *, at: datetime) -> list[str]:
    said = []
    if now is not None:
        text = _("%(partner)s is the owner up to now, and no more after.")
        said.append(text % {"partner": now.membership.partner.name})
    said.append(_("What was credited before stays credited."))
    said.append(
        _("Later purchases are credited to the new owner where no contact that ranks higher decides.")
        if "customer" in settings_at(program, at=at).kinds
        else _(
            "By the rules in force who brought a customer does not decide who is credited: it is kept on record."
        )
    )
    said.append(_("Partners read that the customer is theirs, and never whose it was before."))
    return said
