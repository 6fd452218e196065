from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partners import negotiation, tokens, waiting
from partners.models import Amendment, Application, Membership, Partner, Placement, TermsVersion
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, links, words
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.recruiting import ApplicationFileFactory, ReferenceFactory
from tests.factories.tiers import ProgramFactory, TierFactory, published_plan
from tests.house import open_house
from tests.people import ada, fiona, mats
from tests.portal.scene import busy_partner
from tiers.models import Tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def application() -> Application:
    program = ProgramFactory.create()
    TierFactory.create(program=program, key="gold", name="Gold", rank=2)
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    published_plan(
        program,
        {"tier_keys": ["gold"], "rate": "12.5"},
        {"kind": "percent_plus_flat", "rate": "5", "flat_minor": 200},
        by=ada(),
    )
    now = timezone.now()
    made: Application = ApplicationFactory.create(program=program, company="Kite Labs", created_at=now)
    return made


def review(application: Application) -> str:
    return reverse("admin:partners_application_change", args=[application.pk])


def decide(client: Client, application: Application, **values: object) -> str:
    response = client.post(review(application), values, follow=True)
    assert response.status_code in (200, 422)
    return words(response)


def test_the_page_shows_facts_signals_and_what_each_tier_earns(application: Application) -> None:
    text = words(at_desk(mats()).get(review(application)))
    assert "Kite Labs" in text
    assert "Registered, 5% + £2.00" in text
    assert "Gold, 12.5%" in text
    assert "The e-mail address is confirmed." in text
    assert "can sign in to the portal" in text


def test_an_approval_makes_a_membership_and_opens_the_next_application(application: Application) -> None:
    later = ApplicationFactory.create(program=application.program, company="Next Ltd")
    gold = Tier.objects.get(key="gold")
    text = decide(at_desk(mats()), application, decision="approve", tier=gold.pk, text="Welcome!")
    membership = Membership.objects.get(application=application)
    assert membership.placements.get().tier == gold
    assert OutgoingMail.objects.filter(kind="application_approved").count() == 1
    assert "Kite Labs is approved" in text
    assert str(later) in text


def test_a_question_goes_to_the_applicant(application: Application) -> None:
    text = decide(at_desk(mats()), application, decision="ask", text="Which newsletter?")
    application.refresh_from_db()
    assert application.state == "info_requested"
    assert "gets your question" in text


def test_a_rejection_keeps_its_reason_and_date(application: Application) -> None:
    day = (timezone.now() + timedelta(days=30)).date()
    decide(
        at_desk(mats()),
        application,
        decision="reject",
        reason="fit",
        reapply_on=day.isoformat(),
        text="Sorry",
    )
    application.refresh_from_db()
    assert (application.state, application.rejection_reason, application.reapply_on) == (
        "rejected",
        "fit",
        day,
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"decision": "reject"}, "Choose a reason."),
        ({"decision": "ask"}, "Write what you want to know."),
        ({"decision": "reject", "reason": "fit", "reapply_on": "2020-01-01"}, "has to lie ahead"),
        ({"decision": "approve", "tier": "999999"}, "valid choice"),
    ],
)
def test_a_decision_that_lacks_something_says_what_and_nothing_moves(
    application: Application, values: dict[str, str], said: str
) -> None:
    text = decide(at_desk(mats()), application, **values)
    assert said in text
    assert "There is 1 thing to fix" in text
    application.refresh_from_db()
    assert application.state == "submitted"
    assert not Membership.objects.filter(application=application).exists()


def test_an_application_decided_meanwhile_is_not_decided_again(application: Application) -> None:
    client = at_desk(mats())
    decide(client, application, decision="reject", reason="fit")
    gold = Tier.objects.get(key="gold")
    text = decide(client, application, decision="approve", tier=gold.pk)
    assert "closed already" in text
    assert not Membership.objects.filter(application=application).exists()


def queue(**look: str) -> str:
    response = at_desk(mats()).get(reverse("admin:partners_application_changelist"), look)
    assert response.status_code == 200
    return words(response)


def test_the_queue_opens_with_what_waits_for_us_and_can_be_narrowed(application: Application) -> None:
    late = timezone.now() - timedelta(days=60)
    ApplicationFactory.create(company="Gone Ltd", state="withdrawn")
    ApplicationFactory.create(company="Unsure Ltd", email_confirmed_at=None)
    ApplicationFactory.create(company="Asked Ltd", state="info_requested")
    ApplicationFactory.create(
        company="Late Ltd", created_at=late, manager=mats(), assigned_at=late, partnership_type="agency"
    )
    ApplicationFactory.create(company="Draft Ltd", state="draft", submitted_at=None, email_confirmed_at=None)
    names = ["Kite Labs", "Gone Ltd", "Unsure Ltd", "Asked Ltd", "Late Ltd", "Draft Ltd"]
    looks: list[tuple[dict[str, str], set[str]]] = [
        ({}, {"Kite Labs", "Late Ltd"}),
        ({"waiting": "applicant"}, {"Asked Ltd"}),
        ({"waiting": "unconfirmed"}, {"Unsure Ltd"}),
        ({"waiting": "no"}, {"Gone Ltd"}),
        ({"waiting": "all"}, set(names) - {"Draft Ltd"}),
        ({"state__exact": "withdrawn"}, {"Gone Ltd"}),
        ({"q": "Unsure"}, {"Unsure Ltd"}),
        ({"age": "late"}, {"Late Ltd"}),
        ({"owner": "me"}, {"Late Ltd"}),
        ({"owner": "nobody"}, {"Kite Labs"}),
        ({"type": "agency"}, {"Late Ltd"}),
    ]
    for look, expected in looks:
        text = queue(**look)
        assert {name for name in names if name in text} == expected, look


def test_signals_narrow_the_queue(application: Application) -> None:
    application.email = application.email_folded = "ana@lima.example"
    application.save(update_fields=["email", "email_folded"])
    ApplicationFactory.create(
        company="Odd Ltd", email="x@mailinator.com", website="https://odd.example", phone="", how_promote=""
    )
    assert "Odd Ltd" in queue(signals="some")
    assert "Kite Labs" not in queue(signals="some")
    assert "Kite Labs" in queue(signals="none")
    assert "Odd Ltd" not in queue(signals="none")


def test_what_was_promised_for_today_is_found() -> None:
    program = ProgramFactory.create(decision_days=0, time_zone="UTC")
    now = timezone.now()
    application = ApplicationFactory.create(program=program, company="Now Ltd", created_at=now)
    wait = waiting.wait_of(application, at=now)
    assert wait is not None
    found = waiting.due_today(Application.objects.all(), at=now)
    assert (application in found) is (wait.promised == now.date())
    assert application not in waiting.late(Application.objects.all(), at=now)
    assert application in waiting.late(Application.objects.all(), at=now + timedelta(days=4))


def test_a_thousand_applications_ask_no_more_than_ten() -> None:
    program = ProgramFactory.create()
    at = timezone.now()
    rows = [
        Application(
            program=program,
            state="submitted",
            full_name=f"Person {n}",
            email=f"p{n}@n{n}.example",
            email_folded=f"p{n}@n{n}.example",
            phone=f"+44 20 7946 {n:04}",
            company=f"Company {n}",
            token_sha256=f"{n:064}",
            created_at=at,
            submitted_at=at,
            email_confirmed_at=at,
        )
        for n in range(1000)
    ]
    address = reverse("admin:partners_application_changelist")
    client = at_desk(mats())
    client.get(address)  # what a session asks once is not the page's
    counted = []
    for chosen in (rows[:10], rows[10:]):
        Application.objects.bulk_create(chosen)
        with CaptureQueriesContext(connection) as asked:
            text = words(client.get(address))
        counted.append(len(asked))
    assert "1000 applications" in text
    assert counted[0] == counted[1]
    with CaptureQueriesContext(connection) as asked:
        client.get(address, {"signals": "many"})
    assert len(asked) <= counted[0] + 12


def test_a_letter_is_read_before_it_is_sent(application: Application) -> None:
    Application.objects.filter(pk=application.pk).update(language="fr")
    gold = Tier.objects.get(key="gold")
    given = {"decision": "approve", "tier": gold.pk, "text": "Great to have you.", "preview": "1"}
    text = decide(at_desk(mats()), application, **given)
    assert "Great to have you." in text
    assert "12,5" in text  # the rate, as the applicant reads it
    application.refresh_from_db()
    assert application.state == "submitted"
    assert not OutgoingMail.objects.exists()
    decide(at_desk(mats()), application, **{**given, "preview": ""})


def test_the_secret_link_of_an_applicant_is_not_shown_to_staff(application: Application) -> None:
    given = {"decision": "ask", "text": "Which newsletter?", "preview": "1"}
    text = decide(at_desk(mats()), application, **given)
    assert "Which newsletter?" in text
    assert "the applicant’s own link" in text
    assert tokens.status_token(application) not in text


def test_own_rates_open_a_draft_and_an_addendum_is_proposed(application: Application) -> None:
    gold = Tier.objects.get(key="gold")
    given = {"decision": "approve", "tier": gold.pk, "own_terms": "on", "addendum": "Only in Portugal."}
    response = at_desk(ada()).post(review(application), given)
    membership = Membership.objects.get(application=application)
    draft = negotiation.versions_of(membership).get()
    assert response["Location"] == reverse("admin:tiers_planversion_change", args=[draft.pk])
    assert Amendment.objects.get(membership=membership).text == "Only in Portugal."
    assert "own_terms" not in at_desk(mats()).get(review(ApplicationFactory.create())).content.decode()


def test_answers_files_and_references_stand_beside_the_decision(application: Application) -> None:
    named = ReferenceFactory.create(application=application, full_name="Rui Costa")
    file = ApplicationFileFactory.create(application=application)
    client = at_desk(mats())
    page = client.get(review(application))
    assert "Ask Rui Costa to confirm" in words(page)
    assert reverse("admin:partners_application_file", args=[application.pk, file.public_id]) in links(page)
    url = reverse("admin:partners_application_reference", args=[application.pk, named.pk])
    assert "Rui Costa gets a mail" in words(client.post(url, follow=True))
    named.refresh_from_db()
    assert named.asked_by == mats()
    assert "no answer yet" in words(client.get(review(application)))


def test_an_application_is_taken_over_given_away_and_begun(application: Application) -> None:
    client = at_desk(mats())
    for name in ("take", "start"):
        client.post(reverse(f"admin:partners_application_{name}", args=[application.pk]))
    application.refresh_from_db()
    assert (application.manager, application.state) == (mats(), "in_review")
    assign = reverse("admin:partners_application_assign", args=[application.pk])
    assert "Ada Halden looks after" in words(client.post(assign, {"manager": ada().pk}, follow=True))
    assert at_desk(fiona()).post(assign, {"manager": ada().pk}).status_code == 403


def test_the_page_of_a_partner_says_where_it_stands_and_what_it_earned() -> None:
    scene = busy_partner()
    partner = scene.membership.partner
    text = words(at_desk(fiona()).get(reverse("admin:partners_partner_change", args=[partner.pk])))
    assert "£0.00 £45.00 £320.00 £200.00 £100.00" in text  # in review, on hold, ready, on its way, paid
    assert "IBAN ending 5555" in text
    assert "GB33BUKB20201555555555" not in text
    assert "ANA10" in text


def test_an_account_manager_sees_no_bank_account_on_the_page_of_a_partner() -> None:
    scene = busy_partner()
    url = reverse("admin:partners_partner_change", args=[scene.membership.partner.pk])
    assert "IBAN" not in words(at_desk(mats()).get(url))


def test_details_of_a_partner_are_changed_on_record() -> None:
    partner = open_house().member("K1").partner
    url = reverse("admin:partners_partner_change", args=[partner.pk])
    form = at_desk(mats()).get(url).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields}
    response = at_desk(mats()).post(url, {**values, "town": "Leeds"})
    assert response.status_code == 302
    partner.refresh_from_db()
    assert partner.town == "Leeds"
    event = AuditEvent.objects.get(action="partner.profile_changed")
    assert "town" in str(event.details)
    assert event.actor == mats()


def test_finance_may_look_at_a_partner_and_change_nothing() -> None:
    partner = open_house().member("K1").partner
    url = reverse("admin:partners_partner_change", args=[partner.pk])
    assert at_desk(fiona()).post(url, {"name": "Other"}).status_code == 403
    assert Partner.objects.get(pk=partner.pk).name == "Partner K1"


def test_a_tier_is_changed_on_a_page_of_its_own() -> None:
    house = open_house()
    membership = house.member("K1")
    gold = TierFactory.create(program=house.program, key="gold", name="Gold", rank=2)
    url = reverse("admin:partners_membership_tier", args=[membership.pk])
    client = at_desk(mats())
    assert "does not change, whatever its state" in words(client.get(url))
    response = client.post(url, {"tier": gold.pk, "because": "A strong quarter"}, follow=True)
    assert "stands in Gold from now on" in words(response)
    placed = Placement.objects.get(membership=membership, ends_at=None)
    assert (placed.tier, placed.because, placed.placed_by) == (gold, "A strong quarter", mats())


def test_the_same_tier_again_is_refused_in_words() -> None:
    house = open_house()
    membership = house.member("K1")
    url = reverse("admin:partners_membership_tier", args=[membership.pk])
    response = at_desk(mats()).post(url, {"tier": house.tier.pk, "because": "Again"})
    assert "stands in this tier already" in words(response)
    assert Placement.objects.filter(membership=membership).count() == 1


def test_finance_does_not_place_partners() -> None:
    membership = open_house().member("K1")
    response = at_desk(fiona()).post(reverse("admin:partners_membership_tier", args=[membership.pk]))
    assert response.status_code == 403
    assert "Account manager" in words(response)


def test_terms_are_drafted_edited_and_published_and_then_stay() -> None:
    program = ProgramFactory.create()
    client = at_desk(ada())
    texts = {"summary": "s", "pricing": "p", "what_counts": "w", "how_measured": "h", "support": "u"}
    add = reverse("admin:partners_termsversion_add")
    asked = client.get(add).context["adminform"].form
    rest = {name: asked[name].value() for name in asked.fields if asked[name].value() is not None}
    texts = {**rest, **texts}
    client.post(add, {**texts, "program": program.pk})
    version = TermsVersion.objects.get(program=program)
    url = reverse("admin:partners_termsversion_change", args=[version.pk])
    client.post(url, {**texts, "pricing": "Ten percent"})
    publish = reverse("admin:partners_termsversion_publish", args=[version.pk])
    assert publish in links(client.get(url))
    assert "can never be edited" in words(client.get(publish))
    client.post(publish, {"effective_on": ""})
    version.refresh_from_db()
    assert (version.state, version.pricing) == ("published", "Ten percent")
    client.post(url, {**texts, "pricing": "Twenty percent"})
    version.refresh_from_db()
    assert version.pricing == "Ten percent"
    assert 'name="_save"' not in client.get(url).content.decode()


def test_terms_with_a_gap_are_not_published() -> None:
    version = TermsVersionFactory.create(support="")
    publish = reverse("admin:partners_termsversion_publish", args=[version.pk])
    assert "are empty" in words(at_desk(ada()).post(publish, {"effective_on": ""}))
    version.refresh_from_db()
    assert version.state == "draft"


def test_only_those_who_publish_terms_reach_the_page() -> None:
    version = TermsVersionFactory.create()
    publish = reverse("admin:partners_termsversion_publish", args=[version.pk])
    response = at_desk(mats()).get(publish)
    assert response.status_code == 403
    assert "Administrator" in words(response)
