"""Questions about sections of the terms: a queue by age, each beside the section it is about and what was answered to others."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import clause_questions
from partners.admin.forms_terms import AnswerForm
from partners.models import ClauseQuestion
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    badge,
    link_to,
    locale,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n

EARLIER_SHOWN = 5


class WaitingFilter(admin.SimpleListFilter):
    """Which questions wait for us."""

    title = gettext_lazy("waits for")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the choice."""
        return [("us", _("An answer"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ClauseQuestion]) -> QuerySet[ClauseQuestion]:
        """Keep the questions nobody answered or withdrew."""
        if self.value() == "us":
            return queryset.filter(answered_at=None, withdrawn_at=None)
        return queryset


@admin.register(ClauseQuestion)
class ClauseQuestionAdmin(BackOfficeAdmin):
    """Questions about the terms, the oldest first."""

    section = gettext_lazy("Questions about terms")
    sees = "see_partners"
    list_display = (
        "about",
        "asker",
        when_column("asked_at", gettext_lazy("asked")),
        "state",
        "answered_by",
    )
    list_filter = (WaitingFilter, "section", "terms_version__program")
    list_select_related = ("answered_by",)
    search_fields = ("text", "answer", "public_id")
    ordering = ("answered_at", "asked_at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClauseQuestion]:
        """Read who asks, and about what."""
        found = super().get_queryset(request)
        return found.select_related(
            "terms_version__program", "application", "membership__partner", "asked_by", "answered_by"
        )

    @admin.display(description=gettext_lazy("question"))
    def about(self, question: ClauseQuestion) -> str:
        """Return the beginning of the question and the section."""
        program = question.terms_version.program.name
        about = f"{program}: {question.get_section_display()}"
        return format_html('{}<span class="sub">{}</span>', Truncator(question.text).chars(80), about)

    @admin.display(description=gettext_lazy("asked by"))
    def asker(self, question: ClauseQuestion) -> str:
        """Return who asks."""
        return _asker(question)

    @admin.display(description=gettext_lazy("state"))
    def state(self, question: ClauseQuestion) -> str:
        """Return whether it waits."""
        return badge(state_of(question), "clause_question")

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show a question beside its section, and take the answer."""
        require(request, self.sees)
        question = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = AnswerForm(request.POST or None)
        if request.method == "POST":
            require(request, "answer_clause_questions")
            by, at = person(request), timezone.now()
            if form.is_valid():
                text = form.cleaned_data["text"]
                done = attempt(
                    request, lambda: clause_questions.answer(question, text=text, by=by, at=at), form=form
                )
                if done is not None:
                    messages.success(request, _("Answered. Who asked gets an e-mail."))
                    return HttpResponseRedirect(row_url(question))
        version = question.terms_version
        return self.page(
            request,
            "admin/partners/clausequestion/question.html",
            title=_("Question about the terms"),
            status=422 if form.is_bound and form.errors else 200,
            question=question,
            state=state_of(question),
            facts=_facts(question),
            section_text=getattr(version, question.section),
            version=version,
            version_url=row_url(version),
            earlier=list(clause_questions.answered_before(question)[:EARLIER_SHOWN]),
            form=form,
            may_answer=state_of(question) == "open" and policy.may(request.user, "answer_clause_questions"),
        )


def state_of(question: ClauseQuestion) -> str:
    """Return open, answered or withdrawn."""
    if question.answered_at is not None:
        return "answered"
    return "withdrawn" if question.withdrawn_at is not None else "open"


def _asker(question: ClauseQuestion) -> str:
    if question.application is not None:
        return _("%(name)s, applicant") % {
            "name": question.application.full_name or question.application.email
        }
    partner = question.membership.partner.name if question.membership is not None else ""
    name = question.asked_by.get_full_name() if question.asked_by is not None else ""
    return _("%(name)s, %(partner)s") % {"name": name, "partner": partner} if name else partner


def _facts(question: ClauseQuestion) -> list[Fact]:
    zone = question.terms_version.program.zone
    asked = l10n.datetime_text(question.asked_at, zone, locale())
    where: Any = link_to(question.membership, _("Open the membership")) if question.membership else ""
    if question.application is not None and question.application.submitted_at is not None:
        where = link_to(question.application, _("Open the application"))
    answered = l10n.datetime_text(question.answered_at, zone, locale()) if question.answered_at else ""
    facts = [
        Fact(_("Asked by"), _asker(question)),
        Fact(_("When"), asked),
        Fact(_("Program"), question.terms_version.program.name),
        Fact(_("About"), question.get_section_display()),
        Fact(_("Where"), where),
        Fact(_("Answered"), answered, str(question.answered_by or "")),
    ]
    return [fact for fact in facts if fact.value]
