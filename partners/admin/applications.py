"""Applications: the queue, and the page on which one is decided. What the applicant said stands at the left, the decision at the right;
after it the next in the queue opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from partners import approval, screening, screening_counts
from partners.admin.forms import APPROVE, ASK, DecisionForm
from partners.tier_rates import rates_of
from partners.applications import decide_on
from partners.choices import ApplicationState
from partners.models import Application
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    list_url,
    locale,
    person,
    require,
    row_url,
    state_column,
    when_column,
)
from prm.audit.models import AuditEvent
from prm.lib import l10n
from prm.lib.periods import local_day

HISTORY_SHOWN = 30
WORDS = {
    "application.submitted": gettext_lazy("Application sent"),
    "application.email_confirmed": gettext_lazy("E-mail confirmed"),
    "application.review_started": gettext_lazy("Review begun"),
    "application.question_asked": gettext_lazy("Question asked"),
    "application.replied": gettext_lazy("Applicant replied"),
    "application.repeated": gettext_lazy("Sent again with the same e-mail"),
    "application.rejected": gettext_lazy("Declined"),
    "application.withdrawn": gettext_lazy("Withdrawn by the applicant"),
    "partner.changed": gettext_lazy("Details changed"),
}


class WaitingFilter(admin.SimpleListFilter):
    """Those staff can act on now, which is what the list opens with."""

    title = gettext_lazy("queue")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two ways to look."""
        return [("yes", _("To decide")), ("no", _("Not waiting for us"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        """Keep what was asked for."""
        ours = [ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW]
        if self.value() == "yes":
            return queryset.filter(state__in=ours)
        if self.value() == "no":
            return queryset.exclude(state__in=ours)
        return queryset


@admin.register(Application)
class ApplicationAdmin(BackOfficeAdmin):
    """Applications, those waiting the longest first; what decides about a row stands at its left."""

    sees = "see_applications"
    list_display = (
        "applicant",
        state_column("application", gettext_lazy("state")),
        "program",
        "waiting",
        "signals",
        "country",
        when_column("submitted_at", gettext_lazy("sent")),
    )
    list_filter = (WaitingFilter, "state", "program", "program__partnership_type", "submitted_at")
    list_select_related = ("program",)
    search_fields = ("company", "full_name", "email_folded", "website", "public_id")
    search_help_text = gettext_lazy("Company, name, address, website or reference")
    ordering = ("decided_at", "submitted_at", "pk")
    list_per_page = 25

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        """Read what the person may see."""
        return Application.objects.visible_to(person(request)).select_related("program")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Count the signals of the whole page at once."""
        listed = super().get_changelist_instance(request)
        counts = screening_counts.warning_counts(list(listed.result_list))
        for application in listed.result_list:
            application.warning_count = counts.get(application.pk)
        return listed

    @admin.display(description=gettext_lazy("applicant"), ordering="company")
    def applicant(self, application: Application) -> str:
        """Return the company with the person's name under it."""
        return format_html(
            '{}<span class="sub">{}</span>',
            application.company or application.full_name,
            application.full_name,
        )

    @admin.display(description=gettext_lazy("signals"))
    def signals(self, application: Application) -> str:
        """Return how many signals want a second look; nothing once it is decided."""
        count: int | None = getattr(application, "warning_count", None)
        return "–" if count is None else str(count)

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, application: Application) -> str:
        """Return how long it has waited for a decision, and whether the promise is broken."""
        if application.decided_at is not None or application.submitted_at is None:
            return "–"
        return waiting_text(application, at=timezone.now())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show an application with its decision, or carry the decision out."""
        require(request, self.sees)
        application = get_object_or_404(self.get_queryset(request).select_related("decided_by"), pk=object_id)
        is_open = application.state in ApplicationState.undecided()
        at = timezone.now()
        rates = rates_of(application.program, at=at) if is_open else {}
        form = DecisionForm(request.POST or None, application=application, rates=rates)
        if request.method == "POST":
            require(request, "decide_applications")
            if form.is_valid() and _decide(request, application, form, at=at):
                return HttpResponseRedirect(self._next_url(request, application))
        return self.page(
            request,
            "admin/partners/application/review.html",
            title=str(application),
            application=application,
            program=application.program,
            is_open=is_open,
            may_decide=is_open and policy.may(request.user, "decide_applications"),
            form=form,
            errors=bool(form.errors),
            waiting=waiting_text(application, at=at) if is_open and application.submitted_at else "",
            facts=list(_facts(application)),
            signals=screening.signals(application),
            thread=application.messages.select_related("written_by").order_by("written_at", "pk"),
            history=history_of(application),
            consequences=_consequences(application),
            partner=_partner_of(application),
        )

    def _next_url(self, request: HttpRequest, decided: Application) -> str:
        following = self.get_queryset(request).exclude(pk=decided.pk)
        first = following.waiting_for_us().first()  # type: ignore[attr-defined]
        return row_url(first) if first is not None else list_url(Application)


def waiting_text(application: Application, *, at: datetime) -> str:
    """Return the age of an application and the day by which a decision was promised."""
    zone = application.program.zone
    assert application.submitted_at is not None  # noqa: S101
    days = (local_day(at, zone) - local_day(application.submitted_at, zone)).days
    promised = decide_on(application.program, application.submitted_at)
    age = ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    text = _("%(age)s, by %(date)s") if local_day(at, zone) <= promised else _("%(age)s, late since %(date)s")
    return text % {"age": age, "date": l10n.date_text(promised, locale())}


def history_of(obj: Any) -> list[AuditEvent]:
    """Return what was done to a row, oldest first."""
    events = AuditEvent.objects.filter(object_type=obj._meta.label_lower, object_pk=str(obj.pk))
    found = list(events.select_related("actor").order_by("-at", "-pk")[:HISTORY_SHOWN])[::-1]
    for event in found:
        event.words = WORDS.get(event.action) or _plain_words(event.action)  # type: ignore[attr-defined]
    return found


def _plain_words(action: str) -> str:
    """Return an action nobody has given words to yet, as words."""
    return action.replace(".", " ").replace("_", " ").capitalize()


def _decide(request: HttpRequest, application: Application, form: DecisionForm, *, at: datetime) -> bool:
    """Carry the decision out; False when the verb refused, with its words in the form."""
    by, given = person(request), form.cleaned_data
    name = str(application)
    if given["decision"] == APPROVE:
        done: Any = attempt(
            request,
            lambda: approval.approve(application, tier=given["tier"], by=by, at=at, note=given["text"]),
            form=form,
        )
        said = _("%(name)s is approved and gets an e-mail.")
    elif given["decision"] == ASK:
        done = attempt(
            request,
            lambda: approval.ask_for_more(application, text=given["text"], by=by, at=at),
            form=form,
        )
        said = _("%(name)s gets your question by e-mail.")
    else:
        done = attempt(
            request,
            lambda: approval.reject(
                application,
                reason=given["reason"],
                by=by,
                at=at,
                note=given["text"],
                reapply_on=given["reapply_on"],
            ),
            form=form,
        )
        said = _("%(name)s is declined and gets an e-mail.")
    if done is None:
        return False
    messages.success(request, said % {"name": name})
    return True


def _facts(application: Application) -> Iterator[Fact]:
    stated = _("Stated by the applicant")
    yield Fact(_("Name"), application.full_name, stated)
    website = application.website
    link = (
        format_html('<a href="{0}" rel="noreferrer noopener">{0}</a>', website)
        if website
        else _("None given")
    )
    yield Fact(_("Website"), link, stated if website else "")
    yield Fact(_("Audience"), application.audience or "–", stated if application.audience else "")
    yield Fact(_("Country"), application.country, stated)
    confirmed = application.email_confirmed_at
    note = (
        _("Confirmed on %(date)s") % {"date": l10n.date_text(confirmed.date(), locale())}
        if confirmed
        else _("Not confirmed yet")
    )
    yield Fact(_("E-mail"), application.email, note)
    yield Fact(_("Phone"), application.phone, stated)
    yield Fact(_("How they will promote"), application.how_promote or "–")
    for acceptance in application.acceptances.select_related("terms_version").order_by("pk"):
        zone = application.program.zone
        params = {
            "number": acceptance.terms_version.number,
            "at": l10n.datetime_text(acceptance.accepted_at, zone, locale()),
        }
        yield Fact(_("Terms"), _("Version %(number)s accepted, %(at)s") % params)
    if application.source:
        yield Fact(_("Came from"), application.source)


def _consequences(application: Application) -> list[str]:
    program = application.program
    return [
        _("%(email)s can sign in to the portal.") % {"email": application.email},
        _("A first link and a code are made, and the e-mail names the next steps."),
        ngettext(
            "The tier's rate counts from now on, with a hold of %(days)s day.",
            "The tier's rate counts from now on, with a hold of %(days)s days.",
            program.hold_days,
        )
        % {"days": program.hold_days},
    ]


def _partner_of(application: Application) -> str:
    membership = getattr(application, "membership", None)
    return link_to(membership.partner) if membership is not None else ""
