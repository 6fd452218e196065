"""The pages about risk: the queue, a case with its evidence, decisions that say what they do, thresholds of a program; and what the partner reads."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from payouts.choices import CommissionState
from payouts.models import Commission, RiskCase, RiskNote, RiskSettings, RiskSignal
from payouts.risk import cases, thresholds
from prm.accounts.models import User
from tests.desk import at_desk, links, words
from tests.factories.tracking import RiskSignalFactory
from tests.payouts.risk_scene import SEEN, line, suspected
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db


def step(case: RiskCase, name: str) -> str:
    return reverse("admin:payouts_riskcase_step", args=[case.pk, name])


def as_partner(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_queue_and_the_case_say_what_was_seen_and_what_waits() -> None:
    _house, membership, case = suspected()
    RiskSignalFactory.create(membership=membership, kind="pixel", severity="medium", evidence={"count": 6})
    desk = at_desk(mats())
    queue = desk.get(reverse("admin:payouts_riskcase_changelist"))
    for said in (membership.partner.name, "The partner bought itself (1)", "£8.00", "1 signal waits"):
        assert said in words(queue)
    page = desk.get(reverse("admin:payouts_riskcase_change", args=[case.pk]))
    for said in ("same e-mail address", "At stake: £8.00", "own-1", case.reason):
        assert said in words(page)
    assert {step(case, "confirm"), step(case, "clear"), step(case, "add")} <= links(page)
    # Finance looks and decides nothing.
    assert step(case, "clear") not in links(
        at_desk(fiona()).get(reverse("admin:payouts_riskcase_change", args=[case.pk]))
    )
    assert at_desk(fiona()).post(step(case, "clear"), {"outcome": "Fine."}).status_code == 403
    today = words(desk.get(reverse("admin:index")))
    assert "case about risk to decide" in today and "risk signal to look at" in today
    partner = desk.get(reverse("admin:partners_partner_change", args=[membership.partner_id]))
    assert case.reason in words(partner)
    assert {reverse("admin:payouts_riskcase_change", args=[case.pk])} <= links(partner)


def test_confirming_says_what_it_does_and_does_it() -> None:
    _house, membership, case = suspected()
    desk = at_desk(mats())
    before = words(desk.get(step(case, "confirm")))
    assert f"{membership.partner.name} loses the credit" in before and "1 line, £8.00" in before
    wrong = desk.post(step(case, "confirm"), {"outcome": "", "sanction": "none"})
    assert (wrong.status_code == 422 and "There is a problem" in words(wrong)) or wrong.status_code == 422
    sale = line("own-1").conversion
    assert sale is not None
    given = {"outcome": "Your own order.", "sanction": "warning", "conversions": [sale.pk]}
    assert desk.post(step(case, "confirm"), given).status_code == 302
    case.refresh_from_db()
    assert (case.state, case.sanction, case.decided_by) == ("confirmed", "warning", mats())
    lines = Commission.objects.filter(conversion=sale).values_list("amount_minor", flat=True)
    assert sorted(lines) == [-8_00, 8_00]
    assert desk.post(step(case, "clear"), {"outcome": "Fine."}).status_code == 302
    case.refresh_from_db()
    assert case.state == "confirmed"


def test_several_signals_are_set_aside_together_and_one_becomes_a_case() -> None:
    _house, membership, case = suspected()
    cases.clear(case, outcome="Fine.", by=mats(), at=SEEN)
    made = [RiskSignalFactory.create(membership=membership, kind="pixel", severity="low") for _n in range(3)]
    desk = at_desk(mats())
    chosen = ",".join(str(each.pk) for each in made[:2])
    address = reverse("admin:payouts_risksignal_together")
    assert "2 signals are kept with your reason" in words(desk.get(address, {"ids": chosen}))
    assert desk.post(address, {"ids": chosen, "because": ""}).status_code == 422
    desk.post(address, {"ids": chosen, "because": "A known shop."})
    assert list(RiskSignal.objects.unseen()) == [made[2]]
    opening = reverse("admin:payouts_risksignal_case", args=[membership.pk])
    given = {"signals": [made[2].pk], "reason": "We check what a browser told.", "review_on": "2100-01-08"}
    assert desk.get(opening).status_code == 200
    assert desk.post(opening, given).status_code == 302
    assert RiskCase.objects.open().get().signals.get() == made[2]


def test_only_administrators_set_thresholds() -> None:
    house, _membership, _case = suspected()
    address = reverse("admin:payouts_risk_settings", args=[house.program.pk])
    figures = {
        f"{kind}_{figure.name}": figure.standard for kind, own in thresholds.FIGURES.items() for figure in own
    }
    given = figures | {f"{kind}_is_on": "on" for kind in thresholds.FIGURES if kind != "pixel"}
    assert at_desk(mats()).post(address, given).status_code == 403
    desk = at_desk(ada())
    assert desk.post(address, given | {"too_soon_seconds": "0"}).status_code == 422
    assert not RiskSettings.objects.exists()
    assert desk.post(address, given | {"too_soon_seconds": "4"}).status_code == 302
    now = thresholds.thresholds_of([house.program])[house.program.pk]
    assert now.of("too_soon")["seconds"] == 4
    assert not now.is_on("pixel") and now.is_on("velocity")
    program = desk.get(reverse("admin:tiers_program_change", args=[house.program.pk]))
    kinds = len(thresholds.FIGURES)
    assert f"{kinds - 1} of {kinds} kinds of signals" in words(program) and address in links(program)
    with pytest.raises(thresholds.BadFigure):
        thresholds.change(house.program, {"too_soon": {"seconds": -1}}, by=ada(), at=SEEN)
    with pytest.raises(thresholds.UnknownFigure):
        thresholds.change(house.program, {"too_soon": {"metres": 1}}, by=ada(), at=SEEN)


def test_the_partner_reads_why_and_answers_and_never_sees_notes_of_staff() -> None:
    _house, membership, case = suspected()
    cases.note(case, text="Compare with Partner BEA.", by=mats(), at=SEEN)
    portal = as_partner(ana())
    page = portal.get(reverse("portal:review_of_lines", args=[case.public_id]))
    for said in (case.reason, "19 March 2026", "£8.00"):
        assert said in words(page)
    assert "BEA" not in words(page) and "same e-mail" not in words(page)
    assert case.reason in words(portal.get(reverse("portal:earnings")))
    address = reverse("portal:review_of_lines_answer", args=[case.public_id])
    assert portal.post(address, {"text": ""}).status_code == 422
    assert portal.post(address, {"text": "A present for a client."}).status_code == 302
    written = RiskNote.objects.get(text="A present for a client.")
    assert cases.wrote_partner(written)
    assert "A present for a client." in words(
        portal.get(reverse("portal:review_of_lines", args=[case.public_id]))
    )
    assert "A present for a client." in words(
        at_desk(mats()).get(reverse("admin:payouts_riskcase_change", args=[case.pk]))
    )
    assert line("own-1").state == CommissionState.PAUSED
    assert membership.risk_cases.get() == case


def test_a_stranger_finds_no_case() -> None:
    house, _membership, case = suspected()
    stranger = User.objects.create_user(email="bea@other.example", password=None)
    house.member("BEA", owner=stranger)
    portal = as_partner(stranger)
    for name in ("review_of_lines", "review_of_lines_answer"):
        address = reverse(f"portal:{name}", args=[case.public_id])
        answer = portal.post(address, {"text": "Mine."}) if name.endswith("answer") else portal.get(address)
        assert answer.status_code == 404
    assert "Nothing is under review" in words(portal.get(reverse("portal:reviews_of_lines")))
