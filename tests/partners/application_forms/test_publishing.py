"""Which form a program uses: the standard one until somebody publishes another, one draft at a time, and nothing published changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from partners.application_forms import differences, editing, publishing
from partners.application_forms.definition import AUDIENCE, BadDefinition, Choice, Definition, Question, read
from partners.application_forms.standard import standard_for
from partners.choices import FormState
from partners.models import FormVersion
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory
from tests.people import ada, mats
from tiers.models import Program

pytestmark = pytest.mark.django_db
LATER = EPOCH + timedelta(days=1)
ASKS_MORE = Question(
    key="volume",
    kind="choice",
    step=AUDIENCE,
    label={"en": "How many orders?"},
    choices=(Choice("few", {"en": "Few"}), Choice("many", {"en": "Many"}, "gold")),
)


@pytest.fixture
def program() -> Program:
    return ProgramFactory()


def more(program: Program) -> Definition:
    return editing.added(standard_for(program), ASKS_MORE)


def draft(program: Program) -> FormVersion:
    return publishing.draft(program, definition=more(program), by=ada(), at=EPOCH)


def test_a_program_that_published_nothing_uses_the_standard_form_made_once(program: Program) -> None:
    first = publishing.in_use(program, at=EPOCH)
    again = publishing.in_use(program, at=LATER)

    assert first == again
    assert (first.number, first.is_standard, first.published_at, first.published_by) == (1, True, EPOCH, None)
    assert read(first.definition) == standard_for(program)
    assert first.sha256 == standard_for(program).sha256


def test_a_standard_form_made_beside_a_draft_takes_the_next_number(program: Program) -> None:
    version = draft(program)

    assert (version.number, publishing.in_use(program, at=LATER).number) == (1, 2)


def test_publishing_puts_the_draft_into_use_and_the_old_one_back(program: Program) -> None:
    TierFactory(program=program, key="gold")
    old = publishing.in_use(program, at=EPOCH)
    version = publishing.publish(draft(program), by=ada(), at=LATER)

    old.refresh_from_db()
    assert old.state == FormState.SUPERSEDED
    assert publishing.in_use(program, at=LATER) == version
    assert (version.published_at, version.sha256) == (LATER, more(program).sha256)
    done = AuditEvent.objects.filter(object_public_id=version.public_id).order_by("pk")
    assert list(done.values_list("action", flat=True)) == ["form.drafted", "form.published"]


def test_there_is_one_draft_at_a_time(program: Program) -> None:
    draft(program)

    with pytest.raises(publishing.DraftExists):
        draft(program)
    assert FormVersion.objects.count() == 1


def test_what_asks_the_same_is_not_published(program: Program) -> None:
    publishing.in_use(program, at=EPOCH)
    version = publishing.draft(program, definition=standard_for(program), by=ada(), at=EPOCH)

    with pytest.raises(publishing.NothingChanged):
        publishing.publish(version, by=ada(), at=LATER)
    version.refresh_from_db()
    assert version.state == FormState.DRAFT


def test_a_choice_that_proposes_an_unknown_tier_is_not_published(program: Program) -> None:
    old = publishing.in_use(program, at=EPOCH)

    with pytest.raises(publishing.UnknownTier, match="no tier “gold”"):
        publishing.publish(draft(program), by=ada(), at=LATER)
    assert publishing.in_use(program, at=LATER) == old


def test_a_published_version_is_neither_edited_nor_thrown_away(program: Program) -> None:
    version = publishing.in_use(program, at=EPOCH)
    calls = [
        lambda: publishing.edit(version, lambda now: now, by=ada(), at=LATER),
        lambda: publishing.discard(version, by=ada(), at=LATER),
        lambda: publishing.publish(version, by=ada(), at=LATER),
    ]
    for call in calls:
        with pytest.raises(publishing.NoDraft):
            call()


def test_a_draft_thrown_away_leaves_the_form_in_use(program: Program) -> None:
    old = publishing.in_use(program, at=EPOCH)
    version = draft(program)

    publishing.discard(version, by=ada(), at=LATER)

    assert list(FormVersion.objects.filter(program=program)) == [old]
    with pytest.raises(publishing.NoDraft):
        publishing.discard(version, by=ada(), at=LATER)


def test_only_administrators_write_forms(program: Program) -> None:
    version = draft(program)
    calls = [
        lambda: publishing.draft(program, definition=more(program), by=mats(), at=LATER),
        lambda: publishing.edit(version, lambda now: now, by=mats(), at=LATER),
        lambda: publishing.discard(version, by=mats(), at=LATER),
        lambda: publishing.publish(version, by=mats(), at=LATER),
    ]
    for call in calls:
        with pytest.raises(Forbidden):
            call()


def test_what_cannot_be_asked_is_not_stored(program: Program) -> None:
    version = draft(program)

    with pytest.raises(BadDefinition):
        publishing.edit(version, lambda now: replace(now, partnership_types=()), by=ada(), at=LATER)
    version.refresh_from_db()
    assert read(version.definition) == more(program)


def test_questions_change_places_on_their_own_step(program: Program) -> None:
    form = standard_for(
        program
    )  # you: name, mail, phone, company, country; audience: website, audience, how_promote

    keys = [each.key for each in editing.moved(form, "audience", up=True).questions]
    assert keys[5:] == ["audience", "website", "how_promote"]
    assert editing.moved(form, "website", up=True) == form
    assert editing.moved(form, "how_promote", up=False) == form
    with pytest.raises(editing.NoSuchQuestion):
        editing.moved(form, "volume", up=True)


def test_name_mail_and_phone_are_never_removed(program: Program) -> None:
    with pytest.raises(editing.AlwaysAsked):
        editing.removed(standard_for(program), "phone")


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("How many clients?", "how_many_clients"),
        ("Où vendez-vous ?", "ou_vendez_vous"),
        ("Łódź", "lodz"),
        ("3 things", "question_3_things"),
        ("…", "question"),
        ("Company", "company_2"),
        ("a" * 60, "a" * 40),
    ],
)
def test_a_key_is_made_of_the_question(program: Program, label: str, key: str) -> None:
    assert editing.key_from(label, taken=standard_for(program)) == key


def test_choices_are_read_from_lines_and_written_back_the_same() -> None:
    text = "few | Up to 10 | Jusqu’à 10 | Do 10\nmany | More |  |  | gold\nNone"
    choices = editing.choices_in(text, tiers=frozenset({"gold"}))

    assert choices == (
        Choice("few", {"en": "Up to 10", "fr": "Jusqu’à 10", "pl": "Do 10"}),
        Choice("many", {"en": "More"}, "gold"),
        Choice("None", {"en": "None"}),
    )
    assert editing.choices_in(editing.choices_text(choices), tiers=frozenset({"gold"})) == choices


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n| b", "Line 2: begin with the value"),
        ("a\n\na | again", "Line 3: “a” is there already."),
        ("a | A | B | C | silver", "Line 1: the program has no tier “silver”; it has: gold."),
        ("a | A | B | C | gold | more", "Line 1: write value, English, French, Polish and tier"),
    ],
)
def test_a_bad_line_of_choices_is_named(text: str, said: str) -> None:
    with pytest.raises(editing.BadChoices) as refusal:
        editing.choices_in(text, tiers=frozenset({"gold"}))
    assert str(refusal.value).startswith(said)


def test_what_two_forms_ask_differently_is_named(program: Program) -> None:
    before = standard_for(program)
    website = before.question("website")
    assert website is not None
    after = editing.replaced(more(program), replace(website, required=True, help={"en": "Yours"}))
    after = replace(editing.removed(after, "audience"), call_to_action={"en": "Join us"})

    found = [
        (each.kind, each.name, each.parts) for each in differences.differences(before, after, language="en")
    ]

    assert found == [
        ("added", "How many orders?", ""),
        ("changed", "Website", "the help and whether it has to be answered"),
        ("removed", "Audience", ""),
        ("changed", "Call to action", ""),
    ]


def test_missing_translations_and_questions_for_nobody_are_worth_a_look(program: Program) -> None:
    asked = replace(ASKS_MORE, types=("agency",))
    form = replace(editing.added(standard_for(program), asked), introduction={"en": "Hello", "fr": "Bonjour"})

    assert differences.findings(form, language="en") == [
        "“How many orders?” is not translated into French and Polish; English is shown instead.",
        "“How many orders?” is asked of nobody: the form is not for its partnership types.",
        "Introduction: a text in Polish is missing; another language is shown instead.",
    ]
    assert differences.findings(standard_for(program), language="en") == []
