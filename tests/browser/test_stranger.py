"""From stranger to partner in a browser, at a desk and on a telephone: Ada writes the form and opens the program, Manon applies in French, is
asked for more, answers, is approved, signs in, brings Luc in and accepts new terms, the second time with a passkey. Every page on the way
is looked at for faults of accessibility and for what sticks out sideways.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from celery import Celery
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from partners import invitations
from partners import terms as terms_of
from partners.models import Acceptance, Application, FormVersion, Member, Membership, TermsVersion
from prm.accounts.models import User
from prm.mail.models import OutgoingMail
from tests.browser.conftest import Opener, Watch
from tests.browser.hands import faults, sign_in
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.recruiting import OnboardingStepFactory, ProgramResourceFactory, ProgramTextFactory
from tests.house import House, open_house
from tests.people import ada, mats

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MANON, LUC, INES = "manon@atelier.example", "luc@atelier.example", "ines@rocha.example"
OPENS = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_a_stranger_becomes_a_partner(
    screen: dict[str, int],
    open_page: Opener,
    travel: time_machine.Traveller,
    eager_tasks: Celery,
    watch: Watch,
    site: str,
) -> None:
    watch.forgive |= {403, 410, 422}
    house = a_closed_house()

    def as_ada() -> Page:
        return staff(open_page(viewport=screen), ada())

    travel.move_to(OPENS)
    manon = open_page(viewport=screen, locale="fr-FR")
    manon_finds_it_closed(manon)
    desk = as_ada()
    ada_writes_the_form(desk, house)
    ada_publishes_terms(
        desk, TermsVersionFactory.create(program=house.program), until="Nobody is a member yet"
    )
    ada_opens_the_program(desk, house)
    application = manon_applies(manon)
    manon_confirms(manon)

    desk = staff(open_page(viewport=screen), mats())
    mats_asks_for_more(desk, application)
    manon_answers(manon)
    mats_approves(desk, application)
    mats_decides_on_several(desk, house)

    sign_in_by_code(manon, MANON)
    manon_looks_around(manon)
    passkey_is_added(manon)
    luc_joins(manon, open_page(viewport=screen, locale="fr-FR"))
    ines_is_invited(open_page(viewport=screen), house)

    travel.shift(timedelta(hours=13))  # everybody's session is over
    current = TermsVersion.objects.get()
    draft = terms_of.draft_from_current(house.program, by=ada(), at=timezone.now())
    terms_of.edit(draft, values={"support": "Help on Saturdays."}, by=ada(), at=timezone.now())
    ada_publishes_terms(as_ada(), draft, until="1 member is asked to accept it")
    sign_in_by_passkey(manon)
    manon_accepts_the_new_terms(manon)

    membership = Membership.objects.get()
    accepted = Acceptance.objects.filter(membership=membership).order_by("pk")
    assert [each.terms_version for each in accepted] == [current, draft]


def a_closed_house() -> House:
    """A program whose plan is in force and whose form, terms and opening are still to come."""
    house = open_house()
    program = house.program
    program.is_open, program.contact_email = False, "partners@halden.example"
    program.save()
    ProgramTextFactory.create(program=program, language="fr", headline="Vos lecteurs, nos cadeaux")
    ProgramTextFactory.create(program=program, language="en", who_can_join="People with readers.")
    ProgramResourceFactory.create(program=program)
    OnboardingStepFactory.create(program=program)
    return house


def ada_writes_the_form(page: Page, house: House) -> None:
    page.goto("/admin/partners/formversion/")
    page.get_by_role("link", name="New version").click()
    page.get_by_role("button", name="Make the draft").click()
    page.get_by_role("link", name="New question").click()
    sound(page)
    page.locator("[name=label_en]").fill("How many letters do you send a year?")
    page.locator("[name=label_fr]").fill("Combien de lettres envoyez-vous par an ?")
    page.locator("[name=kind]").select_option("choice")
    page.get_by_role("button", name="Add the question").click()
    expect(page).to_have_title(re.compile("^Error:"))
    sound(page)
    page.locator("[name=kind]").select_option("number")
    page.get_by_role("button", name="Add the question").click()
    expect(page.get_by_role("main")).to_contain_text("How many letters do you send a year?")
    sound(page)
    version = FormVersion.objects.get(state="draft")
    for name in ("preview", "publish"):
        page.goto(reverse(f"admin:partners_formversion_{name}", args=[version.pk]))
        sound(page)
    page.locator("main form button.button[type=submit], main form input[type=submit]").first.click()
    expect(page.locator(".messagelist")).to_contain_text("is in use")


def ada_publishes_terms(page: Page, draft: TermsVersion, *, until: str) -> None:
    page.goto(reverse("admin:partners_termsversion_publish", args=[draft.pk]))
    expect(page.get_by_role("main")).to_contain_text(until)
    sound(page)
    press(page, "effective_on")
    expect(page.locator(".messagelist")).to_contain_text("in force from")
    sound(page)


def ada_opens_the_program(page: Page, house: House) -> None:
    page.goto(reverse("admin:partners_launch", args=[house.program.pk]))
    sound(page)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator(".messagelist")).to_contain_text("takes applications now")


def manon_finds_it_closed(page: Page) -> None:
    page.goto("/p/affiliates/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("main")).to_contain_text("Vos lecteurs, nos cadeaux")
    sound(page)
    page.locator("#waiting + form [name=email]").fill("manon@")
    press(page, "email")
    expect(page.locator(".error-summary")).to_be_focused()
    sound(page)


def manon_applies(page: Page) -> Application:
    """First with nothing said, then with everything; the choice of a language is kept."""
    page.goto("/p/affiliates/")
    sound(page)
    for language in ("pl", "fr"):
        page.locator(f".languages button[value={language}]").first.click()
        expect(page.locator("html")).to_have_attribute("lang", language)
    page.locator("main a.button").first.click()
    sound(page)
    page.locator("[name=company]").fill("Atelier Roux")
    press(page, "full_name")
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("[name=company]")).to_have_value("Atelier Roux")
    sound(page)
    for name, answer in (("full_name", "Manon Roux"), ("email", MANON), ("phone", "+33 1 23 45 67 89")):
        page.locator(f"[name={name}]").fill(answer)
    press(page, "full_name")
    expect(page.get_by_label("Combien de lettres envoyez-vous par an")).to_be_visible()
    sound(page)
    page.get_by_label("Combien de lettres envoyez-vous par an").fill("52")
    page.locator("[name=how_promote]").fill("Une lettre par semaine.")
    press(page, "how_promote")
    expect(page.get_by_role("main")).to_contain_text(MANON)
    sound(page)
    press(page, "accept")
    expect(page.locator(".error-summary")).to_be_focused()
    sound(page)
    page.locator("[name=accept]").check()
    press(page, "accept")
    page.wait_for_url("**/apply/sent/")
    application = Application.objects.get()
    expect(page.get_by_role("main")).to_contain_text(application.public_id)
    sound(page)
    assert application.language == "fr"
    return application


def manon_confirms(page: Page) -> None:
    page.goto(link_in(MANON, "application_confirm", "/application/"))
    sound(page)
    press(page, "action")
    expect(page.locator("main [name=action][value=confirm]")).to_have_count(0)
    sound(page)
    assert Application.objects.waiting_for_us().exists()


def mats_asks_for_more(page: Page, application: Application) -> None:
    page.goto("/admin/partners/application/")
    sound(page)
    page.get_by_role("link", name=re.compile("Atelier Roux|app_")).first.click()
    sound(page)
    page.locator("[name=decision][value=ask]").check()
    page.get_by_role("button", name="Decide on").click()
    expect(page).to_have_title(re.compile("^Error:"))
    sound(page)
    page.locator("[name=text]").fill("Who reads your letters?")
    page.get_by_role("button", name="Decide on").click()
    expect(page.locator(".messagelist")).to_contain_text("gets your question by e-mail")


def manon_answers(page: Page) -> None:
    page.goto(link_in(MANON, "application_question", "/application/"))
    expect(page.get_by_role("main")).to_contain_text("Who reads your letters?")
    sound(page)
    page.locator("[name=text]").fill("Des fleuristes et leurs clients.")
    press(page, "text")
    expect(page.locator("[name=text]")).to_have_value("")
    expect(page.get_by_role("main")).to_contain_text("Des fleuristes et leurs clients.")


def mats_approves(page: Page, application: Application) -> None:
    page.goto(reverse("admin:partners_application_change", args=[application.pk]))
    expect(page.get_by_role("main")).to_contain_text("Des fleuristes et leurs clients.")
    page.get_by_role("button", name="Decide on").click()
    expect(page.locator(".messagelist")).to_contain_text("is approved and gets an e-mail")


def mats_decides_on_several(page: Page, house: House) -> None:
    several = ApplicationFactory.create_batch(2, program=house.program, created_at=OPENS)
    ids = ",".join(str(each.pk) for each in several)
    page.goto(f"{reverse('admin:partners_application_together', args=['reject'])}?ids={ids}")
    sound(page)
    press(page, "reason")
    expect(page).to_have_title(re.compile("^Error:"))
    page.locator("[name=reason]").select_option("other")
    press(page, "reason")
    expect(page.get_by_role("heading", level=1)).to_contain_text("2")
    sound(page)


def manon_looks_around(page: Page) -> None:
    rooms = ("", "first-steps/", "resources/", "profile/", "profile/change/", "terms/", "team/")
    for room in (*rooms, "introductions/", "introductions/new/", "account/", "account/data/", "leave/"):
        page.goto(f"/portal/{room}")
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        sound(page)


def passkey_is_added(page: Page) -> None:
    """The telephone or computer keeps the key; here the browser plays that part."""
    driver = page.context.new_cdp_session(page)
    driver.send("WebAuthn.enable")
    keeper = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    driver.send("WebAuthn.addVirtualAuthenticator", {"options": keeper})
    page.goto("/accounts/2fa/webauthn/add/")
    sound(page)
    page.locator("[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(re.compile("/accounts/2fa/(?!webauthn/add)"))
    assert Authenticator.objects.filter(user__email=MANON, type=Authenticator.Type.WEBAUTHN).exists()


def sign_in_by_passkey(page: Page) -> None:
    page.goto("/accounts/login/")
    page.locator("#passkey_login").click()
    page.wait_for_url(re.compile("/portal/"))


def luc_joins(manon: Page, luc: Page) -> None:
    manon.goto("/portal/team/invite/")
    press(manon, "email")
    expect(manon.locator(".error-summary")).to_be_focused()
    sound(manon)
    manon.locator("main [name=email]").fill(LUC)
    press(manon, "email")
    manon.wait_for_url("**/portal/team/")
    sound(manon)
    invitation = link_in(LUC, "team_invitation", "/invitation/")
    luc.goto(invitation)
    sound(luc)
    luc.locator("main form button").click()
    sign_in_by_code(luc, LUC)
    luc.goto("/portal/team/invite/")
    sound(luc)
    luc.goto(invitation)
    sound(luc)
    assert Member.objects.current().count() == 2


def ines_is_invited(page: Page, house: House) -> None:
    guest = invitations.Guest(INES, "Inês", "Rocha Gifts", "en", "Hello!", "Only you in Portugal.")
    invitations.invite(house.program, guest=guest, tier=house.tier, by=mats(), at=timezone.now())
    page.goto(link_in(INES, "program_invitation", "/invited/"))
    sound(page)


def manon_accepts_the_new_terms(page: Page) -> None:
    page.goto("/portal/")
    sound(page)
    page.locator("main .notice a[href='/portal/terms/'], .notices a[href='/portal/terms/']").first.click()
    expect(page.get_by_role("main")).to_contain_text("Help on Saturdays.")
    sound(page)
    press(page, "accept")
    expect(page.locator(".error-summary")).to_be_focused()
    sound(page)
    page.locator("[name=accept]").check()
    press(page, "accept")
    expect(page.locator("main [name=accept]")).to_have_count(0)


def press(page: Page, field: str) -> None:
    """Press the button of the form that has a field: what it says depends on the language."""
    page.locator(f"main form:has([name={field}]) button[type=submit]:not([tabindex])").first.click()


def sound(page: Page) -> None:
    """Look for what axe finds, and for what is wider than the screen."""
    found = faults(page)
    needed, there = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    if needed > there:
        found.append(f"{page.url}: {needed} pixels at a width of {there}")
    assert found == [], "\n".join(found)


def staff(page: Page, person: User) -> Page:
    sign_in(page, person)
    return page


def link_in(to: str, kind: str, start: str) -> str:
    """Return the address that begins with `start` from the last letter of a kind, which is in the reader's language."""
    letter = OutgoingMail.objects.filter(kind=kind, to=to).order_by("-pk")[0]
    assert letter.language == ("en" if to == INES else "fr")
    [found] = set(re.findall(rf"https?://[^/\s]+({start}\S+)", letter.text))
    return str(found)


def sign_in_by_code(page: Page, email: str) -> None:
    page.goto("/accounts/login/code/")
    page.locator("main [name=email]").fill(email)
    page.locator("main button[type=submit]").first.click()
    page.locator("main [name=code]").wait_for()
    codes = re.findall(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    page.locator("main [name=code]").fill(codes[0])
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(re.compile("/portal/"))
