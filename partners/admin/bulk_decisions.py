"""Decide on several applications on one page: every row with its outcome, what happens in numbers, one button. Afterwards the same page says
what became of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners import approval, assignment, bulk
from partners.admin.forms import DATE, PersonChoice, TierChoice
from partners.bulk import Bulk, Row
from partners.choices import RejectionReason
from partners.models import Application
from partners.tier_rates import rates_of
from prm.accounts.back_office import BackOfficeAdmin, chosen_ids, person, require
from prm.accounts.models import User
from tiers.models import Program, Tier

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

AT_ONCE = 200


class BulkForm(forms.Form):
    """What several applications get alike; a tier is chosen for each program."""

    def __init__(
        self, *args: Any, what: Bulk, programs: Sequence[Program], at: datetime, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if what == Bulk.APPROVE:
            for program in programs:
                self.fields[f"tier_{program.pk}"] = _tiers_of(program, at=at)
        if what == Bulk.ASSIGN:
            self.fields["manager"] = PersonChoice(
                label=_("Account manager"), queryset=assignment.managers(), empty_label=_("Choose a person")
            )
            return
        if what == Bulk.REJECT:
            reasons = [("", _("Choose a reason")), *RejectionReason.choices]
            self.fields["reason"] = forms.ChoiceField(label=_("Reason"), choices=reasons)
            self.fields["reapply_on"] = forms.DateField(
                label=_("May apply again on"), required=False, widget=DATE
            )
        self.fields["text"] = forms.CharField(
            label=_("Message in the e-mail"),
            required=what == Bulk.ASK,
            max_length=4000,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("Everybody gets the same words."),
        )


class BulkPages(Desk):
    """The page that decides on several applications, beside the queue."""

    def bulk_urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.bulk))
        return [path("together/<str:what>/", view, name="partners_application_together")]

    def bulk_actions(self) -> dict[str, tuple[Callable[..., HttpResponse], str, Any]]:
        """Return what the list offers for the rows that are ticked."""
        labels = {
            Bulk.APPROVE: gettext_lazy("Approve the applications ticked"),
            Bulk.REJECT: gettext_lazy("Decline the applications ticked"),
            Bulk.ASK: gettext_lazy("Ask the applicants ticked"),
            Bulk.ASSIGN: gettext_lazy("Assign the applications ticked"),
        }
        return {str(what): (_goes_to(what), str(what), label) for what, label in labels.items()}

    def bulk(self, request: HttpRequest, what: str) -> HttpResponse:
        """Say what would happen to each row, or let it happen."""
        require(request, "decide_applications")
        if what not in Bulk.values:
            raise Http404
        at, by, given = timezone.now(), person(request), request.POST or request.GET
        chosen = chosen_ids(given.get("ids", ""), most=AT_ONCE)
        found = self.get_queryset(request).filter(pk__in=chosen).order_by("submitted_at", "pk")
        rows = bulk.look(found, what, by=by)
        going = [row.application for row in rows if row.goes]
        programs = list({each.program_id: each.program for each in going}.values())
        form = BulkForm(request.POST or None, what=Bulk(what), programs=programs, at=at)
        is_done = False
        if request.method == "POST" and going and form.is_valid():
            rows = bulk.carry_out(rows, _verb(Bulk(what), form.cleaned_data, by=by, at=at))
            is_done = True
        return self.page(
            request,
            "admin/partners/application/together.html",
            title=_result_title(rows) if is_done else _title(Bulk(what), len(going)),
            status=422 if form.errors else 200,
            what=what,
            rows=rows,
            form=form if going else None,
            errors=bool(form.errors),
            is_done=is_done,
            ids=",".join(map(str, chosen)),
            outcome=_outcome(Bulk(what), is_done=is_done),
            consequences=_consequences(Bulk(what), len(going), len(rows) - len(going)),
            verb=_title(Bulk(what), len(going)),
        )


def _goes_to(what: Bulk) -> Callable[..., HttpResponse]:
    def action(_desk: Any, _request: HttpRequest, queryset: QuerySet[Application]) -> HttpResponse:
        pks = queryset.order_by("submitted_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
        address = reverse("admin:partners_application_together", args=[what.value])
        return HttpResponseRedirect(f"{address}?{urlencode({'ids': ','.join(map(str, pks))})}")

    return action


def _tiers_of(program: Program, *, at: datetime) -> TierChoice:
    tiers = TierChoice(
        label=_("Tier in %(program)s") % {"program": program.name},
        queryset=Tier.objects.filter(program=program).in_use().by_rank(),
        empty_label=None,
    )
    tiers.rates = rates_of(program, at=at)
    return tiers


def _verb(what: Bulk, given: dict[str, Any], *, by: User, at: datetime) -> Callable[[Application], object]:
    match what:
        case Bulk.APPROVE:
            return lambda each: approval.approve(
                each, tier=given[f"tier_{each.program_id}"], by=by, at=at, note=given["text"]
            )
        case Bulk.REJECT:
            return lambda each: approval.reject(
                each,
                reason=given["reason"],
                by=by,
                at=at,
                note=given["text"],
                reapply_on=given["reapply_on"],
            )
        case Bulk.ASK:
            return lambda each: approval.ask_for_more(each, text=given["text"], by=by, at=at)
        case Bulk.ASSIGN:
            return lambda each: assignment.assign(each, manager=given["manager"], by=by, at=at)


def _title(what: Bulk, count: int) -> str:
    words = {
        Bulk.APPROVE: ngettext("Approve %(count)s application", "Approve %(count)s applications", count),
        Bulk.REJECT: ngettext("Decline %(count)s application", "Decline %(count)s applications", count),
        Bulk.ASK: ngettext("Ask %(count)s applicant", "Ask %(count)s applicants", count),
        Bulk.ASSIGN: ngettext("Assign %(count)s application", "Assign %(count)s applications", count),
    }
    return words[what] % {"count": count}


def _result_title(rows: list[Row]) -> str:
    done = sum(row.goes for row in rows)
    return _("%(done)s done, %(skipped)s left as they were") % {"done": done, "skipped": len(rows) - done}


def _outcome(what: Bulk, *, is_done: bool) -> str:
    will = {
        Bulk.APPROVE: _("will be approved"),
        Bulk.REJECT: _("will be declined"),
        Bulk.ASK: _("will be asked"),
        Bulk.ASSIGN: _("will be assigned"),
    }
    was = {
        Bulk.APPROVE: _("approved"),
        Bulk.REJECT: _("declined"),
        Bulk.ASK: _("asked"),
        Bulk.ASSIGN: _("assigned"),
    }
    return (was if is_done else will)[what]


def _consequences(what: Bulk, going: int, skipped: int) -> list[str]:
    mails = ngettext(
        "%(count)s e-mail is sent, in the reader's language.",
        "%(count)s e-mails are sent, each in the reader's language.",
        going,
    )
    said = [] if what == Bulk.ASSIGN else [mails % {"count": going}]
    if what == Bulk.APPROVE:
        members = ngettext(
            "%(count)s partner can sign in, with a first link and code.",
            "%(count)s partners can sign in, each with a first link and code.",
            going,
        )
        said.insert(0, members % {"count": going})
    if what == Bulk.ASSIGN:
        said.append(_("Whoever looked after them until now does so no longer."))
    if skipped:
        text = ngettext("%(count)s row is left as it is.", "%(count)s rows are left as they are.", skipped)
        said.append(text % {"count": skipped})
    return [*said, _("Each decision is made by itself and stays on record with your name.")]
