"""A pain.001 message is valid by the official schema in both versions, says what the payments say, and is the same bytes each time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sepaxml
import xmlschema

from payouts.exports import sepa_checks, sepa_pain001
from payouts.exports.latin import bank_text
from payouts.models import Payment
from tests.payouts.exports.sent import EXECUTE_ON, TODAY, by_iban, entity, is_golden, payment, run

NEW, OLD = "pain.001.001.09", "pain.001.001.03"


@lru_cache
def schema(version: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(Path(sepaxml.__file__).parent / "schemas" / f"{version}.xsd"))


def read(document: bytes, path: str) -> list[str]:
    tree = ElementTree.fromstring(document)
    found = tree.findall("/".join(f"{{*}}{step}" for step in ["CstmrCdtTrfInitn", *path.split("/")]))
    return [node.text or "" for node in found]


def rendered(payments: list[Payment], *, version: str = NEW, **facts: Any) -> bytes:
    """Return the message, seen to be valid and without fault."""
    document = sepa_pain001.render(run(**facts), payments, version=version)
    schema(version).validate(document.decode())
    said = sepa_pain001.expected(payments)
    assert list(sepa_checks.problems_in(document, on=TODAY, expected=said)) == []
    return document


@pytest.mark.parametrize(("version", "name"), [(NEW, "pain001_09_eur.xml"), (OLD, "pain001_03_eur.xml")])
def test_both_versions_are_valid_and_the_golden_files(version: str, name: str) -> None:
    document = rendered(by_iban(), version=version)
    assert is_golden(document, name)
    assert read(document, "GrpHdr/CtrlSum") == read(document, "PmtInf/CtrlSum") == ["1333.57"]
    assert read(document, "GrpHdr/NbOfTxs") == ["3"]
    assert read(document, "PmtInf/CdtTrfTxInf/Amt/InstdAmt") == ["1234.56", "0.01", "99.00"]
    assert read(document, "PmtInf/PmtTpInf/SvcLvl/Cd") == ["SEPA"]
    assert read(document, "PmtInf/ChrgBr") == ["SLEV"]


def test_pounds_go_out_without_the_service_level_of_sepa() -> None:
    whose = entity(name="Halden Giftware Ltd", country_code="GB", iban="GB33BUKB20201555555555", bic="")
    some = [payment(1, 54_49, "GBP", iban="GB29NWBK60161331926819", bic="NWBKGB2L")]
    document = rendered(some, currency="GBP", whose=whose)
    assert is_golden(document, "pain001_gbp.xml")
    assert read(document, "PmtInf/PmtTpInf/SvcLvl/Cd") == ["NURG"]
    assert read(document, "PmtInf/ChrgBr") == ["SHAR"]
    assert read(document, "PmtInf/DbtrAgt/FinInstnId/Othr/Id") == ["NOTPROVIDED"]


def test_euros_that_leave_the_sepa_area_travel_in_a_batch_of_their_own() -> None:
    turkish = payment(4, 10_00, iban="TR330006100519786457841326")
    document = rendered([turkish, *by_iban()])
    assert read(document, "PmtInf/PmtTpInf/SvcLvl/Cd") == ["SEPA", "NURG"]
    assert read(document, "PmtInf/CtrlSum") == ["1333.57", "10.00"]
    assert read(document, "GrpHdr/CtrlSum") == ["1343.57"]
    assert len(set(read(document, "PmtInf/PmtInfId"))) == 2


@pytest.mark.parametrize(
    ("currency", "minor", "written"),
    [
        ("JPY", 920, "920"),
        ("BHD", 1_005, "1.005"),
        ("USD", 5, "0.05"),
        ("EUR", 999_999_999_99, "999999999.99"),
    ],
)
def test_each_currency_has_its_own_decimals(currency: str, minor: int, written: str) -> None:
    document = rendered([payment(1, minor, currency, iban="DE89370400440532013000")], currency=currency)
    assert read(document, "PmtInf/CdtTrfTxInf/Amt/InstdAmt") == [written]
    assert read(document, "GrpHdr/CtrlSum") == [written]


def test_a_message_in_another_currency_than_the_run_has_an_id_of_its_own() -> None:
    sent_in_zloty = payment(
        1, 100_00, sent_minor=430_00, sent_currency="PLN", iban="PL61109010140000071219812874"
    )
    document = rendered([sent_in_zloty])
    assert read(document, "GrpHdr/MsgId") == ["PRN-01KQZ0000000000000000000AA-PLN"]
    assert read(document, "PmtInf/CdtTrfTxInf/Amt/InstdAmt") == ["430.00"]
    # Whether the account it is paid from is in zloty is for the bank to know.
    assert read(document, "PmtInf/DbtrAcct/Ccy") == []


def test_half_an_address_is_written_for_the_check_that_refuses_it_and_a_country_alone_is_none() -> None:
    document = rendered([payment(3, 5_00, iban="BE68539007547034")])
    assert read(document, "PmtInf/CdtTrfTxInf/Cdtr/PstlAdr") == []
    half = payment(1, 5_00, iban="DE89370400440532013000")
    half.membership.partner.country = "Nowhere"
    document = sepa_pain001.render(run(), [half])
    found = list(sepa_checks.problems_in(document, on=TODAY))
    assert [(problem.code, problem.detail) for problem in found] == [("address_incomplete", "country")]
    assert "Studio Prado" in str(found[0]) and half.end_to_end_id in str(found[0])


def test_a_file_is_refused_on_the_day_after_it_should_have_been_executed() -> None:
    document = rendered(by_iban())
    late = EXECUTE_ON.replace(day=15)
    assert {problem.code for problem in sepa_checks.problems_in(document, on=late)} == {"date_passed"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Żółw & Syn <Sp. z o.o.>", "Zolw + Syn Sp. z o.o."),
        ("//Ösüm\nGmbH//", "Osum GmbH"),
        ("a//b", "a/b"),
        ("Дом", "Dom"),
        ("x" * 80, "x" * 70),
    ],
)
def test_banks_get_letters_they_know(text: str, written: str) -> None:
    assert bank_text(text, 70) == written


@pytest.mark.parametrize(
    ("country", "code"),
    [("United Kingdom", "GB"), ("de", "DE"), ("France", "FR"), ("Holland", "NL"), ("Nowhere", ""), ("", "")],
)
def test_countries_are_found_by_name_or_code(country: str, code: str) -> None:
    assert sepa_pain001.country_code(country) == code
