"""The texts of a program's public page, one page for each language. What is written here is shown as it is; figures are generated and have
no field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import program_texts
from partners.models import ProgramText
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_pages,
    add_panels,
    attempt,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from tiers.models import Program

_EMPTY_PAIRS = 2


class PageForm(forms.Form):
    """What one page says; after the questions there are, there is always room for more."""

    use_required_attribute = False

    headline = forms.CharField(
        label=gettext_lazy("Headline"),
        required=False,
        max_length=140,
        help_text=gettext_lazy("One line above the generated offer. No figures: they are generated."),
    )
    introduction = forms.CharField(
        label=gettext_lazy("Introduction"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    who_can_join = forms.CharField(
        label=gettext_lazy("Who can join"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What you ask of applicants. Empty: the text under “who it is for” is shown."),
    )

    def __init__(self, data: Any = None, *, row: ProgramText | None) -> None:
        known = list(row.faq) if row is not None else []
        initial = {name: getattr(row, name, "") for name in program_texts.FIELDS}
        self.pairs = min(len(known) + _EMPTY_PAIRS, program_texts.MOST_QUESTIONS)
        for number, pair in enumerate(known, start=1):
            initial |= {f"question_{number}": pair["question"], f"answer_{number}": pair["answer"]}
        super().__init__(data, initial=initial)
        for number in range(1, self.pairs + 1):
            self._add_pair(number)

    def clean(self) -> dict[str, Any]:
        """Point at the half that is missing."""
        cleaned = super().clean() or {}
        for number in range(1, self.pairs + 1):
            question, answer = cleaned.get(f"question_{number}"), cleaned.get(f"answer_{number}")
            if question and not answer:
                self.add_error(f"answer_{number}", _("Write the answer, or remove the question."))
            if answer and not question:
                self.add_error(f"question_{number}", _("Write the question, or remove the answer."))
        return cleaned

    def faq(self) -> list[tuple[str, str]]:
        """Return the pairs as they were typed."""
        given = self.cleaned_data
        return [
            (given[f"question_{number}"], given[f"answer_{number}"]) for number in range(1, self.pairs + 1)
        ]

    def _add_pair(self, number: int) -> None:
        self.fields[f"question_{number}"] = forms.CharField(
            label=_("Question %(number)s") % {"number": number},
            required=False,
            max_length=program_texts.LONGEST_QUESTION,
        )
        self.fields[f"answer_{number}"] = forms.CharField(
            label=_("Answer %(number)s") % {"number": number},
            required=False,
            max_length=program_texts.LONGEST_ANSWER,
            widget=forms.Textarea(attrs={"rows": 3}),
        )


class TextPage:
    """The page, below the table of programs."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.desk.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.edit))
        return [path("<int:pk>/page/<slug:language>/", view, name="partners_program_page")]

    def edit(self, request: HttpRequest, pk: int, language: str) -> HttpResponse:
        """Show the texts of one language and take changes."""
        require(request, "manage_program_pages")
        program = get_object_or_404(Program, pk=pk)
        named = dict(settings.LANGUAGES).get(language)
        if named is None:
            raise Http404
        row = ProgramText.objects.filter(program=program, language=language).first()
        form = PageForm(request.POST if request.method == "POST" else None, row=row)
        if request.method == "POST" and form.is_valid():
            by, at = person(request), timezone.now()
            texts = {name: form.cleaned_data[name] for name in program_texts.FIELDS}
            saved = attempt(
                request,
                lambda: program_texts.write(program, language, texts=texts, faq=form.faq(), by=by, at=at),
                form=form,
            )
            if saved is not None:
                messages.success(request, _("Saved. The page says it at once."))
                return HttpResponseRedirect(page_url(program, language))
        return self.desk.page(
            request,
            "admin/partners/program/page.html",
            title=_("Page of %(program)s: %(language)s") % {"program": program.name, "language": named},
            status=422 if form.errors else 200,
            parent=program.name,
            parent_url=row_url(program),
            form=form,
            language=language,
            languages=_languages(program, current=language),
            public_url=reverse("public:program", args=[program.slug]) if program.is_public else "",
        )


def page_url(program: Program, language: str) -> str:
    """Return where the texts of one language are written."""
    return reverse("admin:partners_program_page", args=[program.pk, language])


def panel_of(program: Program, by: User, at: datetime) -> Iterator[Panel]:
    """Lead from a program to the texts of its page."""
    if policy.may(by, "manage_program_pages"):
        yield Panel(
            title=_("Texts of the program page"),
            template="admin/partners/program/_page_panel.html",
            context={"languages": _languages(program)},
        )


def _languages(program: Program, *, current: str = "") -> list[dict[str, Any]]:
    written = set(ProgramText.objects.filter(program=program).values_list("language", flat=True))
    return [
        {
            "label": name,
            "href": page_url(program, code),
            "current": code == current,
            "is_written": code in written,
        }
        for code, name in settings.LANGUAGES
    ]


add_panels("program", panel_of)
add_pages("program", lambda desk: TextPage(desk).urls())
