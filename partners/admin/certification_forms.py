"""Forms of the pages that build certifications. Texts have one field for each language; a form only asks, the verbs decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import web_addresses
from partners.admin.forms import DATE
from partners.certification import courses, lessons, quiz
from partners.choices import LessonKind, StaffRole
from partners.models import Certification, Course, Lesson
from partners.uploads import ACCEPTED
from tiers.models import Program

CODES = tuple(code for code, _name in settings.LANGUAGES)
_ROWS = 3


class TextsForm(forms.Form):
    """A form that holds texts by language."""

    use_required_attribute = False

    def add_texts(self, name: str, label: str, *, longest: int, needed: bool = False, rows: int = 0) -> None:
        """Add a field for each language; only the English one can be needed."""
        for code, language in settings.LANGUAGES:
            is_needed = needed and code == "en"
            widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
            self.fields[f"{name}_{code}"] = forms.CharField(
                label=_("%(what)s, %(language)s") % {"what": label, "language": language},
                required=is_needed,
                max_length=longest,
                widget=widget,
            )

    def texts(self, name: str) -> dict[str, str]:
        """Return what was typed, by language."""
        return {code: str(self.cleaned_data.get(f"{name}_{code}", "")) for code in CODES}

    def show_texts(self, name: str, texts: Mapping[str, str]) -> None:
        """Let the fields begin with texts that are there."""
        for code in CODES:
            self.initial[f"{name}_{code}"] = texts.get(code, "")


class CertificationForm(TextsForm):
    """What people can be certified in."""

    program = forms.ModelChoiceField(label=gettext_lazy("Program"), queryset=Program.objects.none())
    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=courses.LONGEST_KEY,
        help_text=gettext_lazy(
            "The name requirements of tiers use, such as sales-specialist. It stays for good."
        ),
    )

    def __init__(self, *args: Any, certification: Certification | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if certification is not None:
            del self.fields["program"], self.fields["key"]
        else:
            program = cast("forms.ModelChoiceField[Program]", self.fields["program"])
            program.queryset = Program.objects.order_by("name", "pk")
        self.add_texts("name", _("Name"), longest=courses.LONGEST_NAME, needed=True)
        self.add_texts("description", _("Description"), longest=courses.LONGEST_SUMMARY, rows=_ROWS)
        self.fields["roles"] = forms.MultipleChoiceField(
            label=_("For these roles"),
            required=False,
            choices=StaffRole.choices,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("None ticked: for everybody."),
        )
        self.fields["valid_months"] = forms.IntegerField(
            label=_("Valid for, months"),
            required=False,
            min_value=1,
            max_value=courses.MOST_MONTHS,
            help_text=_("Empty: for good. Credentials that were given keep their end."),
        )
        self.fields["takes_proof"] = forms.BooleanField(
            label=_("Certificates of others are taken as proof"), required=False
        )
        if certification is not None:
            self.show_texts("name", certification.name)
            self.show_texts("description", certification.description)
            same = ("roles", "valid_months", "takes_proof")
            self.initial.update({name: getattr(certification, name) for name in same})

    def values(self) -> dict[str, Any]:
        """Return what the verbs take, the program and the key apart."""
        given = self.cleaned_data
        return {
            "name": self.texts("name"),
            "description": self.texts("description"),
            "roles": given["roles"],
            "valid_months": given["valid_months"],
            "takes_proof": given["takes_proof"],
        }


class CourseForm(TextsForm):
    """What a course says, and how good one has to be."""

    def __init__(self, *args: Any, course: Course | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_texts("title", _("Title"), longest=courses.LONGEST_NAME, needed=True)
        self.add_texts("summary", _("What it is about"), longest=courses.LONGEST_SUMMARY, rows=_ROWS)
        self.fields["pass_mark"] = forms.IntegerField(
            label=_("Pass mark of its quizzes, percent"), min_value=1, max_value=100, initial=80
        )
        if course is not None:
            self.show_texts("title", course.title)
            self.show_texts("summary", course.summary)
            self.initial["pass_mark"] = course.pass_mark

    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        return {
            "title": self.texts("title"),
            "summary": self.texts("summary"),
            "pass_mark": self.cleaned_data["pass_mark"],
        }


class LessonForm(TextsForm):
    """A lesson of one kind: the fields are those the kind has."""

    def __init__(self, *args: Any, kind: str, lesson: Lesson | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_texts("title", _("Title"), longest=lessons.LONGEST_TITLE, needed=True)
        if kind == LessonKind.VIDEO:
            self.fields["url"] = forms.CharField(
                label=_("Address of the video"), max_length=web_addresses.LONGEST, widget=forms.URLInput()
            )
        if kind == LessonKind.FILE:
            self.fields["file"] = forms.FileField(
                label=_("File"),
                required=lesson is None,
                widget=forms.FileInput(attrs={"accept": ACCEPTED}),
                help_text=_("PDF, PNG, JPEG or WebP, up to 10 MB.")
                if lesson is None
                else _("PDF, PNG, JPEG or WebP, up to 10 MB. Empty: the file stays."),
            )
        is_text = kind == LessonKind.TEXT
        label = _("Text") if is_text else _("Text beside it")
        self.add_texts(
            "body", label, longest=lessons.LONGEST_BODY, needed=is_text, rows=8 if is_text else _ROWS
        )
        if lesson is not None:
            self.show_texts("title", lesson.title)
            self.show_texts("body", lesson.body)
            self.initial["url"] = lesson.url

    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        return {
            "title": self.texts("title"),
            "body": self.texts("body"),
            "url": self.cleaned_data.get("url", ""),
            "file": self.cleaned_data.get("file"),
        }


class QuestionForm(TextsForm):
    """One question of a quiz, with its choices and which of them are right. Rows without any text are left out."""

    def __init__(self, *args: Any, question: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_texts("question", _("Question"), longest=quiz.LONGEST_QUESTION, needed=True)
        for number in range(1, quiz.MOST_CHOICES + 1):
            label = _("Choice %(number)s") % {"number": number}
            self.add_texts(f"choice{number}", label, longest=quiz.LONGEST_CHOICE)
            self.fields[f"right{number}"] = forms.BooleanField(label=_("This one is right"), required=False)
        if question is not None:
            self.show_texts("question", question["text"])
            for number, choice in enumerate(question["choices"], start=1):
                self.show_texts(f"choice{number}", choice["text"])
                self.initial[f"right{number}"] = choice["is_right"]

    def question(self) -> dict[str, Any]:
        """Return the question as quizzes keep it."""
        numbers = range(1, quiz.MOST_CHOICES + 1)
        choices = [
            {"text": self.texts(f"choice{number}"), "is_right": self.cleaned_data[f"right{number}"]}
            for number in numbers
        ]
        return {
            "text": self.texts("question"),
            "choices": [each for each in choices if any(text.strip() for text in each["text"].values())],
        }

    def question_fields(self) -> list[forms.BoundField]:
        """Return the fields of the question itself."""
        return [self[f"question_{code}"] for code in CODES]

    def choice_rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the choices, each with its name and its fields."""
        numbers = range(1, quiz.MOST_CHOICES + 1)
        return [
            (
                _("Choice %(number)s") % {"number": number},
                [*(self[f"choice{number}_{code}"] for code in CODES), self[f"right{number}"]],
            )
            for number in numbers
        ]


class GrantForm(forms.Form):
    """Who is certified by our own knowledge, and since when."""

    use_required_attribute = False

    certification = forms.ModelChoiceField(
        label=gettext_lazy("Certification"), queryset=Certification.objects.none()
    )
    earned_on = forms.DateField(
        label=gettext_lazy("Earned on"), required=False, widget=DATE, help_text=gettext_lazy("Empty: today.")
    )


class RefuseForm(forms.Form):
    """Why a certificate is not accepted, or a credential is taken away."""

    use_required_attribute = False

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The partner reads it, in the portal and in a mail."),
        error_messages={"required": gettext_lazy("Write a reason; the partner reads it.")},
    )
