"""Tiers as due process in a browser, at a desk and on a telephone: Ana is warned and told of a fall, two of her people learn and she is
confirmed; Ben's rise is carried out and earns more from then on; Cleo appeals and is heard. Every page on the way is looked at for faults of
accessibility and for what sticks out sideways, and at the end all that was found is named at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
import time_machine
from celery import Celery
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from partners.business_plans import plans
from partners.business_plans.goals import GoalLine, Outline
from partners.choices import ReviewState
from partners.models import Activity, BusinessPlan, Credential, Member, Membership, Staff
from partners.tasks_tiers import review_tiers, snapshot_tiers
from payouts.tasks_tiers import refresh_outlooks
from prm.accounts.models import User
from tests.browser.conftest import Opener, Watch
from tests.browser.hands import faults
from tests.factories.prm import UserFactory
from tests.factories.tiering import BenefitFactory, TierBenefitFactory
from tests.house import House
from tests.journeys.test_tiers_as_due_process import (
    EVE,
    REVIEW_DAY,
    SET_UP,
    a_program_with_two_ladders,
    sell,
    the_case,
    three_partners,
)
from tests.people import ada, ana, mats
from tiers.choices import SchemeState
from tiers.models import Tier, TierScheme

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)


@dataclass
class Look:
    """Looks at pages on a screen, and keeps what is wrong with them. A blind one only opens them: they were looked at before."""

    screen: ViewportSize
    is_blind: bool = False
    found: list[str] = field(default_factory=list)

    def at(self, page: Page, address: str = "") -> None:
        """Look for what axe finds, and for what is wider than the screen."""
        if address:
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
        if self.is_blind:
            return
        self.found += faults(page)
        for size in (PHONE, DESK) if self.screen == DESK else (PHONE,):
            page.set_viewport_size(size)
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > size["width"]:
                self.found.append(f"{page.url}: {needed} pixels at a width of {size['width']}")


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_warned_confirmed_promoted_and_heard(
    screen: ViewportSize,
    open_page: Opener,
    travel: time_machine.Traveller,
    eager_tasks: Celery,
    watch: Watch,
    site: str,
) -> None:
    watch.forgive |= {422}
    look, no_look = Look(screen), Look(screen, is_blind=True)

    def signed_in(person: User) -> Page:
        """Open a page with a session that has begun: how people sign in has its own tests."""
        client, page = Client(), open_page(viewport=screen)
        client.force_login(person)
        session = {"name": settings.SESSION_COOKIE_NAME, "url": site}
        page.context.add_cookies([{**session, "value": client.cookies[session["name"]].value}])
        return page

    travel.move_to(SET_UP)
    house, certification = a_program_with_two_ladders()
    of_ana, of_ben, of_cleo = three_partners(house, certification)
    what_the_tiers_give(house)
    a_plan_for(of_ana)
    travel.move_to(EVE)
    sell(house, "eve", "BEN", "100.00", EVE - timedelta(hours=1))
    snapshot_tiers()
    strangers_look(look, open_page(viewport=screen), house)
    ana_before_the_review(look, signed_in(ana()))

    travel.move_to(REVIEW_DAY)
    review_tiers()
    refresh_outlooks()
    ana_s = signed_in(ana())
    ana_is_told(look, ana_s, of_ana)
    first, second = uncertified(of_ana)
    one_learns(look, signed_in(first))
    one_learns(no_look, signed_in(second))
    cleo = signed_in(owner(of_cleo))
    cleo_appeals(look, cleo, of_cleo)

    desk = signed_in(mats())
    if screen is DESK:
        mats_looks_around(look, desk, house)
    mats_looks_again(look, desk, of_ana)
    mats_promotes(look, desk, of_ben)
    mats_answers(look, desk, of_cleo)
    mats_confirms_an_activity(look, desk)

    snapshot_tiers()
    ana_is_confirmed(look, ana_s, of_ana)
    ben_earns_more(look, signed_in(owner(of_ben)), house, of_ben)
    cleo_was_heard(look, cleo, of_cleo)
    if screen is DESK:
        ada_asks_for_more(look, signed_in(ada()), house)
    assert look.found == [], "\n".join(look.found)


def what_the_tiers_give(house: House) -> None:
    """Silver and Expert have colours and give support."""
    support = BenefitFactory.create(program=house.program)
    for key, colour in (("registered", "bronze"), ("silver", "silver"), ("expert", "gold")):
        tier = Tier.objects.get(program=house.program, key=key)
        tier.colour = colour
        tier.save(update_fields=["colour"])
        TierBenefitFactory.create(tier=tier, benefit=support)


def a_plan_for(membership: Membership) -> None:
    """Mats writes a plan for the second half of the year and gives it to the partner."""
    first, last = date(2026, 7, 1), date(2026, 12, 31)
    plan = plans.draft(
        membership, title="An autumn of fairs", starts_on=first, ends_on=last, by=mats(), at=SET_UP
    )
    goals = [GoalLine("net_revenue", 20_000_00, last), GoalLine("sales", 40, last)]
    outline = Outline(
        "An autumn of fairs", first, last, "Two fairs.", "Samples for each.", goals, [date(2026, 9, 30)]
    )
    plans.propose(plans.edit(plan, outline, by=mats(), at=SET_UP), by=mats(), at=SET_UP)


def owner(membership: Membership) -> User:
    found: User = membership.partner.members.get(role="owner").user
    return found


def strangers_look(look: Look, page: Page, house: House) -> None:
    """The program's page compares the tiers, and a credential can be checked."""
    look.at(page, f"/p/{house.program.slug}/")
    expect(page.get_by_role("main")).to_contain_text("Net revenue of at least £5,000.00")
    credential = Credential.objects.order_by("pk")[0]
    look.at(page, f"/credentials/{credential.public_id}/")
    expect(page.get_by_role("main")).to_contain_text(credential.staff.full_name)


def ana_before_the_review(look: Look, page: Page) -> None:
    """She reads the warning, compares, looks who is certified, tells an activity and agrees to the plan."""
    look.at(page, "/portal/")
    look.at(page, "/portal/tier/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("The figures do not reach Expert at the moment.")
    expect(main).to_contain_text("1 Jul 2026")
    page.get_by_role("link", name="Compare tiers").first.click()
    expect(main).to_contain_text("You are here")
    look.at(page)
    look.at(page, "/portal/people/")
    expect(main).to_contain_text("20 of 27")
    main.locator("tbody th a").first.click()
    look.at(page)
    look.at(page, "/portal/training/")
    ana_tells_an_activity(look, page)
    ana_agrees_to_a_plan(look, page)


def ana_tells_an_activity(look: Look, page: Page) -> None:
    page.goto("/portal/activities/")
    page.get_by_role("link", name="Tell what you did").first.click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".error-summary")).to_be_focused()
    look.at(page)
    page.locator("[name=kind]").select_option(index=1)
    page.locator("[name=title]").fill("Gifts for offices")
    page.locator("[name=held_on]").fill("2026-06-25")
    page.locator("[name=url]").fill("https://studio.example/gifts")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/portal/activities/")
    look.at(page)
    page.get_by_role("link", name="Gifts for offices").click()
    expect(page.get_by_role("main")).to_contain_text("We have not looked at it yet.")
    look.at(page)


def ana_agrees_to_a_plan(look: Look, page: Page) -> None:
    page.goto("/portal/plans/")
    page.get_by_role("link", name="An autumn of fairs").click()
    look.at(page)
    page.get_by_role("button", name="Agree to the plan").click()
    expect(page.get_by_role("main")).to_contain_text("20,000.00")
    assert BusinessPlan.objects.get().state == "agreed"
    look.at(page)


def ana_is_told(look: Look, page: Page, membership: Membership) -> None:
    """From her tier she comes to the notice: what is missing, until when, and by which steps."""
    look.at(page, "/portal/tier/")
    page.locator("section[aria-labelledby=reviews] a").first.click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("What brings Expert back")
    expect(main).to_contain_text("At least 80% of your staff certified")
    expect(main).to_contain_text("Missing when we looked: 6%.")
    expect(main).to_contain_text("31 Jul 2026")
    assert the_case(membership).public_id in page.url
    look.at(page)


def uncertified(membership: Membership) -> list[User]:
    """Let two people of the list join the team; each signs in as itself."""
    found = []
    people = Staff.objects.filter(partner=membership.partner, credentials=None).order_by("pk")[:2]
    for number, person in enumerate(people):
        user: User = UserFactory.create(email=f"learner{number}@x.example")
        person.member = Member.objects.create(
            partner=membership.partner, user=user, role="sales", joined_at=timezone.now()
        )
        person.save(update_fields=["member"])
        found.append(user)
    return found


def one_learns(look: Look, page: Page) -> None:
    """From the training to the course and its quiz, to the credential anybody can check."""
    look.at(page, "/portal/training/")
    page.get_by_role("link", name="The range").click()
    look.at(page)
    page.get_by_role("main").get_by_role("link", name="What sells").click()
    look.at(page)
    for place, choices in enumerate((["0"], ["1"], ["0", "1"])):
        for choice in choices:
            page.locator(f"[name=q{place}][value='{choice}']").check()
    page.get_by_role("button", name="Send the answers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Passed")
    look.at(page)
    page.get_by_role("link", name="Back to training").click()
    look.at(page)
    page.get_by_role("link", name="The page on which anybody can check it").click()
    expect(page.get_by_role("main")).to_contain_text("This credential is valid today.")


def cleo_appeals(look: Look, page: Page, membership: Membership) -> None:
    """First with nothing said, then with a reason."""
    look.at(page, f"/portal/tier/reviews/{the_case(membership).public_id}/")
    appeal = page.get_by_role("button", name="Appeal", exact=True)
    appeal.click()
    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.locator(".error-summary")).to_be_focused()
    look.at(page)
    page.locator("[name=text]").fill("The order of our largest customer is missing.")
    appeal.click()
    expect(page.get_by_role("main")).to_contain_text("We answer by")
    look.at(page)


def mats_looks_around(look: Look, page: Page, house: House) -> None:
    """The board, the rounds, what tiers ask and what they give."""
    look.at(page, reverse("admin:partners_tier_board"))
    look.at(page, reverse("admin:partners_reviewround_changelist"))
    page.locator("#result_list tbody a").first.click()
    look.at(page)
    look.at(page, reverse("admin:tiers_program_tiers", args=[house.program.pk]))
    look.at(page, reverse("admin:tiers_program_benefits", args=[house.program.pk]))
    in_force = TierScheme.objects.get(state=SchemeState.PUBLISHED)
    look.at(page, reverse("admin:tiers_tierscheme_change", args=[in_force.pk]))


def mats_looks_again(look: Look, page: Page, membership: Membership) -> None:
    """Twenty-two of twenty-seven are certified by now, so the case is closed with the tier kept."""
    page.goto(f"{reverse('admin:partners_tierreview_changelist')}?waiting=grace")
    page.get_by_role("link", name="Partner ANA").click()
    look.at(page)
    page.get_by_role("link", name="Look again now").click()
    look.at(page)
    page.get_by_role("button", name="Look again").click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert the_case(membership).state == ReviewState.KEPT
    look.at(page, reverse("admin:partners_tierreview_change", args=[the_case(membership).pk]))


def mats_promotes(look: Look, page: Page, membership: Membership) -> None:
    """The page of the decision says what it does and shows the mail first."""
    page.goto(reverse("admin:partners_tierreview_changelist"))
    look.at(page)
    page.get_by_role("link", name="Partner BEN").click()
    look.at(page)
    page.get_by_role("link", name="Change the tier").click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("Partner BEN stands in Silver from then on, not before.")
    page.locator("[name=note]").fill("Your best spring so far.")
    page.get_by_role("button", name="Show the mail first").click()
    expect(main.locator(".mail-preview")).to_contain_text("Partner BEN reached Silver")
    look.at(page)
    page.get_by_role("button", name="Change the tier").click()
    expect(page.locator(".messagelist")).to_contain_text("The case of Partner BEN is decided.")
    assert the_case(membership).state == ReviewState.APPLIED


def mats_answers(look: Look, page: Page, membership: Membership) -> None:
    page.goto(f"{reverse('admin:partners_tierreview_changelist')}?waiting=appeals")
    page.get_by_role("link", name="Partner CLEO").click()
    expect(page.get_by_role("main")).to_contain_text("The order of our largest customer is missing.")
    look.at(page)
    page.get_by_role("link", name="Answer the appeal").click()
    page.get_by_role("button", name="Send the answer").click()
    expect(page).to_have_title(re.compile("^Error:"))
    look.at(page)
    page.get_by_label("Grant it").check()
    page.locator("[name=answer]").fill("You are right: it was booked for another partner.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.locator(".messagelist")).to_contain_text("The appeal of Partner CLEO is answered.")
    assert the_case(membership).state == ReviewState.KEPT


def mats_confirms_an_activity(look: Look, page: Page) -> None:
    look.at(page, reverse("admin:partners_activity_changelist"))
    page.get_by_role("link", name="Gifts for offices").click()
    look.at(page)
    page.get_by_role("button", name="Confirm it").click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert Activity.objects.get().state == "confirmed"


def ana_is_confirmed(look: Look, page: Page, membership: Membership) -> None:
    """81.48 % are certified: the notice is gone, the review says what was found when it was looked at again."""
    look.at(page, "/portal/tier/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("81.4%")
    expect(main).not_to_contain_text("The figures do not reach")
    look.at(page, f"/portal/tier/reviews/{the_case(membership).public_id}/")
    expect(main).to_contain_text("Tier kept")
    page.goto("/portal/activities/")
    page.get_by_role("link", name="Gifts for offices").click()
    expect(main).to_contain_text("It counts.")


def ben_earns_more(look: Look, page: Page, house: House, membership: Membership) -> None:
    """What he sells next earns 8 %; what he sold on the eve keeps its 5 %."""
    moved: datetime | None = the_case(membership).effective_at
    assert moved is not None
    sell(house, "next", "BEN", "100.00", moved + timedelta(seconds=1))
    assert (house.amounts("eve"), house.amounts("next")) == ([500], [800])
    look.at(page, "/portal/tier/")
    main = page.get_by_role("main")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your tier: Silver")
    expect(main).to_contain_text("Your best spring so far.")
    page.get_by_role("link", name="Your rates").click()
    expect(main).to_contain_text("8%")
    look.at(page)
    look.at(page, "/portal/earnings/")
    expect(main).to_contain_text("£8.00")


def cleo_was_heard(look: Look, page: Page, membership: Membership) -> None:
    look.at(page, f"/portal/tier/reviews/{the_case(membership).public_id}/")
    expect(page.get_by_role("main")).to_contain_text("it was booked for another partner")
    page.goto("/portal/tier/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your tier: Silver")


def ada_asks_for_more(look: Look, page: Page, house: House) -> None:
    """A draft that also asks Silver for ten sales would take it from both; it is put in force all the same."""
    page.goto(reverse("admin:tiers_tierscheme_changelist"))
    look.at(page)
    page.get_by_role("link", name="New version").click()
    page.get_by_role("button", name="Make the draft").click()
    look.at(page)
    page.locator("section[aria-labelledby=tier-silver]").get_by_role("link", name="Add a requirement").click()
    look.at(page)
    page.locator("a[href='?metric=sales']").click()
    page.get_by_role("button", name="Add the requirement").click()
    expect(page).to_have_title(re.compile("^Error:"))
    look.at(page)
    page.locator("[name=threshold]").fill("10")
    page.get_by_role("button", name="Add the requirement").click()
    draft = TierScheme.objects.get(state=SchemeState.DRAFT)
    look.at(page, reverse("admin:partners_tier_what_if", args=[draft.pk]))
    page.get_by_role("button", name="Measure everybody under this draft").click()
    expect(page.get_by_role("main")).to_contain_text("Partner BEN")
    look.at(page)
    page.goto(reverse("admin:tiers_tierscheme_publish", args=[draft.pk]))
    page.locator("[name=windows_meant]").check()
    look.at(page)
    page.get_by_role("button", name="Publish version").click()
    expect(page.locator(".messagelist")).to_be_visible()
    draft.refresh_from_db()
    assert draft.state == SchemeState.PUBLISHED
    assert TierScheme.objects.filter(program=house.program, state=SchemeState.DRAFT).count() == 0
