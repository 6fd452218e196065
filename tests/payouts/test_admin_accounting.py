"""The back office's pages for the operator's own books: codes, journals and the list of a year, for those who hold the capability."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from payouts.models import AccountCode
from prm.audit.models import AuditEvent
from tests.desk import at_desk, links, words
from tests.factories import payout_rows as rows
from tests.factories.partners import MembershipFactory
from tests.factories.tiers import LegalEntityFactory, ProgramFactory
from tests.people import ada, fiona, mats
from tiers.models import LegalEntity

pytestmark = pytest.mark.django_db

LIST = "admin:payouts_accountcode_changelist"


@pytest.fixture
def entity() -> LegalEntity:
    """A house that booked something in March and paid somebody in January."""
    entity: LegalEntity = LegalEntityFactory.create(name="Halden Inc", number_prefix="HI")
    member = MembershipFactory.create(program=ProgramFactory.create(legal_entity=entity, currency="USD"))
    rows.PaymentFactory.create(
        pay_run=rows.PayRunFactory.create(legal_entity=entity),
        statement=rows.StatementFactory.create(membership=member),
        currency="USD",
        amount_minor=2_500_00,
        state="settled",
        settled_at=datetime(2026, 1, 15, 12, tzinfo=UTC),
        holder="Studio Prado",
    )
    return entity


@pytest.fixture
def desk() -> Client:
    return at_desk(fiona())


def test_the_page_shows_codes_and_leads_to_journals(desk: Client, entity: LegalEntity) -> None:
    AccountCode.objects.create(legal_entity=entity, account_kind="expense", code="6222", name="Commissions")
    page = desk.get(reverse(LIST))
    said = words(page)
    assert "Commission expense 6222 Commissions" in said
    assert "Ready to pay payable –" in said
    journal = reverse("admin:payouts_accountcode_journal", args=[entity.pk, "2026-03"])
    assert journal in links(page)
    response = desk.get(journal)
    assert response["Content-Disposition"] == 'attachment; filename="journal-HI-2026-03.csv"'
    body = b"".join(response.streaming_content)  # type: ignore[arg-type]  # a plain generator
    assert body.startswith(b"date,transaction,kind,account,")
    assert AuditEvent.objects.get(action="journal.taken").details == {"month": "2026-03"}


def test_codes_are_kept_and_a_bad_one_is_answered_at_its_field(desk: Client, entity: LegalEntity) -> None:
    address = reverse("admin:payouts_accountcode_codes", args=[entity.pk])
    bad = desk.post(address, {"code_cash": "=1+1", "code_expense": "6222"})
    assert bad.status_code == 200
    assert "=1+1 is not an account code" in words(bad)
    assert "#id_code_cash" in links(bad)
    assert not AccountCode.objects.exists()
    done = desk.post(address, {"code_expense": " 6222 ", "name_expense": "Commissions"}, follow=True)
    assert "1 code is changed." in words(done)
    assert AccountCode.objects.get().code == "6222"


def test_the_list_of_a_year_is_shown_and_given_as_files(desk: Client, entity: LegalEntity) -> None:
    page = desk.get(reverse("admin:payouts_yearly"), {"entity": entity.pk, "year": "2026"})
    said = words(page)
    assert "Halden Inc in 2026" in said
    assert "US$2,500.00" in said
    assert "US$2,000.00 reached" in said
    for form, kind in (("csv", "text/csv; charset=utf-8"), ("xlsx", "application/vnd.openxml")):
        address = reverse("admin:payouts_yearly_file", args=[entity.pk, 2026, form])
        assert address in links(page)
        response = desk.get(address)
        assert response["Content-Type"].startswith(kind)
        assert f"payments-HI-2026.{form}" in response["Content-Disposition"]
    assert AuditEvent.objects.filter(action="yearly_list.taken").count() == 2


@pytest.mark.parametrize("year", ["2999", "1999", "soon"])
def test_a_year_without_a_list_is_answered_at_the_field(desk: Client, entity: LegalEntity, year: str) -> None:
    page = desk.get(reverse("admin:payouts_yearly"), {"entity": entity.pk, "year": year})
    assert page.status_code == 200
    assert "#year_year" in links(page)


@pytest.mark.parametrize(("year", "form"), [("2999", "csv"), ("2026", "pdf")])
def test_a_file_that_does_not_exist_is_not_found(
    desk: Client, entity: LegalEntity, year: str, form: str
) -> None:
    assert desk.get(f"{reverse('admin:payouts_yearly')}{entity.pk}/{year}.{form}").status_code == 404


def test_who_may_not_look_is_told_so(entity: LegalEntity) -> None:
    manager = at_desk(mats())
    for address in (
        reverse(LIST),
        reverse("admin:payouts_yearly"),
        reverse("admin:payouts_accountcode_codes", args=[entity.pk]),
        reverse("admin:payouts_accountcode_journal", args=[entity.pk, "2026-03"]),
        reverse("admin:payouts_yearly_file", args=[entity.pk, 2026, "csv"]),
    ):
        assert manager.get(address).status_code == 403, address
    assert at_desk(ada()).get(reverse(LIST)).status_code == 200
