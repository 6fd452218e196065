"""The back office's pages about activities and figures: the queue, both decisions, several at once, and lists of figures."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partners.models import Activity, Membership, StaffFigure
from tests.desk import at_desk, words
from tests.factories.prm import UserFactory
from tests.factories.tiering import ActivityFactory
from tests.house import House, open_house
from tests.pages import submit, went_on
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db
ACTIVITIES, FIGURES = "/admin/partners/activity/", "/admin/partners/stafffigure/"
YESTERDAY = (timezone.now() - timedelta(days=1)).date()


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=timezone.now() - timedelta(days=200), owner=ana())
    return house


@pytest.fixture
def membership(house: House) -> Membership:
    return house.members["ANA10"]


@pytest.fixture
def desk() -> Client:
    return at_desk(mats())


def test_finance_looks_and_decides_nothing(membership: Membership) -> None:
    activity, client = ActivityFactory(membership=membership), at_desk(fiona())
    page = client.get(f"{ACTIVITIES}{activity.pk}/change/")
    assert page.status_code == 200
    assert "Confirm it" not in words(page)
    for verb in ("confirm", "decline"):
        assert client.post(f"{ACTIVITIES}{activity.pk}/{verb}/").status_code == 403
    for closed in (f"{ACTIVITIES}enter/", f"{ACTIVITIES}together/", f"{FIGURES}enter/", f"{FIGURES}list/"):
        assert client.get(closed).status_code == 403


def test_today_counts_what_waits_and_one_leads_to_the_next(membership: Membership, desk: Client) -> None:
    first, second = (ActivityFactory(membership=membership, title=f"Webinar {n}") for n in (1, 2))
    assert "2 activities to confirm" in words(desk.get("/admin/"))
    answer = desk.post(f"{ACTIVITIES}{first.pk}/confirm/")
    assert went_on(answer) == f"{ACTIVITIES}{second.pk}/change/"
    page = f"{ACTIVITIES}{second.pk}/decline/"
    refused = desk.post(page, {"reason": " "})
    assert (refused.status_code, "the partner reads it" in words(refused)) == (422, True)
    assert went_on(desk.post(page, {"reason": "Nobody can see who came."})) == ACTIVITIES
    assert list(Activity.objects.order_by("pk").values_list("state", "reason")) == [
        ("confirmed", ""),
        ("declined", "Nobody can see who came."),
    ]
    desk.post(f"{ACTIVITIES}{first.pk}/decline/", {"reason": "Too late."})
    assert "decided or withdrawn in the meantime" in words(
        desk.post(f"{ACTIVITIES}{first.pk}/decline/", {"reason": "x"})
    )


def test_several_are_confirmed_on_one_page_that_says_what_happens(
    membership: Membership, desk: Client
) -> None:
    waiting = [ActivityFactory(membership=membership, title=f"Webinar {n}") for n in range(3)]
    gone = ActivityFactory(membership=membership, state="withdrawn")
    ticked = [str(each.pk) for each in (*waiting, gone)]
    asked = desk.post(ACTIVITIES, {"action": "confirm", "_selected_action": ticked})
    page = desk.get(asked["Location"])
    assert "Confirm 3 activities" in words(page)
    assert "skipped: decided or withdrawn already" in words(page)
    assert not Activity.objects.confirmed().exists()
    done = submit(desk, asked["Location"], form="together")
    assert "3 done, 1 left as they were" in words(done)
    assert Activity.objects.confirmed().count() == 3


def test_looking_at_many_asks_the_database_as_often_as_at_one(membership: Membership, desk: Client) -> None:
    def queries(ids: list[int]) -> list[int]:
        counted = []
        for address in (ACTIVITIES, f"{ACTIVITIES}together/?ids={','.join(map(str, ids))}"):
            with CaptureQueriesContext(connection) as asked:
                desk.get(address)
            counted.append(len(asked))
        return counted

    ids = [ActivityFactory(membership=membership).pk]
    queries(ids)
    one = queries(ids)
    ids += [ActivityFactory(membership=membership, told_by=UserFactory()).pk for _n in range(8)]
    assert queries(ids) == one


def test_staff_enters_what_it_knows_and_it_counts(membership: Membership, desk: Client) -> None:
    found = desk.get(f"{ACTIVITIES}enter/?q={membership.partner.name[:4]}")
    address = f"{ACTIVITIES}enter/{membership.pk}/"
    assert address in found.content.decode()
    given = {"kind": "press", "title": "Interview", "held_on": YESTERDAY.isoformat()}
    later = {**given, "held_on": (YESTERDAY + timedelta(days=3)).isoformat()}
    assert submit(desk, address, later).status_code == 422
    went_on(submit(desk, address, given, file=SimpleUploadedFile("p.pdf", b"%PDF-1.4\n%%EOF\n")))
    activity = Activity.objects.get()
    assert (activity.state, activity.told_by) == ("confirmed", mats())
    file = desk.get(f"{ACTIVITIES}{activity.pk}/file/")
    assert file["Content-Disposition"].startswith("attachment")
    panel = words(desk.get(f"/admin/partners/membership/{membership.pk}/change/"))
    assert "Activities and figures" in panel
    assert "Interview" in panel


def test_a_figure_is_entered_with_its_source_and_shown_with_all_before(
    membership: Membership, desk: Client
) -> None:
    address = f"{FIGURES}enter/{membership.pk}/"
    given = {"metric": "manual_score", "value": "101", "counted_on": YESTERDAY.isoformat(), "note": "Review"}
    refused = submit(desk, address, given)
    assert (refused.status_code, 'href="#id_value"' in refused.content.decode()) == (422, True)
    page = went_on(submit(desk, address, {**given, "value": "72"}))
    went_on(submit(desk, address, {**given, "value": "80"}))
    shown = words(desk.get(page))
    assert "Score, 0 to 100" in shown
    assert "80" in shown
    assert list(StaffFigure.objects.order_by("pk").values_list("value", "entered_by")) == [
        (72, mats().pk),
        (80, mats().pk),
    ]
    assert "80" in words(desk.get(f"{FIGURES}?metric=manual_score"))


def test_a_list_of_figures_is_looked_at_before_anything_is_entered(
    membership: Membership, desk: Client
) -> None:
    address = f"{FIGURES}list/"
    assert submit(desk, address, text="").status_code == 422
    assert "has to name these columns" in words(submit(desk, address, text="a,b,c"))
    day = YESTERDAY.isoformat()
    text = (
        "membership,figure,value,day,source\n"
        f"{membership.public_id},installed_base,3200,{day},Review\n"
        f"{membership.public_id},manual_score,many,{day},Review\n"
    )
    look = desk.post(address, {"file": SimpleUploadedFile("figures.csv", text.encode())})
    said = words(look)
    assert "Enter 1 figure" in said
    assert "Write a whole number" in said
    assert not StaffFigure.objects.exists()
    done = desk.post(f"{address}enter/", {"list": look.context["kept"]})
    assert "1 figure is entered." in words(done)
    figure = StaffFigure.objects.get()
    assert (figure.value, figure.counted_on, figure.note) == (3200, date.fromisoformat(day), "Review")
    desk.post(f"{address}enter/", {"list": look.context["kept"] + "x"})
    assert StaffFigure.objects.count() == 1
