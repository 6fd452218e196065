"""Deals, leads and introductions in the back office: what partners told us or a server did. Staff tell one by a form and withdraw one with a
reason; nothing of it is ever rewritten.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.models import Membership
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    list_url,
    person,
    require,
    row_url,
    when_column,
)
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.periods import local_day, start_of_day
from referrals import touches
from referrals.choices import TouchKind
from referrals.models import Customer, Touch


class TellForm(forms.Form):
    """What a partner did: of which kind, for whom, and when."""

    use_required_attribute = False
    membership = forms.ModelChoiceField(label=gettext_lazy("Partner"), queryset=Membership.objects.none())
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=TouchKind.choices,
        widget=forms.RadioSelect,
        initial=TouchKind.LEAD,
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=touches.LONGEST_REFERENCE,
        help_text=gettext_lazy("Orders name it as their deal or lead. The same one is never told twice."),
    )
    customer = forms.CharField(
        label=gettext_lazy("Customer's id in the shop"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Where the customer is known already."),
    )
    email = forms.EmailField(
        label=gettext_lazy("Customer's e-mail address"),
        required=False,
        help_text=gettext_lazy("Only a key of it is kept, by which an order with the same address is found."),
    )
    day = forms.DateField(label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    ends_on = forms.DateField(
        label=gettext_lazy("Protected until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Deals only; the whole day counts. Empty: without an end."),
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=touches.LONGEST_NOTE)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["membership"]
        if isinstance(field, forms.ModelChoiceField):
            members = Membership.objects.active().select_related("partner", "program")
            field.queryset = members.order_by("partner__name", "program__name", "pk")
            field.label_from_instance = _member_name  # type: ignore[method-assign,assignment]

    def clean_customer(self) -> Customer | None:
        """Find the customer by its id; one that is known by the same id at two shops cannot be told apart here."""
        wanted = self.cleaned_data["customer"].strip()
        found = list(Customer.objects.filter(external_id=wanted)[:2]) if wanted else []
        if wanted and not found:
            raise ValidationError(_("No customer has this id: leave it empty, or give the e-mail address."))
        if len(found) > 1:
            raise ValidationError(_("Two shops know a customer by this id: give the e-mail address instead."))
        return found[0] if found else None

    def touched_at(self, *, now: datetime) -> datetime:
        """Return the instant that was meant: today means now, and the day somebody joined means when it joined."""
        membership: Membership = self.cleaned_data["membership"]
        zone, day = membership.program.zone, self.cleaned_data["day"]
        if day == local_day(now, zone):
            return now
        begins = start_of_day(day, zone)
        return membership.joined_at if day == local_day(membership.joined_at, zone) else begins


class WithdrawForm(forms.Form):
    """Why a touch counts no more."""

    use_required_attribute = False
    because = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=touches.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept on record with your name. Partners may ask for it."),
    )


@admin.register(Touch)
class TouchAdmin(BackOfficeAdmin):
    """What partners told, the newest first."""

    section = gettext_lazy("Deals, leads and introductions")
    sees = "see_conversions"
    change_list_template = "admin/referrals/touch/change_list.html"
    list_display = (
        "reference",
        "kind",
        "partner",
        "program",
        when_column("touched_at", gettext_lazy("happened")),
        "ends_on",
        when_column("withdrawn_at", gettext_lazy("withdrawn")),
    )
    list_filter = ("kind", "membership__program", ("withdrawn_at", admin.EmptyFieldListFilter))
    search_fields = ("reference", "public_id", "membership__partner__name", "customer__external_id")
    ordering = ("-touched_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that tell and withdraw one."""
        view, both = self.admin_site.admin_view, require_http_methods(["GET", "POST"])
        own = [
            path("tell/", view(both(self.tell)), name="referrals_touch_tell"),
            path("<int:pk>/withdraw/", view(both(self.withdraw)), name="referrals_touch_withdraw"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Touch]:
        """Read the partner and program with each row."""
        rows = super().get_queryset(request)
        return rows.select_related("membership__partner", "membership__program", "customer")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, with the way to tell one for who may."""
        may_tell = policy.may(request.user, touches.CAPABILITY)
        return super().changelist_view(request, {"may_tell": may_tell, **(extra_context or {})})

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, row: Touch) -> str:
        """Return whose it is, as a link."""
        return link_to(row.membership.partner)

    @admin.display(description=gettext_lazy("program"), ordering="membership__program__name")
    def program(self, row: Touch) -> str:
        """Return the program it counts in."""
        return row.membership.program.name

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show what was told."""
        if object_id is None or not object_id.isdigit():
            return None
        require(request, self.sees)
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        return self.page(
            request,
            "admin/referrals/touch/touch.html",
            title=f"{row.get_kind_display()} {row.reference}",
            touch=row,
            facts=_facts(row),
            may_withdraw=row.withdrawn_at is None and policy.may(request.user, touches.CAPABILITY),
        )

    def tell(self, request: HttpRequest) -> HttpResponse:
        """Write down what a partner did."""
        require(request, touches.CAPABILITY)
        form = TellForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            told = self._told(request, form)
            if told is not None:
                text = (
                    _("It is written down.")
                    if told.is_new
                    else _("This was told before, with the same facts.")
                )
                messages.success(request, text)
                return HttpResponseRedirect(row_url(told.touch))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Tell a deal, a lead or an introduction"),
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            parent_url=list_url(Touch),
            form=form,
            consequences=[
                _(
                    "Orders that name the reference, or come from the customer, find it when they are recorded."
                ),
                _("Whether it decides who is credited is said by the program's rules."),
                _("It can be withdrawn with a reason and never rewritten."),
            ],
            verb=_("Write it down"),
        )

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let one count no more, after saying what that does."""
        require(request, touches.CAPABILITY)
        row = get_object_or_404(self.get_queryset(request).filter(withdrawn_at=None), pk=pk)
        form = WithdrawForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            by, at, because = person(request), timezone.now(), form.cleaned_data["because"]
            done = attempt(request, lambda: touches.withdraw(row, because=because, by=by, at=at), form=form)
            if done is not None:
                messages.success(request, _("It is withdrawn."))
                return HttpResponseRedirect(row_url(row))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Withdraw %(reference)s") % {"reference": row.reference},
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            parent=row.reference,
            parent_url=row_url(row),
            form=form,
            consequences=[
                _("Events recorded from now on do not find it."),
                _("Who was credited by it stays credited, until somebody corrects that."),
            ],
            verb=_("Withdraw it"),
        )

    def _told(self, request: HttpRequest, form: TellForm) -> touches.Told | None:
        given, by, at = form.cleaned_data, person(request), timezone.now()
        return attempt(
            request,
            lambda: touches.tell(
                given["membership"],
                kind=given["kind"],
                reference=given["reference"],
                customer=given["customer"],
                email=given["email"],
                touched_at=form.touched_at(now=at),
                ends_on=given["ends_on"],
                note=given["note"],
                by=by,
                at=at,
            ),
            form=form,
        )


def _member_name(membership: Membership) -> str:
    return f"{membership.partner.name}, {membership.program.name}"


def _name(user: User | None) -> str:
    return "" if user is None else user.get_full_name() or user.email


def _facts(row: Touch) -> list[Fact]:
    locale, zone = l10n.active_locale(), row.membership.program.zone

    def moment(instant: datetime | None) -> str:
        return l10n.datetime_text(instant, zone, locale) if instant else "–"

    facts = [
        Fact(_("Partner"), link_to(row.membership.partner)),
        Fact(_("Program"), row.membership.program.name),
        Fact(_("Happened"), moment(row.touched_at)),
        Fact(_("Customer"), link_to(row.customer) if row.customer else "–"),
        Fact(_("Found by an e-mail address"), _("Yes") if row.email_key else _("No")),
    ]
    if row.kind == TouchKind.DEAL:
        until = l10n.date_text(row.ends_on, locale) if row.ends_on else _("Without an end")
        facts.append(Fact(_("Protected until"), until))
    if row.note:
        facts.append(Fact(_("Note"), row.note))
    facts.append(
        Fact(_("Told"), moment(row.recorded_at), _name(row.recorded_by) or _("By a server, with a key"))
    )
    if row.withdrawn_at is not None:
        facts.append(Fact(_("Withdrawn"), moment(row.withdrawn_at), _name(row.withdrawn_by)))
        facts.append(Fact(_("Why it was withdrawn"), row.withdrawn_because))
    return facts
