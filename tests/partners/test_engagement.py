"""Activities and figures entered by hand: who tells and who confirms, what is refused, and what tiers read of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from partners import erasure, metrics, personal_data
from partners.engagement import activities, figure_lists, figures
from partners.engagement import told as telling
from partners.engagement.told import Told
from partners.models import Activity, Membership, StaffFigure
from partners.own_team import OwnTeam
from prm.accounts.policy import Forbidden
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.factories.partners import MemberFactory
from tests.factories.prm import UserFactory
from tests.factories.tiering import ActivityFactory, StaffFigureFactory
from tests.house import House, open_house
from tests.people import ada, ana, fiona, mats
from tiers.qualify import Question, Window

pytestmark = pytest.mark.django_db
JOINED = datetime(2026, 2, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture
def house() -> House:
    return open_house()


@pytest.fixture
def membership(house: House) -> Membership:
    return house.member("ANA10", at=JOINED, owner=ana())


def told(**given: Any) -> Told:
    values: dict[str, Any] = {"kind": "webinar", "title": "Gifts for offices", "held_on": date(2026, 6, 1)}
    return Told(**{**values, **given})


def tell(membership: Membership, **given: Any) -> Activity:
    return activities.tell(membership, told(**given), by=ana(), at=NOW)


def test_what_is_told_waits_and_counts_once_confirmed(membership: Membership) -> None:
    activity = tell(membership, file=ContentFile(PDF, "guests.pdf"), url=" https://x.example/w ")
    assert (activity.state, activity.file_name, activity.url) == (
        "waiting",
        "guests.pdf",
        "https://x.example/w",
    )
    confirmed = activities.confirm(activity, by=mats(), at=NOW)
    assert (confirmed.state, confirmed.decided_by) == ("confirmed", mats())
    mail = OutgoingMail.objects.get(kind="activity_decided")
    assert (mail.to, mail.subject) == (ana().email, "It counts: Gifts for offices")
    with pytest.raises(activities.NotWaiting):
        activities.decline(activity, reason="Too late.", by=mats(), at=NOW)


def test_who_declines_says_why_and_the_partner_reads_it(membership: Membership) -> None:
    activity = tell(membership)
    with pytest.raises(activities.NoReason):
        activities.decline(activity, reason="  ", by=mats(), at=NOW)
    activities.decline(activity, reason="We cannot see who came.", by=mats(), at=NOW)
    assert "We cannot see who came." in OutgoingMail.objects.get(kind="activity_decided").text
    assert tell(membership).state == "waiting"  # it may be told again


def test_who_may_tell_and_who_may_confirm(house: House, membership: Membership) -> None:
    finance = MemberFactory(partner=membership.partner, role="finance").user
    stranger = MemberFactory(role="owner").user
    for nobody in (finance, stranger, fiona()):
        with pytest.raises(activities.NotYours):
            activities.tell(membership, told(), by=nobody, at=NOW)
    seller = MemberFactory(partner=membership.partner, role="sales").user
    activity = activities.tell(membership, told(), by=seller, at=NOW)
    for nobody in (fiona(), ana(), seller):
        with pytest.raises(Forbidden):
            activities.confirm(activity, by=nobody, at=NOW)
    MemberFactory(partner=membership.partner, user=mats(), role="read_only")
    with pytest.raises(OwnTeam):
        activities.confirm(activity, by=mats(), at=NOW)
    activities.confirm(activity, by=ada(), at=NOW)
    assert {mail.to for mail in OutgoingMail.objects.filter(kind="activity_decided")} == {
        ana().email,
        seller.email,
    }


REFUSED: list[tuple[dict[str, Any], type[Refused], str]] = [
    ({"kind": "dance"}, telling.UnknownKind, "kind"),
    ({"title": "  "}, telling.TitleMissing, "title"),
    ({"title": "x" * 141}, telling.TitleMissing, "title"),
    ({"held_on": None}, telling.DayMissing, "held_on"),
    ({"held_on": date(2026, 6, 11)}, telling.DayAhead, "held_on"),
    ({"held_on": date(2026, 1, 31)}, telling.BeforeJoining, "held_on"),
    ({"url": "javascript:alert(1)"}, telling.BadAddress, "url"),
    ({"description": "a\u202eb"}, telling.BadDescription, "description"),
]


@pytest.mark.parametrize(("given", "refusal", "field"), REFUSED)
def test_what_cannot_be_is_refused_and_nothing_is_saved(
    membership: Membership, given: dict[str, Any], refusal: type[Refused], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        tell(membership, **given)
    assert refused.value.field == field
    assert not Activity.objects.exists()


def test_the_same_is_not_told_twice_unless_it_was_taken_back(membership: Membership) -> None:
    first = tell(membership)
    with pytest.raises(activities.ToldAlready):
        tell(membership, title="GIFTS for  offices")
    tell(membership, kind="event")
    activities.withdraw(first, by=ana(), at=NOW)
    again = tell(membership)
    with pytest.raises(activities.ToldAlready):
        activities.change(again, told(kind="event"), by=ana(), at=NOW)


def test_what_waits_can_be_changed_and_its_file_goes_with_the_one_before(
    membership: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    activity = tell(membership, file=ContentFile(PDF, "one.pdf"))
    before = activity.file.name
    with django_capture_on_commit_callbacks(execute=True):
        changed = activities.change(
            activity, told(title="Lights", file=ContentFile(PDF, "two.pdf")), by=ana(), at=NOW
        )
    assert (changed.title, changed.file_name) == ("Lights", "two.pdf")
    assert not default_storage.exists(before)
    with django_capture_on_commit_callbacks(execute=True):
        changed = activities.change(changed, told(), by=ana(), at=NOW, without_file=True)
    assert (bool(changed.file), changed.file_name) == (False, "")
    activities.confirm(changed, by=mats(), at=NOW)
    with pytest.raises(activities.NotWaiting):
        activities.withdraw(changed, by=ana(), at=NOW)


def test_staff_enters_what_it_knows_and_it_counts_without_a_mail_to_itself(membership: Membership) -> None:
    activity = activities.enter(membership, told(kind="press"), by=mats(), at=NOW)
    assert (activity.state, activity.told_by, activity.decided_by) == ("confirmed", mats(), mats())
    assert not OutgoingMail.objects.filter(kind="activity_decided").exists()
    Membership.objects.filter(pk=membership.pk).update(ended_at=NOW)
    with pytest.raises(activities.MembershipOver):
        activities.enter(membership, told(), by=mats(), at=NOW + timedelta(days=1))


def measured(house: House, question: Question, *, at: datetime) -> dict[int, Any]:
    asked = metrics.asked(question, house.program, at=at)
    group = metrics.Group(house.program, 0, 2**62)
    return {pk: figure.value for pk, figure in metrics._known[question.metric].read(group, asked).items()}


def test_activities_count_by_the_day_they_were_held_once_confirmed(
    house: House, membership: Membership, django_assert_num_queries: Any
) -> None:
    other = house.member("BEN10", at=JOINED, owner=UserFactory())
    confirmed = {"state": "confirmed", "decided_at": NOW, "decided_by": mats()}
    for day, kind in (
        (date(2026, 2, 28), "event"),
        (date(2026, 3, 1), "event"),
        (date(2026, 5, 31), "press"),
    ):
        ActivityFactory(membership=membership, held_on=day, kind=kind, **confirmed)
    ActivityFactory(membership=membership, held_on=date(2026, 6, 1), **confirmed)
    ActivityFactory(membership=membership, held_on=date(2026, 5, 1))  # nobody has confirmed it
    ActivityFactory(membership=other, held_on=date(2026, 5, 2), **confirmed)
    june = datetime(2026, 6, 1, tzinfo=UTC) - timedelta(hours=1)  # midnight in London
    after = NOW + timedelta(hours=1)
    trailing = Question("activities", Window("trailing", 3))
    with django_assert_num_queries(1):
        # Confirmed on 10 June: on 1 June none counted yet.
        assert measured(house, trailing, at=june) == {}
    # From 10 March to 10 June: 31 May and 1 June.
    assert measured(house, trailing, at=after) == {membership.pk: 2, other.pk: 1}
    # The last whole quarter began in January and ended with March.
    assert measured(house, Question("activities", Window("quarter")), at=after) == {membership.pk: 2}
    events = Question("activities", Window("ever"), (("kind", ("event",)),))
    assert measured(house, events, at=after) == {membership.pk: 2}
    rows = metrics.rows_behind(membership.pk, events, house.program, at=after)
    assert [(row.at.date(), row.value) for row in rows] == [(date(2026, 2, 28), 1), (date(2026, 3, 1), 1)]
    assert metrics.begins(events, house.program) == datetime(2026, 2, 28, tzinfo=UTC)


def enter(membership: Membership, value: int, day: date, *, at: datetime = NOW, **given: Any) -> StaffFigure:
    values: dict[str, Any] = {"metric": "manual_score", "note": "Talk of 2 March.", **given}
    return figures.enter(membership, value=value, counted_on=day, by=mats(), at=at, **values)


def test_the_newest_figure_as_of_the_day_counts(
    house: House, membership: Membership, django_assert_num_queries: Any
) -> None:
    enter(membership, 60, date(2026, 3, 2))
    enter(membership, 80, date(2026, 6, 1))
    enter(membership, 75, date(2026, 6, 1), at=NOW + timedelta(minutes=1))  # of one day the last one entered
    enter(membership, 70, date(2026, 4, 2))
    enter(membership, 12, date(2026, 6, 1), metric="installed_base")
    question = Question("manual_score")
    with django_assert_num_queries(1):
        assert measured(house, question, at=NOW) == {membership.pk: Fraction(75)}
    assert measured(house, question, at=datetime(2026, 5, 31, 22, 59, tzinfo=UTC)) == {membership.pk: 70}
    # As 1 June begins in London nothing of that day has been: a review is measured at the start of its day.
    midnight = datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert measured(house, question, at=midnight) == {membership.pk: 70}
    assert measured(house, question, at=midnight + timedelta(seconds=1)) == {membership.pk: 75}
    assert measured(house, question, at=datetime(2026, 3, 1, 12, tzinfo=UTC)) == {}
    [row] = metrics.rows_behind(membership.pk, question, house.program, at=NOW)
    # Evidence is never rewritten, so it names the figure; its words are read where they can be erased.
    newest = StaffFigure.objects.get(membership=membership, value=75)
    assert (row.what, row.value) == (f"figure-{newest.pk}", 75)
    told = figures.in_words(membership.pk, [[row.what, "", "75"], ["figure-x", "", "1"]])
    assert told == [["Talk of 2 March.", "", "75"], ["figure-x", "", "1"]]
    assert figures.in_words(membership.pk + 1, [[row.what, "", "75"]]) == [[row.what, "", "75"]]


def test_a_figure_that_cannot_be_is_refused(membership: Membership) -> None:
    day = date(2026, 6, 1)
    for given, refusal in (
        ({"value": 101}, figures.ScoreOutOfRange),
        ({"value": -1, "metric": "joint_customers"}, figures.BadValue),
        ({"metric": "net_revenue"}, figures.UnknownFigure),
        ({"counted_on": date(2026, 6, 11)}, figures.DayAhead),
        ({"counted_on": date(2026, 1, 1)}, figures.BeforeJoining),
        ({"note": " "}, figures.NoSource),
        ({"by": fiona()}, Forbidden),
    ):
        values: dict[str, Any] = {
            "metric": "manual_score",
            "value": 1,
            "counted_on": day,
            "note": "x",
            "by": mats(),
        }
        with pytest.raises(refusal):
            figures.enter(membership, at=NOW, **{**values, **given})
    enter(membership, 5, day)
    with pytest.raises(figures.EnteredAlready):
        enter(membership, 5, day)
    assert StaffFigure.objects.count() == 1


def test_a_list_names_what_is_wrong_by_line_and_enters_the_rest(house: House, membership: Membership) -> None:
    other = house.member("BEN10", at=JOINED, owner=UserFactory())
    enter(membership, 5, date(2026, 6, 1))
    text = "\n".join(
        [
            "Figure;Membership;Value;As of;Source",
            f"joint_customers;{membership.public_id};12;2026-06-01;Review",
            f"manual_score;{membership.public_id};5;2026-06-01;Review",
            f"manual_score;{other.public_id};400;2026-06-01;Review",
            f"manual_score;{other.public_id};40;1 June;Review",
            f"revenue;{other.public_id};40;2026-06-01;Review",
            "manual_score;mem_nobody;40;2026-06-01;Review",
            f"manual_score;{other.public_id};40;2026-06-01;Review",
            f"manual_score;{other.public_id};41;2026-06-01;Review",
            f"manual_score;{other.public_id};4_1;2026-06-02;Review",
            f"manual_score;{other.public_id};41;20260602;Review",
        ]
    )
    rows = figure_lists.parse(text)
    faults = {each.row.line: each.fault for each in figure_lists.check(rows, at=NOW)}
    assert {line for line, fault in faults.items() if not fault} == {2, 8}
    assert faults[3] == str(figures.EnteredAlready())
    assert faults[4] == str(figures.ScoreOutOfRange())
    assert faults[5] == "Write the day as 2026-03-31."
    assert faults[6].startswith("The figure is one of: joint_customers")
    assert faults[7] == "No membership has this id."
    assert faults[9] == "Stands in the list twice."
    assert faults[10] == str(figures.BadValue())
    assert faults[11] == faults[5]
    assert StaffFigure.objects.count() == 1
    entered, left = figure_lists.enter_all(rows, by=mats(), at=NOW)
    assert (entered, len(left), StaffFigure.objects.count()) == (2, 8, 3)
    for bad, refusal in (
        ("", figure_lists.EmptyList),
        ("membership;figure;value;day", figure_lists.ColumnMissing),
        ("membership;figure;value;day;source", figure_lists.EmptyList),
    ):
        with pytest.raises(refusal):
            figure_lists.parse(bad)


def test_archive_and_erasure_know_what_was_told(
    house: House, django_capture_on_commit_callbacks: Any
) -> None:
    person = UserFactory(email="zoe.quill@studio.example", full_name="Zoë Quill-Ferreira")
    membership = house.member("ZOE10", at=JOINED, owner=person)
    membership.partner.legal_form = "sole_trader"
    membership.partner.save()
    activity = activities.tell(membership, told(file=ContentFile(PDF, "zoe.pdf")), by=person, at=NOW)
    other = house.member("BEN10", at=JOINED)
    ActivityFactory(membership=other, description="With Zoë Quill-Ferreira.")
    StaffFigureFactory(membership=other, note="Zoë Quill-Ferreira said so.")
    subject = personal_data.subject_of(person)
    read = {section.name: list(section.read(subject)) for section in personal_data.sections()}
    assert [row["title"] for row in read["partner-activities"]] == ["Gifts for offices"]
    Membership.objects.filter(pk=membership.pk).update(ended_at=NOW)
    place = activity.file.name
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase_person(person, by=ada(), at=NOW)
    activity.refresh_from_db()
    assert (activity.title, activity.file_name, default_storage.exists(place)) == ("[erased]", "", False)
    assert not Activity.objects.filter(description__contains="Quill").exists()
    assert not StaffFigure.objects.filter(note__contains="Quill").exists()
