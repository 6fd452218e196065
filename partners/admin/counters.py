"""Counter-proposals in the back office: those that wait stand first, and each is answered once, with another offer or a no."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import counters
from partners.admin.applications import history_of
from partners.admin.forms_outreach import AnswerForm
from partners.models import CounterProposal
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    person,
    require,
    row_url,
    when_column,
)

CAPABILITY = "manage_prospects"
OFFER, DRAFT, REFUSE = "offer", "draft", "refuse"


class AnsweredFilter(admin.SimpleListFilter):
    """Those nobody has answered."""

    title = gettext_lazy("queue")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two ways to look."""
        return [("yes", _("To answer")), ("no", _("Answered"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CounterProposal]
    ) -> QuerySet[CounterProposal]:
        """Keep what was asked for."""
        if self.value() in ("yes", "no"):
            return queryset.filter(answered_at__isnull=self.value() == "yes")
        return queryset


@admin.register(CounterProposal)
class CounterProposalAdmin(BackOfficeAdmin):
    """Counter-proposals, those that wait first."""

    section = gettext_lazy("Counter-proposals")
    sees = CAPABILITY
    list_display = (
        "whose",
        "program",
        when_column("made_at", gettext_lazy("made")),
        when_column("answered_at", gettext_lazy("answered")),
        "answered_by",
    )
    list_filter = (AnsweredFilter,)
    list_select_related = (
        "invitation__program",
        "membership__partner",
        "membership__program",
        "answered_by",
    )
    search_fields = (
        "invitation__email_folded",
        "invitation__company",
        "membership__partner__name",
        "public_id",
    )
    search_help_text = gettext_lazy("Partner, company, address or id")
    ordering = (F("answered_at").desc(nulls_first=True), "made_at", "pk")

    @admin.display(description=gettext_lazy("from"))
    def whose(self, counter: CounterProposal) -> str:
        """Return who made it."""
        return _who(counter)

    @admin.display(description=gettext_lazy("program"))
    def program(self, counter: CounterProposal) -> str:
        """Return the program it is about."""
        about = counter.invitation or counter.membership
        return about.program.name if about else ""

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one, or answer it."""
        if object_id is None:
            return None
        require(request, self.sees)
        rows = CounterProposal.objects.select_related(
            *self.list_select_related, "plan_version", "made_by", "invitation"
        )
        counter = get_object_or_404(rows, pk=object_id)
        form = AnswerForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            gone = _answer(request, counter, form)
            if gone is not None:
                return HttpResponseRedirect(gone)
        return self.page(
            request,
            "admin/partners/counter/counter.html",
            title=_("Counter-proposal of %(who)s") % {"who": _who(counter)},
            status=422 if form.errors else 200,
            counter=counter,
            facts=list(_facts(counter)),
            form=form,
            wrong=bool(form.errors),
            may_answer=counter.answered_at is None,
            history=history_of(counter)[::-1],
        )


def _answer(request: HttpRequest, counter: CounterProposal, form: AnswerForm) -> str | None:
    """Carry the button out and return where to go; None when it was refused."""
    by, at, text, do = person(request), timezone.now(), form.cleaned_data["answer"], request.POST.get("do")
    if do == DRAFT and counter.membership_id is not None:
        draft = attempt(request, lambda: counters.begin_draft(counter, answer=text, by=by, at=at), form=form)
        return None if draft is None else row_url(draft)
    if do == OFFER and counter.invitation_id is not None:
        done = attempt(request, lambda: counters.offer_again(counter, answer=text, by=by, at=at), form=form)
        said = _("The invitation is open again and on its way with a new link.")
    else:
        done = attempt(request, lambda: counters.refuse(counter, answer=text, by=by, at=at), form=form)
        said = _("Your no is on its way.")
    if done is None:
        return None
    messages.success(request, said)
    return row_url(counter.invitation) if counter.invitation is not None else row_url(counter)


def _who(counter: CounterProposal) -> str:
    invitation, membership = counter.invitation, counter.membership
    if invitation is not None:
        return invitation.company or invitation.full_name or invitation.email
    return membership.partner.name if membership is not None else ""


def _facts(counter: CounterProposal) -> Iterator[Fact]:
    if counter.invitation is not None:
        yield Fact(_("Invitation"), link_to(counter.invitation, _who(counter)))
        yield Fact(_("Program"), counter.invitation.program.name)
    if counter.membership is not None:
        yield Fact(_("Partner"), link_to(counter.membership.partner, counter.membership.partner.name))
        yield Fact(_("Program"), counter.membership.program.name)
    if counter.plan_version is not None:
        number = _("Version %(number)s") % {"number": counter.plan_version.number}
        yield Fact(_("What was proposed"), link_to(counter.plan_version, number))
    yield Fact(_("Written by"), counter.made_by.get_full_name() if counter.made_by else _("the guest"))
