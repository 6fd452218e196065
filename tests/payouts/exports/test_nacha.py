"""An ACH file, read by a parser that shares nothing with its writer: positions of fields are those of the record layouts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from payouts.exports import checks, nacha
from payouts.models import Payment
from tests.payouts.exports.sent import TODAY, entity, is_golden, payment, run, to_us, us_details

PEOPLE = frozenset({2})  # the second partner is a private person


@dataclass
class Batch:
    """What a batch says, and what was read in it."""

    header: str
    entries: list[str] = field(default_factory=list)
    control: str = ""


def parsed(content: bytes) -> tuple[str, list[Batch], str]:
    """Return the file header, the batches and the file control; refuse what is out of place."""
    lines = content.decode("ascii").split("\r\n")
    assert lines.pop() == ""
    assert len(lines) % 10 == 0
    assert {len(line) for line in lines} == {94}
    batches: list[Batch] = []
    header, rest = lines[0], lines[1:]
    assert header[0] == "1"
    for place, line in enumerate(rest):
        kind = line[0]
        if kind == "5":
            batches.append(Batch(line))
        elif kind == "6":
            batches[-1].entries.append(line)
        elif kind == "8":
            batches[-1].control = line
        else:
            assert kind == "9"
            assert all(filling == "9" * 94 for filling in rest[place + 1 :])
            return header, batches, line
    raise AssertionError("no file control")


def sums(entries: list[str]) -> tuple[int, int, int]:
    """Return the hash, debits and credits of entries: codes 22 and 32 credit, 27 debits."""
    routing = sum(int(entry[3:11]) for entry in entries) % 10**10
    debit = sum(int(entry[29:39]) for entry in entries if entry[1:3] == "27")
    credit = sum(int(entry[29:39]) for entry in entries if entry[1:3] in ("22", "32"))
    return routing, debit, credit


def faultless(content: bytes) -> tuple[str, list[Batch], str]:
    """Return what was parsed, every control record seen to agree with what it controls."""
    header, batches, control = parsed(content)
    for number, batch in enumerate(batches, start=1):
        assert batch.header[87:94] == batch.control[87:94] == f"{number:07d}"
        assert batch.header[1:4] == batch.control[1:4]
        assert batch.header[79:87] == batch.control[79:87] == "02100002"
        assert batch.header[40:50] == batch.control[44:54]
        assert int(batch.control[4:10]) == len(batch.entries)
        said = (int(batch.control[10:20]), int(batch.control[20:32]), int(batch.control[32:44]))
        assert said == sums(batch.entries)
    entries = [entry for batch in batches for entry in batch.entries]
    assert int(control[1:7]) == len(batches)
    assert int(control[7:13]) * 10 == len(content) // 96
    assert int(control[13:21]) == len(entries)
    assert (int(control[21:31]), int(control[31:43]), int(control[43:55])) == sums(entries)
    traces = [entry[79:94] for entry in entries]
    assert traces == [f"02100002{place:07d}" for place in range(1, len(entries) + 1)]
    return header, batches, control


def rendered(payments: list[Payment], **facts: Any) -> bytes:
    a_run = run("USD", **facts)
    assert list(nacha.problems(a_run, payments, on=TODAY)) == []
    return nacha.render(a_run, payments, people=PEOPLE)


def test_companies_and_people_have_batches_of_their_own_and_the_file_is_golden() -> None:
    content = rendered(to_us())
    assert is_golden(content, "nacha.txt")
    header, [companies, people], control = faultless(content)
    assert header[3:13] == " 021000021"
    assert header[13:23] == "1943829104"
    assert header[23:33] == "2605111000"  # approved on 11 May 2026 at 10:00
    assert header[34:39] == "09410"
    assert (companies.header[50:53], companies.header[53:63]) == ("CCD", "COMMISSION")
    assert (people.header[50:53], people.header[53:63]) == ("PPD", "PAYROLL   ")
    assert companies.header[69:75] == people.header[69:75] == "260514"
    assert companies.header[1:4] == "220"
    # 250.00 + 0.99 to checking accounts of companies, 1,000.01 to a savings account of a person.
    assert [(entry[1:3], int(entry[29:39])) for entry in companies.entries] == [("22", 250_00), ("22", 99)]
    assert [(entry[1:3], int(entry[29:39])) for entry in people.entries] == [("32", 1000_01)]
    assert companies.entries[0][3:12] == "011401533"
    assert companies.entries[0][12:29] == "4471             "
    assert people.entries[0][54:76] == "ZOLW + SYN            "
    # 2 x 01140153 + 09100001 = 11380307
    assert control[21:31] == "0011380307"
    assert control[43:55] == "000000125100"


def test_a_known_account_of_the_entity_is_debited_with_what_is_paid() -> None:
    content = rendered(to_us(), whose=entity(us_account_number="55500011"))
    _header, batches, control = faultless(content)
    assert [batch.header[1:4] for batch in batches] == ["200", "200"]
    assert [(batch.entries[-1][1:3], int(batch.entries[-1][29:39])) for batch in batches] == [
        ("27", 250_99),
        ("27", 1000_01),
    ]
    assert batches[0].entries[-1][12:29].strip() == "55500011"
    assert control[31:43] == control[43:55] == "000000125100"


def test_the_same_run_gives_the_same_bytes() -> None:
    assert rendered(to_us()) == rendered(to_us())


@pytest.mark.parametrize(("count", "lines"), [(1, 10), (6, 10), (7, 20), (16, 20)])
def test_a_file_is_filled_up_to_blocks_of_ten(count: int, lines: int) -> None:
    details = us_details("011401533", "4471", "checking")
    some = [payment(1, 100 + n, "USD", kind="us_account", details=details) for n in range(count)]
    content = rendered(some)
    faultless(content)
    assert content.count(b"\r\n") == lines  # four records of control, one for each payment


def of(details: str, minor: int = 5_00, currency: str = "USD") -> Payment:
    return payment(1, minor, currency, kind="us_account", details=details)


GOOD = us_details("011401533", "4471", "checking")
FAULTS: list[tuple[Payment, dict[str, Any], str]] = [
    (of(us_details("011401534", "4471", "checking")), {}, "bad_routing_number"),
    (of(us_details("", "4471", "checking")), {}, "bad_routing_number"),
    (of(us_details("011401533", "1" * 18, "checking")), {}, "bad_account_number"),
    (of(us_details("011401533", "44\n71", "checking")), {}, "bad_account_number"),
    (of(us_details("011401533", "4471", "credit card")), {}, "bad_account_type"),
    (of(GOOD, minor=10**10), {}, "amount_too_large"),
    (of(GOOD, currency="EUR"), {}, "wrong_currency"),
    (of(GOOD), {"whose": entity(us_routing_number="")}, "missing_us_bank"),
    (of(GOOD), {"whose": entity(us_company_id="")}, "missing_us_bank"),
    (of(GOOD), {"whose": entity(us_account_number="?")}, "bad_account_number"),
    (of(GOOD), {"execute_on": date(2026, 5, 11)}, "date_passed"),
    (of(GOOD), {"execute_on": date(2026, 5, 17)}, "not_a_bank_day"),
]


@pytest.mark.parametrize(("faulty", "facts", "code"), FAULTS)
def test_what_the_bank_would_refuse_is_refused_here(
    faulty: Payment, facts: dict[str, Any], code: str
) -> None:
    with pytest.raises(checks.FileRefused) as refusal:
        checks.refuse_if(nacha.problems(run("USD", **facts), [faulty], on=TODAY))
    assert refusal.value.code == code
