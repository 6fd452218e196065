"""The pages that suspend a membership, take it back, give notice, ban and cancel. Each says in numbers what happens before its button, and
shows the mail the owners get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners import leaving, mails_leaving
from partners.admin.persons import PersonPages
from partners.choices import EndingKind, SanctionReason
from partners.leaving_rules import (
    AT_ONCE,
    FOR_KIND,
    FOR_SUSPENSION,
    LONGEST_NOTE,
    earliest_end,
    moment_on,
    notice_of,
)
from partners.models import Membership
from prm.accounts import policy
from prm.accounts.back_office import Fact, attempt, locale, person, require, row_url
from prm.lib import l10n
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class SanctionForm(forms.Form):
    """Why, and what the partner is told beside it."""

    reason = forms.ChoiceField(label=gettext_lazy("Reason"))
    note = forms.CharField(
        label=gettext_lazy("Message to the partner"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "It stands in the mail below the reason. Say what happened and what would help."
        ),
    )

    def __init__(self, *args: Any, reasons: tuple[SanctionReason, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "–"), *((reason.value, reason.label) for reason in reasons)]
        self.fields["reason"] = forms.ChoiceField(label=_("Reason"), choices=choices)
        self.order_fields(["reason", "effective_on", "note"])


class NoticeForm(SanctionForm):
    """Why, and from which day on."""

    effective_on = forms.DateField(
        label=gettext_lazy("Ends as this day begins"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Leave it empty for the first day the reason allows."),
    )


@dataclass(frozen=True)
class Step:
    """One of the pages: its words, the state it is for, and what its button does."""

    key: str
    title: StrOrPromise
    verb: StrOrPromise
    done: StrOrPromise
    is_for: Callable[[Membership], bool]
    mail: str = ""
    what: str = ""
    reasons: tuple[SanctionReason, ...] = ()


def _runs(membership: Membership) -> bool:
    return membership.ended_at is None


STEPS = (
    Step(
        "suspend",
        gettext_lazy("Suspend %(partner)s"),
        gettext_lazy("Suspend now"),
        gettext_lazy("%(partner)s is suspended."),
        lambda each: _runs(each) and each.state != leaving.SUSPENDED,
        mail="membership_suspended",
        what=leaving.SUSPENDED,
        reasons=FOR_SUSPENSION,
    ),
    Step(
        "reinstate",
        gettext_lazy("Lift the suspension of %(partner)s"),
        gettext_lazy("Lift the suspension"),
        gettext_lazy("The suspension of %(partner)s is lifted."),
        lambda each: leaving.open_suspension(each) is not None,
        mail="membership_reinstated",
    ),
    Step(
        "notice",
        gettext_lazy("End the membership of %(partner)s"),
        gettext_lazy("Give notice"),
        gettext_lazy("The end of the membership of %(partner)s is announced."),
        lambda each: _runs(each) and leaving.waiting_end(each) is None,
        mail="membership_notice",
        what=EndingKind.TERMINATED,
        reasons=(*FOR_KIND[EndingKind.TERMINATED.value], SanctionReason.OWN_WISH),
    ),
    Step(
        "cancel-notice",
        gettext_lazy("Cancel the notice for %(partner)s"),
        gettext_lazy("Cancel the notice"),
        gettext_lazy("The notice for %(partner)s is cancelled."),
        lambda each: leaving.waiting_end(each) is not None,
        mail="membership_notice_cancelled",
    ),
    Step(
        "ban",
        gettext_lazy("Ban %(partner)s"),
        gettext_lazy("Ban now"),
        gettext_lazy("%(partner)s is banned from the program."),
        _runs,
        mail="membership_ended",
        what=EndingKind.BANNED,
        reasons=AT_ONCE,
    ),
)


class LeavingPages(PersonPages):
    """A mixin of the memberships' table: one page for each step."""

    def leaving_urls(self) -> list[URLPattern]:
        """Return the address of each step, and of the requests of persons."""
        return self.person_urls() + [
            path(
                f"<int:pk>/{step.key}/",
                self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self._page_of(step))),
                name=f"partners_membership_{step.key.replace('-', '_')}",
            )
            for step in STEPS
        ]

    def _page_of(self, step: Step) -> Callable[[HttpRequest, int], HttpResponse]:
        def page(request: HttpRequest, pk: int) -> HttpResponse:
            return self._leaving_page(request, pk, step)

        return page

    def _leaving_page(self, request: HttpRequest, pk: int, step: Step) -> HttpResponse:
        require(request, "sanction_partners")
        rows = self.get_queryset(request).select_related("partner__account_manager", "program")
        membership = get_object_or_404(rows, pk=pk)
        if not step.is_for(membership):
            raise Http404
        at = timezone.now()
        form = _form(step, request)
        if request.method == "POST" and "preview" not in request.POST and (form is None or form.is_valid()):
            done = attempt(
                request, lambda: _carry_out(step, membership, form, by=person(request), at=at), form=form
            )
            if done is not None:
                messages.success(request, step.done % {"partner": membership.partner.name})
                return HttpResponseRedirect(row_url(membership))
        if form is not None and "preview" in request.POST:
            form.is_valid()
        named = {"partner": membership.partner.name}
        return self.page(
            request,
            "admin/partners/leaving/step.html",
            title=step.title % named,
            status=422 if form is not None and form.errors and "preview" not in request.POST else 200,
            parent=str(membership.partner),
            parent_url=row_url(membership),
            form=form,
            errors=bool(form is not None and form.errors),
            facts=_facts(membership, at=at),
            consequences=_consequences(step, membership, at=at),
            money=leaving.settlement(membership, step.what, at=at) if step.what else [],
            mail=_mail(step, membership, form, at=at),
            verb=step.verb,
        )


def buttons(request: HttpRequest, membership: Membership) -> list[tuple[str, StrOrPromise]]:
    """Return the steps that make sense for a membership now: the address and the words of each."""
    if not policy.may(request.user, "sanction_partners"):
        return []
    words = {
        "suspend": _("Suspend"),
        "reinstate": _("Lift the suspension"),
        "notice": _("End the membership"),
        "cancel-notice": _("Cancel the notice"),
        "ban": _("Ban"),
    }
    return [
        (row_url(membership, step.key.replace("-", "_")), words[step.key])
        for step in STEPS
        if step.is_for(membership)
    ]


def standing_notes(membership: Membership) -> list[str]:
    """Say what keeps a membership from running on as ever, for the top of its page."""
    zone, said = membership.program.zone, []
    suspension, ending = leaving.open_suspension(membership), leaving.waiting_end(membership)
    if suspension is not None:
        day = l10n.date_text(local_day(suspension.suspended_at, zone), locale())
        params = {"date": day, "reason": suspension.get_reason_display()}
        said.append(_("Suspended since %(date)s: %(reason)s.") % params)
    if ending is not None:
        day = l10n.date_text(local_day(ending.effective_at, zone), locale())
        params = {"date": day, "reason": ending.get_reason_display()}
        said.append(_("Ends on %(date)s: %(reason)s.") % params)
    return said


def _form(step: Step, request: HttpRequest) -> SanctionForm | None:
    if not step.reasons:
        return None
    kind = NoticeForm if step.key == "notice" else SanctionForm
    return kind(request.POST if request.method == "POST" else None, reasons=step.reasons)


def _carry_out(
    step: Step, membership: Membership, form: SanctionForm | None, *, by: Any, at: datetime
) -> object:
    given = form.cleaned_data if form is not None else {}
    told = {"reason": given.get("reason", ""), "note": given.get("note", "")}
    if step.key == "suspend":
        return leaving.suspend(membership, **told, by=by, at=at)
    if step.key == "reinstate":
        return leaving.reinstate(membership, by=by, at=at)
    if step.key == "ban":
        return leaving.ban(membership, **told, by=by, at=at)
    if step.key == "cancel-notice":
        ending = leaving.waiting_end(membership)
        if ending is None:
            raise Http404
        return leaving.cancel_notice(ending, by=by, at=at)
    return leaving.give_notice(
        membership,
        kind=_kind_for(told["reason"]),
        **told,
        effective_at=_moment(membership, form, at=at),
        by=by,
        at=at,
    )


def _kind_for(reason: str) -> str:
    return EndingKind.ENDED if reason in FOR_KIND[EndingKind.ENDED.value] else EndingKind.TERMINATED


def _moment(membership: Membership, form: SanctionForm | None, *, at: datetime) -> datetime:
    given = getattr(form, "cleaned_data", {}) if form is not None else {}
    day = given.get("effective_on")
    return moment_on(membership, day) if day else earliest_end(membership, given.get("reason", ""), at=at)


def _mail(
    step: Step, membership: Membership, form: SanctionForm | None, *, at: datetime
) -> dict[str, object]:
    given = getattr(form, "cleaned_data", {}) if form is not None else {}
    moment = at
    if step.key == "notice":
        moment = _moment(membership, form, at=at)
    subject, text, to = mails_leaving.preview(
        step.mail if moment > at or step.key != "notice" else "membership_ended",
        membership,
        reason=given.get("reason", ""),
        note=given.get("note", ""),
        what=step.what,
        moment=moment,
        at=at,
    )
    return {"subject": subject, "text": text, "to": ", ".join(to) or _("nobody: no address is known")}


def _facts(membership: Membership, *, at: datetime) -> list[Fact]:
    days = notice_of(membership, at=at).days
    return [
        Fact(_("Program"), membership.program.name),
        Fact(_("Joined"), l10n.date_text(local_day(membership.joined_at, membership.program.zone), locale())),
        Fact(_("Notice the terms promise"), ngettext("%(days)s day", "%(days)s days", days) % {"days": days}),
        *(Fact(_("Now"), note) for note in standing_notes(membership)),
    ]


def _consequences(step: Step, membership: Membership, *, at: datetime) -> list[str]:
    if step.key == "suspend":
        return [
            _("Links still lead to the shop; links and codes earn nothing from now on."),
            _("What happened before still counts, also when it comes in later."),
            _("The team can sign in and sees the reason."),
        ]
    if step.key == "reinstate":
        return [
            _("Links and codes earn again from now on, unless the membership has ended."),
            _("What happened during the suspension is not credited."),
            _("Payments go on with the next pay run."),
        ]
    if step.key == "cancel-notice":
        return [_("The membership goes on as if no notice had been given.")]
    said = [
        _("From the end on, links and codes earn nothing; what happened before still counts."),
        _("The place in the tier ends, and proposals that wait for an answer are taken back."),
        _("The team can still sign in: statements and tax papers stay readable."),
    ]
    if step.key == "notice":
        first = l10n.date_text(
            local_day(earliest_end(membership, "", at=at), membership.program.zone), locale(), "long"
        )
        text = _(
            "Without a breach of the terms, %(date)s is the first day possible. After a breach it may be today."
        )
        said.insert(0, text % {"date": first})
    if step.key == "ban":
        said.insert(
            0, _("The membership ends at once and for good; whoever applies again is shown as banned before.")
        )
    return said
