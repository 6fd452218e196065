"""A profile is changed by one verb: what is wrong is said by field, what did not change is not written, and both sides read the history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import profile_fields, profiles
from partners.choices import TeamRole
from partners.models import Partner
from prm.accounts.models import User
from prm.audit.models import AuditEvent
from prm.lib import vat
from prm.lib.errors import Refused
from tests.factories.partners import MemberFactory, PartnerFactory
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def partner() -> Partner:
    return PartnerFactory(
        name="Lima Reviews", legal_name="Lima Lda", legal_form="company", country="Portugal"
    )


def owner_of(partner: Partner, role: str = TeamRole.OWNER) -> User:
    user: User = MemberFactory(partner=partner, role=role).user
    return user


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


def test_an_owner_changes_what_differs_and_nothing_else_is_written(partner: Partner) -> None:
    owner = owner_of(partner)
    given = {"name": "  Lima   Reviews ", "town": "Porto", "postcode": "4000-123", "country": "Portugal"}
    changed = profiles.change(partner, given, by=owner, at=NOW)
    assert (changed.name, changed.town, changed.postcode) == ("Lima Reviews", "Porto", "4000-123")
    [event] = events(profiles.CHANGED)
    assert event.details["fields"] == ["postcode", "town"]
    assert event.details["changes"] == {"town": ["", "Porto"]}  # a postcode leads to a door
    profiles.change(partner, given, by=owner, at=NOW)
    assert len(events(profiles.CHANGED)) == 1


def test_staff_that_manages_partners_may_change_it_and_others_may_not(partner: Partner) -> None:
    profiles.change(partner, {"town": "Braga"}, by=mats(), at=NOW)
    for other in (owner_of(partner, TeamRole.MARKETING), fiona(), owner_of(PartnerFactory())):
        with pytest.raises(profiles.NotYourProfile):
            profiles.change(partner, {"town": "Faro"}, by=other, at=NOW)
    partner.refresh_from_db()
    assert partner.town == "Braga"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "  ", "needed"),
        ("name", "x" * 141, "140"),
        ("town", "Por\x00to", "nobody can see"),
        ("legal_form", "emperor", "Choose"),
        ("country", "Atlantis", "country"),
        ("postcode", "4000", "Postcodes"),
        ("vat_number", "PT501964842", "check digit"),
        ("website", "javascript:alert(1)", "whole address"),
        ("email", "lima.example", "e-mail"),
        ("phone", "call me", "digits"),
        ("language", "xx", "Choose"),
        ("languages", "English, Klingonish", "Klingonish"),
        ("specialities", ", ".join(f"word {n}" for n in range(13)), "12"),
        ("specialities", "x" * 41, "40"),
    ],
)
def test_what_cannot_be_right_is_refused_at_its_field(
    partner: Partner, field: str, value: str, says: str
) -> None:
    with pytest.raises(Refused) as refusal:
        profiles.change(partner, {"town": "Porto", field: value}, by=mats(), at=NOW)
    assert refusal.value.field == field
    assert says in str(refusal.value)
    partner.refresh_from_db()
    assert partner.town == ""


def test_everything_that_is_wrong_is_said_at_once(partner: Partner) -> None:
    _values, problems = profiles.look_at(partner, {"email": "x", "phone": "y", "town": "Porto"}, at=NOW)
    assert set(problems) == {"email", "phone"}


def test_a_new_country_asks_about_postcode_and_vat_number_that_stay(partner: Partner) -> None:
    given = {"postcode": "4000-123", "vat_number": "501964843"}
    partner = profiles.change(partner, given, by=mats(), at=NOW)
    _values, problems = profiles.look_at(partner, {"country": "France"}, at=NOW)
    assert set(problems) == {"postcode", "vat_number"}
    given = {"country": "France", "postcode": "75001", "vat_number": "FR40303265045"}
    assert profiles.change(partner, given, by=mats(), at=NOW).vat_number == "FR40303265045"


def test_languages_are_from_a_closed_list_and_named_in_any_of_three_ways() -> None:
    assert profile_fields.checked_languages("Deutsch, french; pl\nPortuguese, German") == [
        "de",
        "fr",
        "pl",
        "pt",
    ]
    assert profile_fields.checked_specialities("Garden, Toys\ngarden ,") == ["Garden", "Toys"]


def test_contact_details_are_noted_as_changed_without_their_values(partner: Partner) -> None:
    given = {"email": "hello@lima.example", "phone": "+351 21 000 0000", "website": "https://lima.example"}
    profiles.change(partner, given, by=mats(), at=NOW)
    [event] = events(profiles.CHANGED)
    assert "hello@" not in str(event.details) and "351" not in str(event.details)
    told = {change.label: change for change in profiles.history(partner)}
    assert not told["contact e-mail"].has_values
    assert (told["website"].before, told["website"].after) == ("", "https://lima.example")
    assert told["website"].who == "Mats Lindqvist"


def test_the_names_of_a_sole_trader_stay_out_of_the_record() -> None:
    alone = PartnerFactory(legal_form="sole_trader", legal_name="Ana Lima")
    profiles.change(alone, {"legal_name": "Ana Lima Prado", "town": "Porto"}, by=mats(), at=NOW)
    [event] = events(profiles.CHANGED)
    assert event.details["changes"] == {"town": ["", "Porto"]}


def test_a_new_legal_name_is_noted_for_those_who_ask_for_taxes(partner: Partner) -> None:
    profiles.change(partner, {"town": "Porto"}, by=mats(), at=NOW)
    assert profiles.identity_changed([partner.pk]) == {}
    later = NOW + timedelta(days=1)
    profiles.change(partner, {"legal_name": "Lima SA"}, by=mats(), at=later)
    assert profiles.identity_changed([partner.pk]) == {partner.pk: later}


def test_a_complete_profile_misses_nothing(partner: Partner) -> None:
    partner.email = ""
    assert profiles.missing(partner) == ["street", "town", "email"]
    partner.street, partner.town, partner.email = "Rua A", "Porto", "hello@lima.example"
    assert profiles.missing(partner) == []


@pytest.mark.parametrize(
    ("text", "country", "kind"),
    [
        ("FR40303265046", "FR", vat.WrongVatCheckDigit),
        ("FR4030326504", "FR", vat.WrongVatLength),
        ("DE13669597A", "DE", vat.BadVatNumber),
        ("1" * 21, "US", vat.WrongVatLength),
    ],
)
def test_a_wrong_vat_number_says_what_is_wrong(text: str, country: str, kind: type[Refused]) -> None:
    with pytest.raises(kind) as refusal:
        vat.checked_number(text, country)
    assert type(refusal.value) is kind
