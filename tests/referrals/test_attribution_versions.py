"""How a program gives credit, in versions: drafts, what publishing refuses, what a look finds, what is said in words and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from partners.models import Membership
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from referrals import attribution_lint, attribution_notices, attribution_versions
from referrals.attribution.settings import Qualifies, Settings, dump, read, standard
from referrals.attribution_sentences import paragraph, sentences
from referrals.attribution_versions import discard, draft, edit, in_force, publish, settings_at
from referrals.models import AttributionVersion
from tests.factories.referrals import NOW, ConversionFactory, CreditFactory, new_membership
from tests.factories.tracking import TrackingSettingsFactory
from tests.people import ada, mats
from tiers.models import Program

A_DAY = timedelta(days=1)
LINEAR = replace(standard(30), model="linear")


def a_program() -> Program:
    return new_membership().program


def published(program: Program, settings: Settings, *, at: datetime = NOW, **when: Any) -> AttributionVersion:
    row = draft(program, by=ada(), at=at)
    edit(row, settings, by=ada(), at=at)
    return publish(row, effective_at=when.get("effective_at", at), by=ada(), at=at)


def codes(settings: Settings, program: Program) -> list[str]:
    return [each.code for each in attribution_lint.findings_of(settings, program)]


@pytest.mark.django_db
def test_a_draft_begins_with_what_holds_and_there_is_one() -> None:
    program = a_program()
    row = draft(program, by=ada(), at=NOW)
    assert row.definition == dump(standard(30)) and row.number == 1
    assert draft(program, by=ada(), at=NOW) == row
    with pytest.raises(Forbidden):
        draft(program, by=mats(), at=NOW)


@pytest.mark.django_db
def test_events_are_judged_by_the_version_of_their_time() -> None:
    program = a_program()
    first = published(program, LINEAR)
    second = published(program, replace(LINEAR, assists=True), effective_at=NOW + 10 * A_DAY)
    first.refresh_from_db()
    assert (first.state, second.state) == ("superseded", "published")
    assert settings_at(program, at=NOW - A_DAY) == standard(30)
    assert in_force(program, at=NOW) == first
    assert settings_at(program, at=NOW + 10 * A_DAY).assists
    assert attribution_versions.coming(program, at=NOW) == [second]
    assert AuditEvent.objects.filter(action="attribution_version.published").count() == 2


@pytest.mark.django_db
def test_publishing_refuses_what_would_rewrite_the_past() -> None:
    membership = new_membership()
    program = membership.program
    conversion = ConversionFactory.create(occurred_at=NOW - 5 * A_DAY)
    CreditFactory.create(membership=membership, conversion=conversion)
    row = draft(program, by=ada(), at=NOW)
    with pytest.raises(attribution_versions.NothingChanged):
        publish(row, effective_at=NOW, by=ada(), at=NOW)
    edit(row, LINEAR, by=ada(), at=NOW)
    with pytest.raises(attribution_versions.CreditGivenSince):
        publish(row, effective_at=NOW - 6 * A_DAY, by=ada(), at=NOW)
    publish(row, effective_at=NOW - 4 * A_DAY, by=ada(), at=NOW)
    with pytest.raises(attribution_versions.NotADraft):
        edit(row, standard(30), by=ada(), at=NOW)
    new = edit(draft(program, by=ada(), at=NOW), standard(7), by=ada(), at=NOW)
    with pytest.raises(attribution_versions.InThePast):
        publish(new, effective_at=NOW - A_DAY, by=ada(), at=NOW)
    publish(new, effective_at=NOW + A_DAY, by=ada(), at=NOW)
    last = edit(draft(program, by=ada(), at=NOW), LINEAR, by=ada(), at=NOW)
    with pytest.raises(attribution_versions.BeforeTheLast):
        publish(last, effective_at=NOW + A_DAY, by=ada(), at=NOW)
    discard(last, by=ada(), at=NOW)
    assert AttributionVersion.objects.count() == 2


@pytest.mark.django_db
def test_what_cannot_be_read_back_is_not_stored() -> None:
    row = draft(a_program(), by=ada(), at=NOW)
    for broken in ({}, {**row.definition, "model": "magic"}, {**row.definition, "precedence": [[]]}):
        with pytest.raises(attribution_versions.Unreadable):
            edit(row, broken, by=ada(), at=NOW)
    row.refresh_from_db()
    assert read(row.definition) == standard(30)


@pytest.mark.django_db
def test_a_look_finds_what_is_wrong_and_what_may_not_be_meant() -> None:
    program = a_program()
    assert codes(standard(30), program) == []
    with_views = replace(standard(30), precedence=(("code",), ("click", "view")))
    assert codes(with_views, program) == ["views_off"]
    TrackingSettingsFactory.create(program=program, counts_views=True)
    assert codes(with_views, program) == []
    # The longest window in use is that of clicks: 30 days.
    decay = replace(standard(30), model="time_decay", half_life_hours=30 * 24)
    assert codes(decay, program) == []
    assert codes(replace(decay, half_life_hours=30 * 24 + 1), program) == ["long_half_life"]
    assert codes(replace(standard(30), window_hours={}), program) == ["no_window"]
    only_refunds = replace(standard(30), qualifies=Qualifies(kinds=("refund", "chargeback_won")))
    assert codes(only_refunds, program) == ["nothing_qualifies"]
    assert codes(replace(standard(30), recurring_months=0), program) == ["bad_months"]
    assert codes(replace(standard(30), precedence=(("customer",), ("code",), ("click",))), program) == [
        "owner_first"
    ]
    row = edit(draft(program, by=ada(), at=NOW), only_refunds, by=ada(), at=NOW)
    with pytest.raises(attribution_versions.Unfit) as refusal:
        publish(row, effective_at=NOW, by=ada(), at=NOW)
    assert refusal.value.field == "kinds"


def test_what_holds_without_a_version_is_said_in_words() -> None:
    assert paragraph(standard(30), currency="GBP", locale="en_GB") == (
        "Credit goes first to the partner who registered the deal. Without one, it goes to the partner whose code was"
        " used. Without one, it goes to the partner whose link was clicked. Otherwise nobody is credited. Of several"
        " contacts of that kind, the latest takes all of the credit. A click counts for 30 days. A registered deal counts"
        " up to the day it is protected until. Orders of new and of existing customers count alike."
    )


def test_every_setting_has_its_words() -> None:
    settings = Settings(
        model="time_decay",
        precedence=(("code", "lead"), ("customer",)),
        window_hours={"lead": 36},
        half_life_hours=48,
        recurring_months=None,
        assists=True,
        qualifies=Qualifies(
            kinds=("sale", "renewal"),
            least_minor=20_00,
            countries=("FR", "GB"),
            products=("Chair",),
            categories=("Garden",),
            attributes=(("channel", "web"),),
            customers="new",
        ),
    )
    assert sentences(settings, currency="GBP", locale="en_GB") == [
        "Credit goes first to the partner whose code was used or the partner who brought the lead.",
        "Without one, it goes to the partner who brought the customer.",
        "Otherwise nobody is credited.",
        # Weights 1 and 1/2: two thirds and one third.
        "Of several contacts of that kind, later ones get more: one that is 2 days older weighs half. Of two that lie"
        " 2 days apart, the later gets 66.7% and the earlier 33.3%.",
        "Partners whose contact counted without a share are credited as having helped.",
        "A lead counts for 36 hours.",
        "Who brought a customer earns by its later purchases without an end.",
        "A customer who has bought before counts only for the partner who brought it.",
        "Only orders and renewals count.",
        "An order counts from £20.",
        "Only customers in France or the United Kingdom count.",
        "Only orders with these products count: Chair.",
        "Only orders with products of these categories count: Garden.",
        "Only orders with “web” as “channel” count.",
    ]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("first_touch", "the earliest takes all"),
        ("linear", "three get 33.3% each"),
        ("position", "first and the last get 40% each and those between share 20%; two get 50% each"),
        ("participation", "is credited as having helped"),
    ],
)
def test_each_model_is_said_with_its_percentages(model: Any, said: str) -> None:
    assert said in paragraph(replace(standard(30), model=model), currency="GBP", locale="en_GB")


def of(membership: Membership) -> Any:
    return OutgoingMail.objects.filter(kind="attribution_changed", to=membership.partner.email)


@pytest.mark.django_db
def test_members_are_told_once_in_their_language_what_changes_and_from_when() -> None:
    membership = new_membership()
    partner = membership.partner
    partner.email, partner.language = "a@partner.example", "en"
    partner.save()
    version = published(membership.program, LINEAR, effective_at=datetime.fromisoformat("2026-12-01T00:00Z"))
    attribution_notices.tell(version.pk, at=NOW)
    assert attribution_notices.sweep(at=NOW) == 0
    mail = of(membership).get()
    said = mail.text
    assert "1 December 2026" in said and "share the credit equally" in said
    assert "the latest takes all" in said and "A click counts" not in said
    with translation.override("fr"):
        assert attribution_notices.tell(version.pk, at=NOW) == 0
