"""Members are asked to accept new terms, reminded, and meet what was announced: days counted by hand, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import clause_questions, leaving, terms, terms_asking
from partners.choices import Consequence, MembershipState, SanctionReason
from partners.models import Membership, TermsNotice, TermsVersion
from partners.team import NotYours
from payouts import pauses, terms_pauses
from payouts.models import Pause
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory, MemberFactory, MembershipFactory
from tests.factories.tiers import ProgramFactory
from tests.people import ada, ana, fiona, mats
from tiers.models import Program

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
TEXTS = {
    "summary": "We pay a share.",
    "pricing": "8 %",
    "what_counts": "Orders",
    "how_measured": "Last click",
    "support": "By mail",
}
DAY = timedelta(days=1)


def house(consequence: str = Consequence.PAYMENTS_WAIT) -> tuple[Program, Membership, TermsVersion]:
    """Return a program whose only member, Ana's, accepted version 1, and version 2 which is in force on 1 December."""
    program = ProgramFactory(time_zone="UTC")
    membership = MembershipFactory(program=program, joined_at=NOW - 100 * DAY, partner__language="en")
    MemberFactory(partner=membership.partner, user=ana())
    first = publish(program, at=NOW - 90 * DAY, effective_at=NOW - 90 * DAY)
    terms.accept(first, name="Ana", email="ana@studio.example", at=NOW - 80 * DAY, membership=membership)
    second = publish(program, at=NOW, effective_at=NOW + 30 * DAY, pricing="9 %", consequence=consequence)
    return program, membership, second


def publish(program: Program, *, at: datetime, effective_at: datetime, **values: object) -> TermsVersion:
    draft = terms.draft(program, sections={**TEXTS, **values}, by=ada(), at=at)
    return terms.publish(draft, effective_at=effective_at, by=ada(), at=at)


def agree(version: TermsVersion, membership: Membership, at: datetime) -> None:
    terms_asking.agree(
        version, membership=membership, shown=version.sha256, by=ana(), at=at, address="192.0.2.1"
    )


def test_owners_are_told_once_what_changes_by_when_and_what_happens_otherwise() -> None:
    _program, membership, version = house()
    assert terms_asking.tell(version.pk, at=NOW) == 1
    assert terms_asking.tell(version.pk, at=NOW) == 0
    mail = OutgoingMail.objects.get(kind="terms_to_accept")
    assert mail.to == "ana@studio.example"
    # In force on 1 December; thirty days to accept end on 31 December.
    assert "from 1 December 2026" in mail.text and "by 31 December 2026" in mail.text
    assert "- Pricing and commission" in mail.text and "Support offered" not in mail.text
    assert "We pay a share." in mail.text and "payments wait until somebody does" in mail.text
    notice = TermsNotice.objects.get()
    assert (notice.membership, notice.terms_version, notice.told_at) == (membership, version, NOW)


def test_a_bell_that_was_missed_is_found_by_the_sweep() -> None:
    _program, _membership, version = house()
    assert terms_asking.sweep(at=NOW + timedelta(minutes=5)) == 1
    assert terms_asking.sweep(at=NOW + timedelta(minutes=6)) == 0
    version.refresh_from_db()
    assert version.notice_sent_at == NOW + timedelta(minutes=5)


def test_a_version_that_asks_nobody_asks_nobody() -> None:
    program, membership, version = house()
    agree(version, membership, NOW)
    small = publish(program, at=NOW, effective_at=NOW + 30 * DAY, asks_members=False, support="By  mail")
    assert terms_asking.tell(small.pk, at=NOW) == 0
    assert terms.needs_acceptance(membership, NOW + 40 * DAY) is None


def test_the_first_version_asks_whoever_was_entered_before_it_even_when_told_not_to() -> None:
    membership = MembershipFactory(joined_at=NOW - DAY)
    version = publish(membership.program, at=NOW, effective_at=NOW, asks_members=False)
    assert version.asks_members
    assert terms.needs_acceptance(membership, NOW) == version


def test_a_newer_acceptance_counts_for_what_came_before_and_applicants_keep_theirs() -> None:
    program, membership, second = house()
    third = publish(program, at=NOW, effective_at=NOW + 40 * DAY, support="Never")
    assert terms.needs_acceptance(membership, NOW) == third
    agree(third, membership, NOW)
    assert terms.needs_acceptance(membership, NOW + 50 * DAY) is None
    application = ApplicationFactory(program=program)
    accepted = terms.accept(second, name="Ben", email="b@x.example", at=NOW, application=application)
    joined = MembershipFactory(program=program, application=application, joined_at=NOW)
    accepted.membership = joined
    accepted.save(update_fields=["membership"])
    assert terms.needs_acceptance(joined, NOW) == third


def test_the_days_run_from_the_latest_of_in_force_joined_and_told() -> None:
    program, membership, version = house()
    assert terms.deadline(version, membership) == NOW + 60 * DAY  # 30 until it is in force, 30 to accept
    late = MembershipFactory(program=program, joined_at=NOW + 45 * DAY)
    assert terms.deadline(version, late) == NOW + 75 * DAY
    imported = MembershipFactory(program=program, joined_at=NOW - 300 * DAY)
    TermsNotice.objects.create(terms_version=version, membership=imported, told_at=NOW + 50 * DAY)
    assert terms.deadline(version, imported) == NOW + 80 * DAY


def test_an_open_question_stops_the_clock_and_keeps_from_accepting() -> None:
    _program, membership, version = house()
    ask = {"version": version, "section": "pricing", "by": ana()}
    asked = clause_questions.ask(membership, text="Why 9 %?", at=NOW + 40 * DAY, **ask)  # type: ignore[arg-type]
    assert terms.deadline(version, membership) is None
    with pytest.raises(terms.QuestionOpen):
        agree(version, membership, NOW + 41 * DAY)
    clause_questions.answer(asked, text="Because.", by=mats(), at=NOW + 45 * DAY)
    # It was open for five days; one that overlaps with it for two of its three adds one.
    assert terms.deadline(version, membership) == NOW + 65 * DAY
    second = clause_questions.ask(membership, text="Really?", at=NOW + 44 * DAY, **ask)  # type: ignore[arg-type]
    clause_questions.withdraw(second, by=ana(), at=NOW + 46 * DAY)
    assert terms.deadline(version, membership) == NOW + 66 * DAY
    # What is asked before the days begin does not add any.
    early = clause_questions.ask(membership, text="When?", at=NOW, **ask)  # type: ignore[arg-type]
    clause_questions.answer(early, text="Then.", by=mats(), at=NOW + 20 * DAY)
    assert terms.deadline(version, membership) == NOW + 66 * DAY
    agree(version, membership, NOW + 50 * DAY)


def test_a_reminder_seven_days_before_and_payments_wait_after_the_deadline_until_accepted() -> None:
    _program, membership, version = house()
    terms_asking.tell(version.pk, at=NOW)
    assert terms_asking.keep(at=NOW + 52 * DAY) == {"told": 0, "reminded": 0, "overdue": 0}
    assert terms_asking.keep(at=NOW + 53 * DAY) == {"told": 0, "reminded": 1, "overdue": 0}
    assert terms_asking.keep(at=NOW + 54 * DAY)["reminded"] == 0
    assert "until 31 December 2026" in OutgoingMail.objects.get(kind="terms_reminder").subject
    assert terms_asking.keep(at=NOW + 60 * DAY)["overdue"] == 1
    assert terms_asking.keep(at=NOW + 61 * DAY)["overdue"] == 0
    overdue = AuditEvent.objects.get(action="terms.overdue")
    assert overdue.actor is None
    assert terms_pauses.carry_out(at=NOW + 60 * DAY) == 1
    assert terms_pauses.carry_out(at=NOW + 61 * DAY) == 0
    pause = Pause.objects.get()
    assert (pause.membership, pause.cause, pause.paused_by, pause.ended_at) == (
        membership,
        "terms",
        None,
        None,
    )
    membership.refresh_from_db()
    assert membership.state == MembershipState.ACTIVE
    agree(version, membership, NOW + 62 * DAY)
    assert terms_pauses.carry_out(at=NOW + 62 * DAY, membership_id=membership.pk) == 1
    pause.refresh_from_db()
    assert (pause.ended_at, pause.ended_by) == (NOW + 62 * DAY, None)


def test_a_pause_ended_by_a_person_does_not_come_back_and_nobody_makes_one_by_hand() -> None:
    _program, membership, version = house()
    terms_asking.tell(version.pk, at=NOW)
    terms_asking.keep(at=NOW + 60 * DAY)
    terms_pauses.carry_out(at=NOW + 60 * DAY)
    pauses.resume(Pause.objects.get(), outcome="Signed on paper.", by=fiona(), at=NOW + 61 * DAY)
    assert terms_pauses.carry_out(at=NOW + 62 * DAY) == 0
    day = (NOW + 80 * DAY).date()
    with pytest.raises(pauses.UnknownCause):
        pauses.pause_payments(membership, cause="terms", reason="x", review_on=day, by=fiona(), at=NOW)


def test_a_suspension_that_was_announced_begins_by_the_product_and_ends_with_the_acceptance() -> None:
    _program, membership, version = house(Consequence.SUSPENDED)
    terms_asking.tell(version.pk, at=NOW)
    terms_asking.keep(at=NOW + 60 * DAY)
    membership.refresh_from_db()
    assert membership.state == MembershipState.SUSPENDED
    suspension = membership.suspensions.get()
    assert (suspension.reason, suspension.suspended_by) == (SanctionReason.TERMS_NOT_ACCEPTED, None)
    assert terms_pauses.carry_out(at=NOW + 60 * DAY) == 0
    agree(version, membership, NOW + 61 * DAY)
    membership.refresh_from_db()
    suspension.refresh_from_db()
    assert membership.state == MembershipState.ACTIVE
    assert (suspension.lifted_at, suspension.lifted_by) == (NOW + 61 * DAY, None)


def test_a_suspension_for_another_reason_stays_when_terms_are_accepted() -> None:
    _program, membership, version = house(Consequence.SUSPENDED)
    leaving.suspend(membership, reason=SanctionReason.FRAUD, note="We look into it.", by=mats(), at=NOW)
    agree(version, membership, NOW + DAY)
    membership.refresh_from_db()
    assert membership.state == MembershipState.SUSPENDED


def test_nobody_meets_a_consequence_unannounced() -> None:
    _program, _membership, _version = house()
    assert terms_asking.keep(at=NOW + 100 * DAY) == {"told": 0, "reminded": 0, "overdue": 0}


def test_who_joins_later_without_accepting_is_told_by_the_hourly_work() -> None:
    program, membership, version = house()
    terms_asking.tell(version.pk, at=NOW)
    agree(version, membership, NOW)
    MembershipFactory(program=program, joined_at=NOW - 500 * DAY, partner__email="old@x.example")
    assert terms_asking.keep(at=NOW + 31 * DAY) == {"told": 1, "reminded": 0, "overdue": 0}
    mail = OutgoingMail.objects.filter(kind="terms_to_accept").latest("pk")
    # Told on 2 December, so the thirty days end on 1 January, whenever it joined.
    assert mail.to == "old@x.example" and "1 January 2027" in mail.text
    assert "say something else" not in mail.text


def test_only_an_owner_accepts_what_was_shown_once() -> None:
    program, membership, version = house()
    finance = MemberFactory(partner=membership.partner, role="finance").user
    given = {"membership": membership, "at": NOW}
    with pytest.raises(NotYours):
        terms.agree(version, shown=version.sha256, by=finance, **given)
    with pytest.raises(terms.NotOffered):
        terms.agree(version, shown="0" * 64, by=ana(), **given)
    old = program.terms_versions.get(number=1)
    with pytest.raises(terms.NotOffered):
        terms.agree(old, shown=old.sha256, by=ana(), **given)
    first = terms.agree(version, shown=version.sha256, by=ana(), address="192.0.2.9", **given)
    again = terms.agree(version, shown=version.sha256, by=ana(), membership=membership, at=NOW + DAY)
    assert again == first
    assert (first.person, first.address, first.text_sha256) == (ana(), "192.0.2.9", version.sha256)


def test_members_hear_of_a_change_as_many_days_before_as_it_promises() -> None:
    program, _membership, _version = house()
    draft = terms.draft(program, sections={**TEXTS, "notice_days": 45}, by=ada(), at=NOW)
    with pytest.raises(terms.TooSoon) as refusal:
        terms.publish(draft, effective_at=NOW + 44 * DAY, by=ada(), at=NOW)
    assert "16 December 2026" in str(refusal.value)  # 1 November and 45 days
    with pytest.raises(terms.OutOfOrder):
        terms.publish(draft, effective_at=NOW + 29 * DAY, by=ada(), at=NOW)
    assert terms.publish(draft, effective_at=NOW + 45 * DAY, by=ada(), at=NOW).number == 3


def test_the_next_draft_begins_with_what_is_published_and_is_edited_until_it_is_published() -> None:
    program, _membership, version = house()
    draft = terms.draft_from_current(program, by=ada(), at=NOW)
    assert terms.draft_from_current(program, by=ada(), at=NOW) == draft
    assert (draft.pricing, draft.number, draft.sha256) == ("9 %", 3, "")
    terms.edit(draft, values={"pricing": "10 %", "unknown": "x"}, by=ada(), at=NOW)
    draft.refresh_from_db()
    assert draft.pricing == "10 %"
    assert [each.key for each in terms.compare(version, draft).changed] == ["pricing"]
    with pytest.raises(terms.AlreadyPublished):
        terms.edit(version, values={"pricing": "1 %"}, by=ada(), at=NOW)
