"""Adjustments: put forward on one page, approved or refused on others by somebody else. Each page says in numbers what booking does."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partners.models import Membership
from payouts import adjustments, evidence
from payouts.admin.adjustment_forms import AdjustmentForm, DecisionForm, RefusalForm
from payouts.admin.adjustment_page import booking, facts_of, proposing, steps_of
from payouts.admin.totals import WithTotals
from payouts.choices import AdjustmentState
from payouts.models import Adjustment, Commission
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    attempt,
    money_column,
    money_text,
    person,
    require,
    row_url,
    state_column,
    when_column,
)

FOUND_SHOWN = 20


@admin.register(Adjustment)
class AdjustmentAdmin(WithTotals):
    """Adjustments, the newest first."""

    section = gettext_lazy("Adjustments")
    sees = "see_ledger"
    change_list_template = "admin/payouts/adjustment/change_list.html"
    list_display = (
        "note",
        "partner",
        "kind",
        "reason",
        money_column("amount_minor", gettext_lazy("amount")),
        state_column("adjustment", gettext_lazy("state")),
        when_column("proposed_at", gettext_lazy("proposed")),
        "proposed_by",
        "decided_by",
    )
    list_filter = ("state", "kind", "reason", "currency", "membership__program", "proposed_at")
    list_select_related = ("membership__partner", "proposed_by", "decided_by")
    search_fields = ("membership__partner__name", "note", "public_id")
    search_help_text = gettext_lazy("Partner, note or id")
    ordering = ("-proposed_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that propose and decide, and the file."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("propose/", wrap(require_safe(self.choose)), name="payouts_adjustment_choose"),
            path("propose/<int:pk>/", wrap(both(self.propose)), name="payouts_adjustment_propose"),
            path("<int:pk>/approve/", wrap(both(self.approve)), name="payouts_adjustment_approve"),
            path("<int:pk>/refuse/", wrap(both(self.refuse)), name="payouts_adjustment_refuse"),
            path("<int:pk>/withdraw/", wrap(both(self.withdraw)), name="payouts_adjustment_withdraw"),
            path("<int:pk>/evidence/", wrap(require_safe(self.evidence)), name="payouts_adjustment_evidence"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to propose one to those who may."""
        extra = {"may_propose": policy.may(request.user, "adjust_balances")}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show one adjustment with what can be done about it."""
        require(request, self.sees)
        found = self._found(request, object_id)
        is_mine = found.proposed_by_id == person(request).pk
        return self.page(
            request,
            "admin/payouts/adjustment/adjustment.html",
            title=_title(found),
            found=found,
            amount=found.amount,
            facts=facts_of(found),
            steps=steps_of(found),
            moves=_moves(request, found),
            waits_for_other=is_mine and found.state == AdjustmentState.PROPOSED,
        )

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, found: Adjustment) -> str:
        """Return the partner."""
        return found.membership.partner.name

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Find the membership whose balance is meant."""
        require(request, "adjust_balances")
        text = request.GET.get("q", "").strip()
        rows = Membership.objects.filter(partner__name__icontains=text).select_related("partner", "program")
        found = list(rows.order_by("partner__name", "pk")[: FOUND_SHOWN + 1]) if text else []
        return self.page(
            request,
            "admin/payouts/adjustment/choose.html",
            title=_("Propose an adjustment"),
            q=text,
            found=found[:FOUND_SHOWN],
            has_more=len(found) > FOUND_SHOWN,
        )

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is added or taken, say what it does, and put it forward."""
        require(request, "adjust_balances")
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        line = _line_of(request, membership)
        is_looked_at = request.method == "POST"
        form = AdjustmentForm(
            request.POST if request.method == "POST" else None,
            request.FILES or None,
            currency=membership.program.currency,
            with_file=is_looked_at,
        )
        consequences: list[str] = []
        if is_looked_at and form.is_valid():
            given, at = (
                dict(form.cleaned_data),
                timezone.now(),
            )  # a refusal takes its field out of the form's own
            once = given.pop("once")
            if "confirm" in request.POST:
                made = attempt(
                    request,
                    lambda: adjustments.propose(
                        membership, **given, public_id=once, commission=line, by=person(request), at=at
                    ),
                    form=form,
                )
                if made is not None:
                    is_done = made.state == AdjustmentState.POSTED
                    told = _("It is booked and the partner was told.")
                    messages.success(request, told if is_done else _("Somebody else has to approve it now."))
                    return HttpResponseRedirect(row_url(made))
            if not {"kind", "amount"} & form.errors.keys():
                who = person(request)
                consequences = proposing(membership, given["kind"], given["amount"], by=who, at=at)
        return self.page(
            request,
            "admin/payouts/adjustment/propose.html",
            title=_("Adjustment for %(partner)s") % {"partner": membership.partner.name},
            form=form,
            errors=bool(form.errors),
            membership=membership,
            line=line,
            consequences=consequences,
            amount=form.cleaned_data.get("amount") if consequences else None,
            parent=membership.partner.name,
            parent_url=row_url(membership.partner),
        )

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what booking does, and book what somebody else proposed."""
        return self._decide(request, pk, "approve")

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let somebody else's proposal come to nothing."""
        return self._decide(request, pk, "refuse")

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take one's own proposal back."""
        require(request, "adjust_balances")
        found = self._found(request, pk)
        if request.method == "POST":
            done = attempt(
                request, lambda: adjustments.withdraw(found, by=person(request), at=timezone.now())
            )
            if done is not None:
                messages.success(request, _("The proposal is withdrawn."))
            return HttpResponseRedirect(row_url(found))
        return self._confirm(request, found, None, _("Withdraw"), [_("Nothing is booked.")])

    def evidence(self, request: HttpRequest, pk: int) -> FileResponse:
        """Hand out the file, and remember who took it."""
        require(request, self.sees)
        found = self._found(request, pk)
        answer = evidence.attachment(found.evidence, found.evidence_name)
        audit.record(person(request), "adjustment.evidence_taken", found, at=timezone.now())
        return answer

    def _decide(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        require(request, "approve_adjustments")
        found = self._found(request, pk)
        is_approval = step == "approve"
        form = (DecisionForm if is_approval else RefusalForm)(
            request.POST if request.method == "POST" else None
        )
        verb = adjustments.approve if is_approval else adjustments.refuse
        if request.method == "POST" and form.is_valid():
            note, at = form.cleaned_data["note"], timezone.now()
            done = attempt(request, lambda: verb(found, note=note, by=person(request), at=at), form=form)
            if done is not None:
                told = _("It is booked and the partner was told.")
                messages.success(request, told if is_approval else _("The proposal is refused."))
                return HttpResponseRedirect(row_url(found))
        if not is_approval:
            return self._confirm(request, found, form, _("Refuse"), [_("Nothing is booked.")])
        says = booking(found.membership, found.kind, found.amount, at=timezone.now())
        return self._confirm(request, found, form, _("Approve %(amount)s") % _numbers(found), says)

    def _confirm(
        self, request: HttpRequest, found: Adjustment, form: Any, verb: str, consequences: list[str]
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=_title(found),
            form=form,
            errors=bool(form is not None and form.errors),
            verb=verb,
            parent=_title(found),
            parent_url=row_url(found),
            consequences=consequences,
        )

    def _found(self, request: HttpRequest, pk: int | str | None) -> Adjustment:
        rows = Adjustment.objects.visible_to(person(request)).select_related(
            "membership__partner",
            "membership__program",
            "commission",
            "posted_in__period",
            "proposed_by",
            "decided_by",
        )
        return get_object_or_404(rows, pk=pk)


def propose_url(membership: Membership, line: Commission | None = None) -> str:
    """Return the address of the page that proposes an adjustment of a membership's balance, about one of its lines when named."""
    url = reverse("admin:payouts_adjustment_propose", args=[membership.pk])
    return f"{url}?line={line.pk}" if line is not None else url


def _line_of(request: HttpRequest, membership: Membership) -> Commission | None:
    given = request.GET.get("line", "")
    if not (given.isascii() and given.isdigit()):
        return None
    return get_object_or_404(Commission, pk=int(given), membership=membership)


def _moves(request: HttpRequest, found: Adjustment) -> list[dict[str, Any]]:
    """Return the steps the person can take."""
    if found.state != AdjustmentState.PROPOSED:
        return []
    if found.proposed_by_id == person(request).pk:
        url = reverse("admin:payouts_adjustment_withdraw", args=[found.pk])
        return [{"label": _("Withdraw"), "url": url, "is_main": False}]
    if not policy.may(request.user, "approve_adjustments"):
        return []
    return [
        {
            "label": _("Approve"),
            "url": reverse("admin:payouts_adjustment_approve", args=[found.pk]),
            "is_main": True,
        },
        {
            "label": _("Refuse"),
            "url": reverse("admin:payouts_adjustment_refuse", args=[found.pk]),
            "is_main": False,
        },
    ]


def _title(found: Adjustment) -> str:
    return _("%(kind)s of %(amount)s for %(partner)s") % _numbers(found)


def _numbers(found: Adjustment) -> dict[str, str]:
    return {
        "kind": str(found.get_kind_display()),
        "amount": money_text(found.amount),
        "partner": found.membership.partner.name,
    }
