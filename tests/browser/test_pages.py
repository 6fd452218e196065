"""Every page with something on it: no fault of accessibility, nothing that sticks out at any width, no complaint in the console. The
house behind it is small and has money in every stage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from playwright.sync_api import Page, expect

from partners import negotiation
from partners.models import Application
from payouts.models import Commission, PayRun, Statement
from prm.accounts.models import User
from prm.lib.periods import Month
from prm.runs.models import Run
from referrals.models import Conversion, Link
from tests.browser.conftest import Opener, Watch
from tests.browser.hands import assert_accessible, faults, sideways, sign_in
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.prm import RunFactory
from tests.people import ada, ana, fiona, mats
from tests.portal.scene import NOW, Scene, busy_partner
from tiers.models import PlanVersion

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def scene(travel: object, site: str) -> Scene:
    """Return the small house, its terms in force, with one application that waits."""
    made = busy_partner()
    TermsVersionFactory.create(program=made.house.program, published=True)
    ApplicationFactory.create(
        program=made.house.program, created_at=NOW.replace(day=18), how_promote="With a monthly newsletter."
    )
    return made


def assert_sound(page: Page, addresses: Iterable[str]) -> None:
    """Open each address and name everything that is wrong with any of them at once."""
    found: list[str] = []
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        if answer.status != 200:
            found.append(f"{address}: answered {answer.status}")
        found += faults(page) + sideways(page)
    assert found == []


def portal_pages(scene: Scene) -> list[str]:
    sale = Commission.objects.get(conversion__external_id="jun-2")
    refund = Commission.objects.get(conversion__external_id="may-2")
    paid, waiting = scene.statement(Month(2026, 2)), scene.statement(Month(2026, 5))
    return [
        "/portal/",
        "/portal/links/",
        "/portal/links/new/",
        "/portal/earnings/",
        "/portal/earnings/?stage=hold",
        "/portal/earnings/?q=nothing+like+this",
        f"/portal/earnings/{sale.public_id}/",
        f"/portal/earnings/{refund.public_id}/",
        "/portal/statements/",
        f"/portal/statements/{paid.public_id}/",
        f"/portal/statements/{waiting.public_id}/",
        "/portal/payment-details/",
        "/portal/payment-details/change/",
        "/portal/team/",
        "/portal/team/invite/",
        "/portal/account/",
        "/portal/rates/",
        f"/portal/proposals/{proposal_to(scene).public_id}/",
    ]


def proposal_to(scene: Scene) -> PlanVersion:
    """Return own terms that wait for the partner's answer."""
    waiting = negotiation.waiting(scene.membership)
    if waiting is not None:
        return waiting
    draft = negotiation.begin(scene.membership, by=ada(), at=NOW)
    return negotiation.propose(draft, effective_at=NOW, by=ada(), at=NOW)


def test_every_page_of_the_portal(scene: Scene, page: Page) -> None:
    sign_in(page, ana())
    assert_sound(page, portal_pages(scene))


def test_every_page_that_needs_no_sign_in(scene: Scene, page: Page) -> None:
    slug = scene.house.program.slug
    statement = scene.statement(Month(2026, 2))
    assert_sound(
        page,
        [
            "/",
            f"/p/{slug}/",
            f"/p/{slug}/terms/",
            f"/p/{slug}/apply/",
            "/accounts/login/",
            "/accounts/login/code/",
            "/accounts/password/reset/",
            f"/v/{statement.number}/{statement.check_code}/",
        ],
    )


def test_the_account_managers_pages(scene: Scene, page: Page) -> None:
    sign_in(page, mats())
    sale = Conversion.objects.get(external_id="jun-2")
    run = RunFactory.create(title="Import of June", created_at=NOW, created_by=mats())
    assert_sound(
        page,
        [
            "/admin/",
            "/admin/partners/application/",
            f"/admin/partners/application/{Application.objects.get().pk}/change/",
            "/admin/partners/partner/",
            f"/admin/partners/partner/{scene.membership.partner_id}/change/",
            "/admin/partners/membership/",
            f"/admin/partners/membership/{scene.membership.pk}/change/",
            f"/admin/partners/membership/{scene.membership.pk}/terms/",
            "/admin/tiers/plan/",
            f"/admin/tiers/planversion/{PlanVersion.objects.get().pk}/change/",
            "/admin/referrals/conversion/",
            f"/admin/referrals/conversion/{sale.pk}/change/",
            "/admin/referrals/conversion/import/",
            "/admin/runs/run/",
            f"/admin/runs/run/{run.pk}/change/",
        ],
    )


def test_the_pages_of_finance(scene: Scene, page: Page) -> None:
    sign_in(page, fiona())
    slug = scene.house.program.slug
    assert_sound(
        page,
        [
            "/admin/",
            "/admin/payouts/commission/",
            f"/admin/payouts/commission/{Commission.objects.earliest('pk').pk}/change/",
            "/admin/payouts/period/",
            f"/admin/payouts/period/{slug}/2026-05/close/",
            f"/admin/payouts/period/{slug}/2026-06/close/",
            "/admin/payouts/statement/",
            f"/admin/payouts/statement/{scene.statement(Month(2026, 2)).pk}/change/",
            "/admin/payouts/payrun/",
            f"/admin/payouts/payrun/{PayRun.objects.latest('pk').pk}/change/",
            f"/admin/payouts/payrun/{PayRun.objects.latest('pk').pk}/step/settle/",
            "/admin/payouts/payrun/prepare/",
            "/admin/payouts/payment/",
            "/admin/payouts/paymentmethod/",
            "/admin/payouts/account/",
        ],
    )


def test_the_administrators_pages(scene: Scene, page: Page) -> None:
    sign_in(page, ada())
    program, user = scene.house.program, User.objects.get(pk=ana().pk)
    assert_sound(
        page,
        [
            "/admin/",
            "/admin/tiers/program/",
            f"/admin/tiers/program/{program.pk}/change/",
            "/admin/tiers/legalentity/",
            "/admin/partners/termsversion/",
            "/admin/accounts/user/",
            f"/admin/accounts/user/{user.pk}/change/",
            "/admin/accounts/apikey/",
            "/admin/mail/outgoingmail/",
            "/admin/audit/auditevent/",
        ],
    )


def test_dark_pages_have_enough_contrast(scene: Scene, open_page: Opener) -> None:
    page = open_page(color_scheme="dark")
    sign_in(page, ana())
    for address in ("/portal/", "/portal/earnings/", f"/p/{scene.house.program.slug}/apply/"):
        page.goto(address)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert sum(int(part) for part in re.findall(r"\d+", ground)[:3]) < 3 * 80, "the page is not dark"
        assert_accessible(page)


def test_an_application_with_mistakes_leads_to_them(scene: Scene, page: Page, watch: Watch) -> None:
    watch.forgive.add(422)
    page.goto(f"/p/{scene.house.program.slug}/apply/")
    page.get_by_label("Your name").fill("Ana Prado")
    page.get_by_label("E-mail address").fill("ana@studio")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.locator(".error-summary")).to_be_focused()
    assert_accessible(page)
    page.locator(".error-summary").get_by_role("link", name=re.compile("e-mail address")).click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    expect(page.get_by_label("Your name")).to_have_value("Ana Prado")


def test_the_keyboard_reaches_the_page_past_its_head(scene: Scene, page: Page) -> None:
    sign_in(page, ana())
    page.goto("/portal/earnings/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_filter_stays_in_the_address(scene: Scene, page: Page) -> None:
    sign_in(page, ana())
    page.goto("/portal/earnings/")
    page.get_by_role("link", name="On hold", exact=True).click()
    for _time in ("chosen", "loaded again"):
        expect(page.locator(".chips [aria-current]")).to_have_text("On hold")
        # 50.00 and -5.00 are on hold; nothing else is
        expect(page.locator("table.data tbody tr")).to_have_count(2)
        expect(page.locator("table.data tfoot")).to_contain_text("£45.00")
        page.reload()


def test_the_portal_works_without_scripts(scene: Scene, open_page: Opener) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, ana())
    expect(page.locator(".path")).to_contain_text("£320.00")  # 300.00 - 20.00 + 40.00 are ready

    page.goto("/portal/earnings/")
    page.get_by_role("link", name=re.compile("Why £50.00")).click()
    expect(page).to_have_url(re.compile("/portal/earnings/com_"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Why £50.00?")

    page.goto("/portal/links/new/")
    page.get_by_label(re.compile("name|label", re.IGNORECASE)).first.fill("Spring letter")
    page.locator("main form button").first.click()
    assert Link.objects.filter(label="Spring letter").count() == 1
    expect(page.get_by_role("main")).to_contain_text("Spring letter")

    page.goto(f"/p/{scene.house.program.slug}/apply/")
    for label, answer in {
        "Your name": "Ben Okafor",
        "E-mail address": "ben@okafor.example",
        "Phone": "+44 20 7946 0018",
        "Company or creator name": "Okafor Reads",
    }.items():
        page.get_by_label(label).fill(answer)
    page.get_by_label("Country").select_option(label="United Kingdom")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("How will you promote us?").fill("In a weekly letter about books and gifts.")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("main")).to_contain_text("ben@okafor.example")


def test_a_link_is_copied_or_at_least_selected(scene: Scene, page: Page) -> None:
    sign_in(page, ana())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/portal/links/")
    page.get_by_role("button", name=re.compile("^Copy")).first.click()
    expect(page.locator("#toast")).not_to_be_empty()
    assert page.evaluate("navigator.clipboard.readText()").endswith("/r/ana")


def test_what_the_scene_promises(scene: Scene) -> None:
    """The pages above are only worth looking at with something on them."""
    assert Statement.objects.count() == 5
    assert PayRun.objects.count() == 2
    assert Run.objects.count() == 0
