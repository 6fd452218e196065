"""Make the form field that asks one question, in the applicant's language. Each field says how to put right what was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from partners.application_forms.channels import WebAddressField, channel_parts, reference_parts
from partners.application_forms.definition import (
    LARGEST_NUMBER,
    LONGEST_LONG_TEXT,
    LONGEST_TEXT,
    MOST_CHANNELS,
    MOST_FILES,
    MOST_REFERENCES,
    Question,
    words_in,
)
from partners.application_forms.fields import FilesField, NumberField, SeveralField
from partners.application_forms.rows import CHANNEL, REFERENCE, RowsField
from partners.application_forms.validators import one_line, phone_number, printable
from partners.application_forms.wording import help_of, label_of
from prm.lib import country_names

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Say

MOST_RADIOS = 5
_REFERENCES_UNLESS_TOLD = 2


def field_for(question: Question, *, language: str) -> forms.Field:
    """Return the field of one question."""
    label = words_in(label_of(question), language)
    help_text = words_in(help_of(question), language)
    settings = {"label": label, "required": question.required, "help_text": help_text}
    maker = _OURS[question.key] if question.is_standard else _BY_KIND[question.kind]
    return maker(question, language, settings)


def _line(
    longest: int, missing: Say, *, autocomplete: str = "", **attrs: str
) -> Callable[[Question, str, dict[str, Any]], forms.Field]:
    def make(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
        given = {"autocomplete": autocomplete, **attrs} if autocomplete else attrs
        return forms.CharField(
            max_length=longest,
            validators=[printable, one_line],
            error_messages={"required": missing},
            widget=forms.TextInput(attrs=given),
            **settings,
        )

    return make


def _email(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    return forms.EmailField(
        max_length=254,
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address like name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        **settings,
    )


def _phone(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    return forms.CharField(
        max_length=40,
        validators=[printable, phone_number],
        error_messages={"required": _("Enter a phone number.")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        **settings,
    )


def _countries(missing: Say, *, autocomplete: str) -> Callable[[Question, str, dict[str, Any]], forms.Field]:
    def make(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
        return forms.ChoiceField(
            choices=[("", _("Choose a country")), *country_names.choices(language)],
            error_messages={"required": missing, "invalid_choice": missing},
            widget=forms.Select(attrs={"autocomplete": autocomplete}),
            **settings,
        )

    return make


def _website(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    said = _("Enter a web address like www.example.com.")
    return WebAddressField(error_messages={"required": said, "invalid": said}, **settings)


def _how_promote(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    return _paragraphs(question, settings, missing=_("Say how you will promote us."))


def _channels(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    most = min(question.most or MOST_CHANNELS, MOST_CHANNELS)
    return _rows(question, settings, parts=channel_parts(), row_name=CHANNEL, most=most)


def _references(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    most = min(question.most or _REFERENCES_UNLESS_TOLD, MOST_REFERENCES)
    return _rows(question, settings, parts=reference_parts(), row_name=REFERENCE, most=most)


def _rows(
    question: Question, settings: dict[str, Any], *, parts: dict[str, forms.Field], row_name: Say, most: int
) -> forms.Field:
    least = max(question.least or 0, int(question.required))
    given = {name: value for name, value in settings.items() if name != "required"}
    return RowsField(parts=parts, row_name=row_name, least=min(least, most), most=most, **given)


def _text(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    return forms.CharField(
        max_length=min(question.most or LONGEST_TEXT, LONGEST_LONG_TEXT),
        min_length=question.least,
        validators=[printable, one_line],
        error_messages=_too_short(question, _answer(settings)),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        **settings,
    )


def _long_text(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    return _paragraphs(question, settings, missing=_answer(settings))


def _paragraphs(question: Question, settings: dict[str, Any], *, missing: Say) -> forms.Field:
    return forms.CharField(
        max_length=min(question.most or LONGEST_LONG_TEXT, LONGEST_LONG_TEXT),
        min_length=question.least,
        validators=[printable],
        error_messages=_too_short(question, missing),
        widget=forms.Textarea(attrs={"rows": 5}),
        **settings,
    )


def _number(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    least = 0 if question.least is None and (question.most is None or question.most >= 0) else question.least
    return NumberField(
        least=least,
        most=LARGEST_NUMBER if question.most is None else question.most,
        error_messages={"required": _answer(settings)},
        **settings,
    )


def _choice(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    choices = [(each.value, words_in(each.label, language)) for each in question.choices]
    said = format_lazy(_("Choose an answer to “{question}”."), question=settings["label"])
    errors = {"required": said, "invalid_choice": said}
    if len(choices) <= MOST_RADIOS:
        return forms.ChoiceField(choices=choices, error_messages=errors, widget=forms.RadioSelect, **settings)
    return forms.ChoiceField(choices=[("", _("Choose")), *choices], error_messages=errors, **settings)


def _multiple(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    said = format_lazy(_("Choose one or more answers to “{question}”."), question=settings["label"])
    return SeveralField(
        least=question.least,
        most=question.most,
        choices=[(each.value, words_in(each.label, language)) for each in question.choices],
        error_messages={"required": said, "invalid_choice": said, "invalid_list": said},
        widget=forms.CheckboxSelectMultiple,
        **settings,
    )


def _date(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    said = format_lazy(
        _("Enter a date for “{question}” as year-month-day, such as 2026-12-01."), question=settings["label"]
    )
    return forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={"required": said, "invalid": said},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        **settings,
    )


def _own_country(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    said = format_lazy(_("Choose a country for “{question}”."), question=settings["label"])
    return _countries(said, autocomplete="off")(question, language, settings)


def _url(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    said = format_lazy(
        _("Enter a web address for “{question}”, like www.example.com."), question=settings["label"]
    )
    return WebAddressField(error_messages={"required": said, "invalid": said}, **settings)


def _file(question: Question, language: str, settings: dict[str, Any]) -> forms.Field:
    said = format_lazy(_("Choose a file for “{question}”."), question=settings["label"])
    most = min(question.most or MOST_FILES, MOST_FILES)
    accepted = ngettext_lazy(
        "PDF, PNG, JPEG or WebP, up to 10 MB.",
        "Up to %(most)d files: PDF, PNG, JPEG or WebP, up to 10 MB each.",
        most,
    ) % {"most": most}
    hint = settings["help_text"]
    return FilesField(
        most=most,
        error_messages={"required": said, "invalid": said},
        **{**settings, "help_text": format_lazy("{} {}", hint, accepted) if hint else accepted},
    )


def _answer(settings: dict[str, Any]) -> Say:
    return format_lazy(_("Write an answer to “{question}”."), question=settings["label"])


def _too_short(question: Question, missing: Say) -> dict[str, Any]:
    if question.least is None:
        return {"required": missing}
    return {
        "required": missing,
        "min_length": _("Say a little more: at least %(limit_value)d letters."),
    }


_Maker = Callable[[Question, str, dict[str, Any]], forms.Field]
_OURS: dict[str, _Maker] = {
    "full_name": _line(120, _("Enter your name."), autocomplete="name"),
    "email": _email,
    "phone": _phone,
    "company": _line(
        140,
        _("Enter the name of your company, or the name you publish under."),
        autocomplete="organization",
    ),
    "country": _countries(_("Choose the country you work from."), autocomplete="country"),
    "street": _line(90, _("Enter the street and number."), autocomplete="street-address"),
    "postcode": _line(16, _("Enter the postcode."), autocomplete="postal-code"),
    "town": _line(35, _("Enter the town."), autocomplete="address-level2"),
    "vat_number": _line(20, _("Enter the VAT number."), autocomplete="off", spellcheck="false"),
    "website": _website,
    "channels": _channels,
    "audience": _line(300, _("Say who reads, watches or buys from you.")),
    "how_promote": _how_promote,
    "references": _references,
}
_BY_KIND: dict[str, _Maker] = {
    "text": _text,
    "long_text": _long_text,
    "number": _number,
    "choice": _choice,
    "multiple": _multiple,
    "date": _date,
    "country": _own_country,
    "url": _url,
    "file": _file,
}
