"""The pages on which a draft of an application form is written: its top, its questions, their order. Each button makes one call to the
verb that rewrites the draft and says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from partners.admin.forms_builder_forms import TopForm
from partners.admin.forms_builder_question import QuestionForm
from partners.application_forms import editing, publishing
from partners.application_forms.definition import Definition, Question, read
from partners.choices import FormState
from partners.models import FormVersion
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url
from tiers.models import Tier

CAPABILITY = "manage_forms"
QUESTIONS = "#questions"


class QuestionPages:
    """The pages of a draft's questions, for the table of versions."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses, below a version's."""
        view = self.desk.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        name = "partners_formversion_"
        return [
            path("<int:pk>/top/", view(both(self.top)), name=f"{name}top"),
            path("<int:pk>/questions/add/", view(both(self.add)), name=f"{name}add_question"),
            path("<int:pk>/questions/ask/", view(require_POST(self.ask)), name=f"{name}ask"),
            path("<int:pk>/questions/<slug:key>/", view(both(self.edit)), name=f"{name}question"),
            path("<int:pk>/questions/<slug:key>/move/", view(require_POST(self.move)), name=f"{name}move"),
            path(
                "<int:pk>/questions/<slug:key>/remove/", view(require_POST(self.remove)), name=f"{name}remove"
            ),
        ]

    def top(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write what stands above the questions, and choose the partnership types."""
        version, definition = _draft(request, pk)
        form = TopForm(request.POST if request.method == "POST" else None, definition=definition)
        if form.is_valid():
            top = form.top()
            done = self._change(
                request,
                version,
                lambda now: editing.with_top(now, top),
                form=form,
                said=_("The top is saved in the draft."),
            )
            if done is not None:
                return done
        return self._page(request, version, form, title=_("Top of the form"), verb=_("Save the top"))

    def add(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add a question of the program's own."""
        version, definition = _draft(request, pk)
        posted = request.POST if request.method == "POST" else None
        form = QuestionForm(posted, definition=definition, tiers=_tiers(version))
        if form.is_valid():
            question = form.question()
            done = self._change(
                request,
                version,
                lambda now: editing.added(now, question),
                form=form,
                said=_("“%(question)s” is part of the draft.") % {"question": _name(question)},
            )
            if done is not None:
                return done
        return self._page(request, version, form, title=_("New question"), verb=_("Add the question"))

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask one of our own questions, which the form does not ask yet."""
        version, definition = _draft(request, pk)
        key = request.POST.get("key", "")
        if key not in editing.not_asked(definition):
            messages.error(request, _("Choose one of our questions that the form does not ask yet."))
            return HttpResponseRedirect(row_url(version) + QUESTIONS)
        question = editing.ours(key)
        said = _("“%(question)s” is part of the draft.") % {"question": _name(question)}
        return self._moved(request, version, lambda now: editing.added(now, question), said=said)

    def edit(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        """Write a question anew."""
        version, definition = _draft(request, pk)
        before = _question(definition, key)
        posted = request.POST if request.method == "POST" else None
        form = QuestionForm(posted, definition=definition, tiers=_tiers(version), question=before)
        if form.is_valid():
            question = form.question()
            done = self._change(
                request,
                version,
                lambda now: editing.replaced(now, question),
                form=form,
                said=_("“%(question)s” is saved in the draft.") % {"question": _name(question)},
            )
            if done is not None:
                return done
        ours = _name(replace(before, label={}, help={})) if before.is_standard else ""
        return self._page(
            request,
            version,
            form,
            title=_name(before),
            verb=_("Save the question"),
            key=key,
            ours=ours,
        )

    def move(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        """Let a question change places with the one above or below it."""
        version, definition = _draft(request, pk)
        _question(definition, key)
        up = request.POST.get("to") == "up"
        return self._moved(request, version, lambda now: editing.moved(now, key, up=up))

    def remove(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        """Take a question out of the draft."""
        version, definition = _draft(request, pk)
        question = _question(definition, key)
        said = _("“%(question)s” is no longer part of the draft.") % {"question": _name(question)}
        return self._moved(request, version, lambda now: editing.removed(now, key), said=said)

    def _change(
        self,
        request: HttpRequest,
        version: FormVersion,
        change: Callable[[Definition], Definition],
        *,
        form: TopForm | QuestionForm,
        said: str,
    ) -> HttpResponse | None:
        by, at = person(request), timezone.now()
        done = attempt(request, lambda: publishing.edit(version, change, by=by, at=at), form=form)
        if done is None:
            return None
        messages.success(request, said)
        return HttpResponseRedirect(row_url(version) + QUESTIONS)

    def _moved(
        self,
        request: HttpRequest,
        version: FormVersion,
        change: Callable[[Definition], Definition],
        *,
        said: str = "",
    ) -> HttpResponse:
        by, at = person(request), timezone.now()
        done = attempt(request, lambda: publishing.edit(version, change, by=by, at=at))
        if done is not None and said:
            messages.success(request, said)
        return HttpResponseRedirect(row_url(version) + QUESTIONS)

    def _page(
        self,
        request: HttpRequest,
        version: FormVersion,
        form: TopForm | QuestionForm,
        *,
        title: str,
        verb: str,
        key: str = "",
        ours: str = "",
    ) -> HttpResponse:
        return self.desk.page(
            request,
            "admin/partners/formversion/edit.html",
            title=title,
            status=422 if form.errors else 200,
            parent=name_of(version),
            parent_url=row_url(version),
            version=version,
            form=form,
            errors=bool(form.errors),
            verb=verb,
            key=key,
            ours=ours,
        )


def name_of(version: FormVersion) -> str:
    """Return the version as people call it."""
    return _("%(program)s, form version %(number)s") % {
        "program": version.program.name,
        "number": version.number,
    }


def _draft(request: HttpRequest, pk: int) -> tuple[FormVersion, Definition]:
    require(request, CAPABILITY)
    versions = FormVersion.objects.select_related("program").filter(state=FormState.DRAFT)
    version = get_object_or_404(versions, pk=pk)
    return version, read(version.definition)


def _question(definition: Definition, key: str) -> Question:
    question = definition.question(key)
    if question is None:
        raise Http404
    return question


def _tiers(version: FormVersion) -> frozenset[str]:
    return frozenset(Tier.objects.filter(program=version.program_id).in_use().values_list("key", flat=True))


def _name(question: Question) -> str:
    return editing.name_of(question, get_language() or "en")
