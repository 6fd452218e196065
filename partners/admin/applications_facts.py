"""What the page of an application says about it, each fact with where it comes from: stated by the applicant, confirmed by somebody, or
checked by us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as gb_vat

from partners import waiting
from partners.application_forms import asking
from partners.application_forms.definition import STANDARD_KEYS
from partners.models import Application
from prm.accounts.back_office import Fact, link_to, locale
from prm.lib import l10n
from tiers.choices import PartnershipType


@dataclass(frozen=True)
class Said:
    """One answer to a question of the program, line by line."""

    label: str
    lines: list[str]


def facts_of(application: Application) -> list[Fact]:
    """Return what is asked of everybody, and what the house knows beside it."""
    stated = _("Stated by the applicant")
    kind = application.partnership_type or application.program.partnership_type
    facts = [
        Fact(_("Name"), application.full_name, stated),
        Fact(_("E-mail"), application.email, _mailbox(application)),
        Fact(_("Phone"), application.phone or "–", stated if application.phone else ""),
        Fact(_("Type"), dict(PartnershipType.choices).get(kind, kind)),
        Fact(_("Website"), _website(application), stated if application.website else ""),
        Fact(_("Country"), application.country or "–", stated if application.country else ""),
    ]
    place = ", ".join(
        part for part in (application.street, f"{application.postcode} {application.town}".strip()) if part
    )
    if place:
        facts.append(Fact(_("Address"), place, stated))
    if application.vat_number:
        facts.append(Fact(_("VAT number"), application.vat_number, _vat_note(application.vat_number)))
    if application.audience:
        facts.append(Fact(_("Audience"), application.audience, stated))
    if application.how_promote:
        facts.append(Fact(_("How they will promote"), application.how_promote, stated))
    return [*facts, *_house(application)]


def answers_of(application: Application) -> list[Said]:
    """Return the answers to the program's own questions; files and what is asked of everybody stand elsewhere."""
    shown = asking.answers_shown(application, get_language() or "en")
    own = [each for each in shown if each.key not in STANDARD_KEYS or each.key == "channels"]
    return [
        Said(each.label, each.value.splitlines() or ["–"])
        for each in own
        if not each.is_file and each.key != "partnership_type"
    ]


def waiting_words(application: Application, *, at: datetime) -> str:
    """Return the age of an application and the day by which a decision was promised; nothing while it does not count."""
    wait = waiting.wait_of(application, at=at)
    if wait is None:
        return ""
    age = ngettext("%(days)s day", "%(days)s days", wait.days) % {"days": wait.days}
    text = _("%(age)s, late since %(date)s") if wait.is_late else _("%(age)s, by %(date)s")
    return text % {"age": age, "date": l10n.date_text(wait.promised, locale())}


def consequences_of(application: Application) -> list[str]:
    """Return what an approval does."""
    program = application.program
    said = [
        _("%(email)s can sign in to the portal.") % {"email": application.email},
        _("A first link and a code are made by themselves, and the e-mail names the next steps."),
        ngettext(
            "The tier's rate counts from now on, with a hold of %(days)s day.",
            "The tier's rate counts from now on, with a hold of %(days)s days.",
            program.hold_days,
        )
        % {"days": program.hold_days},
    ]
    if application.manager is not None:
        name = application.manager.full_name or application.manager.email
        said.append(_("%(name)s looks after the partner.") % {"name": name})
    if application.introducer is not None:
        text = _("%(partner)s is named as recruiter, so overrides of the plan pay it.")
        said.append(text % {"partner": application.introducer.partner.name})
    return said


def partner_of(application: Application) -> str:
    """Return the partner an application led to, as a link."""
    membership = getattr(application, "membership", None)
    return link_to(membership.partner) if membership is not None else ""


def _mailbox(application: Application) -> str:
    confirmed = application.email_confirmed_at
    if confirmed:
        return _("Confirmed on %(date)s") % {"date": l10n.date_text(confirmed.date(), locale())}
    return _("Not confirmed: entered by us") if application.entered_at else _("Not confirmed yet")


def _website(application: Application) -> str:
    if not application.website:
        return _("None given")
    return format_html('<a href="{0}" rel="noreferrer noopener">{0}</a>', application.website)


def _vat_note(number: str) -> str:
    """Say whether a VAT number can be one: its check digits are looked at, and no office is asked."""
    plain = "".join(number.split()).upper()
    known = gb_vat.is_valid(plain) if plain.startswith("GB") else eu_vat.is_valid(plain)
    return _("Checked: the digits fit") if known else _("Checked: the digits do not fit")


def _house(application: Application) -> list[Fact]:
    zone, found = application.program.zone, []
    for acceptance in application.acceptances.select_related("terms_version").order_by("pk"):
        params = {
            "number": acceptance.terms_version.number,
            "at": l10n.datetime_text(acceptance.accepted_at, zone, locale()),
        }
        found.append(Fact(_("Terms"), _("Version %(number)s accepted, %(at)s") % params, _("Confirmed")))
    source = application.source_link.name if application.source_link is not None else application.source
    if source:
        found.append(Fact(_("Came from"), source))
    if application.introducer is not None:
        found.append(Fact(_("Introduced by"), link_to(application.introducer.partner)))
    return found
