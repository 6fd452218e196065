"""Ada sets a program up, and Manon, whom nobody knows, becomes a partner in it, in French: she applies, is asked for more, answers, is
approved, signs in with a code from her mailbox, brings a colleague in and accepts new terms. All of it through the pages people use.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery import Celery
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from partners.choices import ApplicationState, TermsState
from partners.models import Acceptance, Application, FormVersion, Member, Membership, TermsVersion
from partners.terms.versions import TEXTS
from portal.views import apply, apply_check
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.applying import hidden
from tests.desk import at_desk, words
from tests.factories.tiers import LegalEntityFactory
from tests.pages import submit, went_on
from tests.people import ada, mats
from tiers.models import Plan, Program

pytestmark = pytest.mark.django_db(transaction=True)  # tasks follow a commit

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MANON, LUC = "manon@atelier.example", "luc@atelier.example"


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer at once; that every answer takes equally long has a test of its own."""
    for module in (apply, apply_check):
        monkeypatch.setattr(module, "NEUTRAL_SECONDS", 0.0)


def test_a_stranger_becomes_a_partner_in_french(eager_tasks: Celery, mailoutbox: list[EmailMessage]) -> None:
    with time_machine.travel(NOW, tick=True) as clock:
        ada_desk, mats_desk = at_desk(ada()), at_desk(mats())
        program = a_program_is_set_up(ada_desk)
        manon = Client(headers={"Accept-Language": "fr-FR,fr;q=0.9"})
        application = manon_applies(manon, program)
        mats_asks_for_more(mats_desk, application)
        manon_answers(manon, application)
        membership = mats_approves(mats_desk, application)

        clock.shift(timedelta(hours=1))
        sign_in_by_code(manon, application.email, mailoutbox)
        manon_finds_her_way(manon, membership)
        luc_joins(manon, membership, mailoutbox)

        clock.shift(timedelta(days=1))
        terms_change(at_desk(ada()), program)  # the session of yesterday is over
        clock.shift(timedelta(days=31))
        sign_in_by_code(manon, application.email, mailoutbox)
        manon_accepts_the_new_terms(manon, membership)
    check_the_records(membership, application)


def a_program_is_set_up(desk: Client) -> Program:
    """Program, plan, form, terms, page and material, each on its own page; then it opens."""
    entity = LegalEntityFactory.create(iban="GB94BARC10201530093459", bic="BARCGB22")
    went_on(
        submit(
            desk,
            reverse("admin:tiers_program_add"),
            {
                "name": "Halden Affiliates",
                "slug": "affiliates",
                "partnership_type": "affiliate",
                "legal_entity": entity.pk,
                "currency": "GBP",
                "time_zone": "Europe/Paris",
                "minimum_payout": "50",
                "destination_url": "https://shop.halden.example/",
                "contact_email": "partners@halden.example",
                "is_public": "on",
                "tiers-TOTAL_FORMS": 1,
                "tiers-0-rank": 1,
                "tiers-0-key": "registered",
                "tiers-0-name": "Registered",
            },
        )
    )
    program = Program.objects.get(slug="affiliates")
    launch = reverse("admin:partners_launch", args=[program.pk])
    refused = desk.post(launch)
    assert refused.status_code in (200, 422)
    assert "Missing: Terms, Plan" in words(refused)

    plan_is_published(desk, Plan.objects.get(program=program))
    form_is_published(desk, program)
    first = terms_are_published(desk, program)
    page = reverse("admin:partners_program_page", args=[program.pk, "fr"])
    went_on(submit(desk, page, headline="Vos lecteurs, nos cadeaux", who_can_join="Des créateurs."))
    page = reverse("admin:partners_program_page", args=[program.pk, "en"])
    went_on(submit(desk, page, who_can_join="People with readers of their own."))
    add = reverse("admin:partners_programresource_add")
    kit = {
        "program": program.pk,
        "kind": "product",
        "title": "Press kit",
        "url": "https://halden.example/kit",
    }
    went_on(submit(desk, add, kit))

    assert went_on(desk.post(launch)) == launch
    program.refresh_from_db()
    assert program.is_open
    assert first.program == program
    return program


def plan_is_published(desk: Client, plan: Plan) -> None:
    went_on(desk.post(reverse("admin:tiers_plan_draft", args=[plan.pk])))
    version = plan.versions.get()
    rule = {"name": "Every order", "kind": "percent", "rate": "8"}
    went_on(submit(desk, reverse("admin:tiers_rule_add", args=[version.pk]), rule, then="save"))
    went_on(submit(desk, reverse("admin:tiers_planversion_publish", args=[version.pk]), effective_on=""))
    version.refresh_from_db()
    assert version.state == "published"


def form_is_published(desk: Client, program: Program) -> None:
    """The form we have, with a question of the program's own in two languages."""
    went_on(submit(desk, reverse("admin:partners_formversion_begin", args=[program.pk]), start="standard"))
    draft = FormVersion.objects.get(program=program, state="draft")
    question = {
        "label_en": "How many letters do you send a year?",
        "label_fr": "Combien de lettres envoyez-vous par an ?",
        "kind": "number",
        "step": "audience",
        "required": "on",
        "key": "letters",
    }
    went_on(submit(desk, reverse("admin:partners_formversion_add_question", args=[draft.pk]), question))
    top = reverse("admin:partners_formversion_top", args=[draft.pk])
    went_on(submit(desk, top, call_to_action_en="Join us", call_to_action_fr="Rejoignez-nous"))
    went_on(desk.post(reverse("admin:partners_formversion_publish", args=[draft.pk])))


def terms_are_published(desk: Client, program: Program) -> TermsVersion:
    """A draft with a section left empty is not published; complete, it is."""
    texts = {name: f"What holds about {name}." for name in TEXTS}
    add = reverse("admin:partners_termsversion_add")
    went_on(submit(desk, add, {**texts, "support": ""}, program=program.pk))
    draft = TermsVersion.objects.get(program=program, state=TermsState.DRAFT)
    publish = reverse("admin:partners_termsversion_publish", args=[draft.pk])
    assert desk.post(publish, {"effective_on": ""}).status_code == 422
    change = reverse("admin:partners_termsversion_change", args=[draft.pk])
    went_on(submit(desk, change, support=texts["support"]))
    went_on(submit(desk, publish, effective_on=""))
    draft.refresh_from_db()
    assert (draft.state, draft.number) == (TermsState.PUBLISHED, 1)
    return draft


def manon_applies(client: Client, program: Program) -> Application:
    """Her browser asks for French; she looks at it in Polish once and comes back. A mistake loses nothing."""
    page = client.get(f"/p/{program.slug}/")
    assert '<html lang="fr"' in page.content.decode()
    assert "Vos lecteurs, nos cadeaux" in words(page)
    for language in ("pl", "fr"):
        client.post("/i18n/setlang/", {"language": language, "next": f"/p/{program.slug}/"})
        assert f'<html lang="{language}"' in client.get(f"/p/{program.slug}/").content.decode()

    step = f"/p/{program.slug}/apply/you/"
    assert went_on(client.get(f"/p/{program.slug}/apply/")) == step
    assert "Rejoignez-nous" in words(client.get(step))
    answers = {"full_name": "Manon Roux", "phone": "+33 1 23 45 67 89", "company": "Atelier Roux"}
    wrong = submit(client, step, answers, country="France", email="manon@atelier")
    assert wrong.status_code == 422
    assert 'value="Atelier Roux"' in wrong.content.decode()
    step = went_on(submit(client, step, answers, country="France", email=MANON))
    assert "Combien de lettres envoyez-vous par an ?" in words(client.get(step))
    told = {"website": "atelier.example", "how_promote": "Une lettre par semaine.", "letters": "52"}
    check = went_on(submit(client, step, told))
    assert not OutgoingMail.objects.filter(to=MANON).exists()
    sent = went_on(submit(client, check, accept="on"))
    assert sent == f"/p/{program.slug}/apply/sent/"

    application = Application.objects.get()
    assert (application.language, application.state) == ("fr", ApplicationState.SUBMITTED)
    thanks = words(client.get(sent))
    assert application.public_id in thanks
    assert "Merci, nous avons votre candidature" in thanks
    assert not Application.objects.waiting_for_us().exists()
    letter = latest(MANON, "application_confirm")
    assert letter.language == "fr"
    status = link_in(letter, "/application/")
    assert '<html lang="fr"' in client.get(status).content.decode()
    confirmed = client.post(status, {"action": "confirm"}, follow=True)
    assert "Votre adresse e-mail est confirmée." in words(confirmed)
    assert Application.objects.waiting_for_us().get() == application
    return application


def mats_asks_for_more(desk: Client, application: Application) -> None:
    queue = desk.get(reverse("admin:partners_application_changelist"))
    assert "Atelier Roux" in words(queue)
    review = review_of(application)
    assert "52" in words(desk.get(review))
    assert submit(desk, review, decision="ask", text="").status_code == 422
    went_on(submit(desk, review, decision="ask", text="Who reads your letters?"))
    application.refresh_from_db()
    assert application.state == ApplicationState.INFO_REQUESTED


def manon_answers(client: Client, application: Application) -> None:
    letter = latest(MANON, "application_question")
    assert letter.language == "fr"
    assert letter.subject == "Une question sur votre candidature : Halden Affiliates"
    assert "Who reads your letters?" in letter.text
    status = link_in(letter, "/application/")
    assert "Who reads your letters?" in words(client.get(status))
    assert submit(client, status, text="").status_code == 422
    assert went_on(submit(client, status, text="Des fleuristes et leurs clients.")) == status
    application.refresh_from_db()
    assert application.state == ApplicationState.IN_REVIEW


def mats_approves(desk: Client, application: Application) -> Membership:
    review = review_of(application)
    assert "Des fleuristes et leurs clients." in words(desk.get(review))
    went_on(submit(desk, review, decision="approve", text="Bienvenue !"))
    application.refresh_from_db()
    assert application.state == ApplicationState.APPROVED
    again = desk.post(review, {"decision": "reject", "reason": "other"})
    assert "declined" not in words(again)
    letter = latest(MANON, "application_approved")
    assert (letter.language, "Bienvenue !" in letter.text) == ("fr", True)
    return Membership.objects.get()


def manon_finds_her_way(client: Client, membership: Membership) -> None:
    home = client.get("/portal/")
    assert '<html lang="fr"' in home.content.decode()
    assert membership.codes.get().code in words(home)
    for room in ("first-steps/", "resources/", "profile/", "terms/", "team/", "introductions/", "leave/"):
        page = client.get(f"/portal/{room}")
        assert (room, page.status_code) == (room, 200)
    change = "/portal/profile/change/"
    went_on(submit(client, change, legal_name="Atelier Roux SARL"))
    membership.partner.refresh_from_db()
    assert membership.partner.legal_name == "Atelier Roux SARL"


def luc_joins(manon: Client, membership: Membership, mailoutbox: list[EmailMessage]) -> None:
    """The link proves his mailbox, the code signs him in; he looks, and invites nobody."""
    person = {"full_name": "Luc Roux", "email": LUC, "role": "read_only"}
    went_on(submit(manon, "/portal/team/invite/", person))
    luc = Client(headers={"Accept-Language": "fr"})
    invitation = link_in(latest(LUC, "team_invitation"), "/invitation/")
    assert "Atelier Roux" in words(luc.get(invitation))
    went_on(luc.post(invitation))
    sign_in_by_code(luc, LUC, mailoutbox)
    assert luc.get("/portal/").status_code == 200
    assert luc.get("/portal/team/invite/").status_code == 403
    assert set(Member.objects.current().values_list("user__email", "role")) == {
        (MANON, "owner"),
        (LUC, "read_only"),
    }
    assert luc.get(invitation).status_code == 410


def terms_change(desk: Client, program: Program) -> None:
    first = TermsVersion.objects.get(program=program)
    draft = went_on(desk.post(reverse("admin:partners_termsversion_draft", args=[first.pk])))
    went_on(submit(desk, draft, support="Help on weekdays, and on Saturdays."))
    second = TermsVersion.objects.get(program=program, number=2)
    publish = reverse("admin:partners_termsversion_publish", args=[second.pk])
    assert "1 member is asked to accept it" in words(desk.get(publish))
    went_on(submit(desk, publish))
    second.refresh_from_db()
    assert second.state == TermsState.PUBLISHED


def manon_accepts_the_new_terms(client: Client, membership: Membership) -> None:
    letter = latest(MANON, "terms_to_accept")
    assert letter.language == "fr"
    assert "/portal/terms/" in letter.text
    home = client.get("/portal/").content.decode()
    assert 'class="notice' in home
    assert 'href="/portal/terms/"' in home
    page = client.get("/portal/terms/")
    assert "and on Saturdays" in words(page)
    shown = hidden(page.content, "shown")
    assert client.post("/portal/terms/accept/", {"shown": shown}).status_code == 422
    went_on(submit(client, "/portal/terms/", form="/portal/terms/accept/", accept="on"))
    assert "/portal/terms/accept/" not in client.get("/portal/terms/").content.decode()


def check_the_records(membership: Membership, application: Application) -> None:
    owner = Member.objects.get(role="owner").user
    first, second = Acceptance.objects.filter(membership=membership).order_by("pk")
    assert (first.application, first.terms_version.number) == (application, 1)
    assert (second.person, second.terms_version.number) == (owner, 2)
    for each in (first, second):
        assert each.text_sha256 == each.terms_version.sha256
        assert (each.accepted_email, each.address) == (MANON, "127.0.0.1")
    [placement] = membership.placements.all()
    assert (placement.tier.key, placement.ends_at) == ("registered", None)
    assert (owner.email, owner.language) == (MANON, "fr")
    assert membership.partner.country == "France"
    assert membership.links.count() == 1
    noted = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    for action in ("program.opened", "application.approved", "terms.published"):
        assert action in noted, noted


def review_of(application: Application) -> str:
    return reverse("admin:partners_application_change", args=[application.pk])


def latest(to: str, kind: str) -> OutgoingMail:
    return OutgoingMail.objects.filter(kind=kind, to=to).order_by("-pk")[0]


def link_in(letter: OutgoingMail, start: str) -> str:
    """Return the address in a letter that begins with `start`."""
    [found] = set(re.findall(rf"https?://[^/\s]+({start}\S+)", letter.text))
    return str(found)


def sign_in_by_code(client: Client, email: str, mailoutbox: list[EmailMessage]) -> None:
    client.post("/accounts/login/code/", {"email": email})
    code = re.search(r"^\s*([A-Z0-9-]{6,})\s*$", str(mailoutbox[-1].body), re.MULTILINE)
    assert code, mailoutbox[-1].body
    entered = client.post("/accounts/login/code/confirm/", {"code": code[1]})
    assert went_on(entered) == "/portal/"
