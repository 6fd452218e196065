"""What codes give, how long, and that a retired one is gone for ever; the shop's files of codes, in and out."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.money import Money
from referrals import code_files, codes
from referrals.code_files import CodeState, Outcome
from referrals.code_terms import BadAmount, BadLimit, BadPercent, EndsTooSoon, Terms, TwoDiscounts, is_usable
from referrals.models import Code
from tests.factories.referrals import NOW, CodeFactory, new_membership
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db
FILE = """code;partner;discount_percent;discount_amount;use_limit;starts;ends
 ana-10 ;{one};10;;100;2026-12-01;2026-12-31
BEN5;ben@x.example;;5.00;;;
"""


def two_partners() -> tuple[Any, Any]:
    """Return the memberships of two partners in one program."""
    one = new_membership(name="Ana")
    two = new_membership(name="Ben")
    two.partner.email = "Ben@X.example"
    two.partner.save(update_fields=["email"])
    two.program = one.program
    two.save(update_fields=["program"])
    return one, two


def test_a_code_gives_a_percentage_or_an_amount_for_some_days_and_uses() -> None:
    terms = Terms(percent=Decimal("12.5"), use_limit=3, starts_at=NOW, ends_at=NOW + timedelta(days=1))
    code = codes.make(new_membership(), code="ANA", terms=terms, at=NOW)
    code.refresh_from_db()
    assert (code.discount_percent, code.use_limit) == (Decimal("12.50"), 3)
    assert not is_usable(code, at=NOW - timedelta(seconds=1))
    assert is_usable(code, at=NOW)
    assert not is_usable(code, at=NOW + timedelta(days=1))
    code.uses = 3
    assert code_files.state_of(code, at=NOW) == CodeState.USED_UP


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (Terms(percent=Decimal(0)), BadPercent),
        (Terms(percent=Decimal("100.01")), BadPercent),
        (Terms(percent=Decimal("0.001")), BadPercent),
        (Terms(percent=Decimal("NaN")), BadPercent),
        (Terms(amount=Money(0, "GBP")), BadAmount),
        (Terms(amount=Money(100, "EUR")), BadAmount),
        (Terms(percent=Decimal(5), amount=Money(100, "GBP")), TwoDiscounts),
        (Terms(use_limit=0), BadLimit),
        (Terms(use_limit=2**31), BadLimit),
        (Terms(starts_at=NOW, ends_at=NOW), EndsTooSoon),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms: Terms, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        codes.make(new_membership(), code="ANA", terms=terms, at=NOW)
    assert not Code.objects.exists()


def test_a_limit_does_not_fall_below_what_was_used() -> None:
    code = CodeFactory.create(use_limit=10, uses=7)
    with pytest.raises(BadLimit, match="7"):
        codes.change(code, Terms(use_limit=6), by=mats(), at=NOW)
    assert codes.change(code, Terms(use_limit=7), by=mats(), at=NOW).use_limit == 7
    assert AuditEvent.objects.get(action="code.changed").details["fields"] == ["use_limit"]


def test_a_retired_code_is_gone_for_ever() -> None:
    code, by = CodeFactory.create(code="SPRING"), mats()
    codes.retire(code, by=by, at=NOW)
    codes.retire(code, by=by, at=NOW + timedelta(days=1))
    code.refresh_from_db()
    assert (code.is_active, code.retired_at, code.retired_by) == (False, NOW, by)
    assert AuditEvent.objects.filter(action="code.retired").count() == 1
    with pytest.raises(codes.CodeRetired, match="out of use for ever"):
        codes.make(code.membership, code="spring", at=NOW)
    for act in (
        lambda: codes.switch(code, on=True, by=by, at=NOW),
        lambda: codes.change(code, Terms(), by=by, at=NOW),
    ):
        with pytest.raises(codes.IsRetired):
            act()
    with pytest.raises(Forbidden):
        codes.retire(CodeFactory.create(), by=fiona(), at=NOW)


# Files ---------------------------------------------------------------------------------------------------------------


def test_a_file_of_codes_is_taken_once() -> None:
    one, two = two_partners()
    rows = code_files.parse(FILE.format(one=one.partner.public_id))
    assert [each.outcome for each in code_files.check(one.program, rows)] == [Outcome.NEW, Outcome.NEW]
    assert not Code.objects.exists()
    code_files.take_all(one.program, rows, by=mats(), at=NOW)
    ana, ben = Code.objects.order_by("code")
    assert (ana.code, ana.membership, ana.discount_percent, ana.use_limit) == (
        "ANA-10",
        one,
        Decimal(10),
        100,
    )
    assert ana.starts_at == datetime(2026, 12, 1, tzinfo=UTC)  # winter in London
    assert ana.ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (ben.membership, ben.discount_minor) == (two, 500)
    events = AuditEvent.objects.count()
    again = code_files.take_all(one.program, rows, by=mats(), at=NOW)
    assert again.count(Outcome.SAME) == 2
    assert AuditEvent.objects.count() == events
    more = code_files.parse(FILE.format(one=one.public_id).replace("5.00", "6.00"))
    assert code_files.take_all(one.program, more, by=mats(), at=NOW).count(Outcome.CHANGED) == 1
    assert Code.objects.get(code="BEN5").discount_minor == 600


def test_each_fault_of_a_file_is_named_by_line_and_column_and_the_good_rows_are_taken() -> None:
    one, _two = two_partners()
    CodeFactory.create(code="THEIRS")
    CodeFactory.create(code="GONE", is_active=False, retired_at=NOW)
    ptn = one.partner.public_id
    text = "\n".join(
        [
            "partner,code,discount_percent,discount_amount,use_limit,starts,ends",
            f"{ptn},GOOD,10,,,,",
            "nobody@x.example,A1,10,,,,",
            f"{ptn},A 2,10,,,,",
            f"{ptn},A3,ten,,,,",
            f"{ptn},A4,,1e3,,,",
            f"{ptn},A5,10,5.00,,,",
            f"{ptn},A6,10,,1.5,,",
            f"{ptn},A7,10,,,31.12.2026,",
            f"{ptn},A8,10,,,2026-02-02,2026-02-01",
            f"{ptn},good,10,,,,",
            f"{ptn},THEIRS,10,,,,",
            f"{ptn},GONE,10,,,,",
        ]
    )
    rows = code_files.parse(text)
    none = code_files.take_all(one.program, rows, by=mats(), at=NOW, atomic=True)
    assert (none.kept, Code.objects.filter(code="GOOD").exists()) == (False, False)
    taken = code_files.take_all(one.program, rows, by=mats(), at=NOW)
    assert Code.objects.filter(code="GOOD").exists()
    assert [(fault.line, fault.column) for fault in taken.faults] == [
        (3, "partner"),
        (4, "code"),
        (5, "discount_percent"),
        (6, "discount_amount"),
        (7, "discount_amount"),
        (8, "use_limit"),
        (9, "starts"),
        (10, "ends"),
        (11, "code"),
        (12, "code"),
        (13, "code"),
    ]
    with pytest.raises(Forbidden):
        code_files.take_all(one.program, rows, by=fiona(), at=NOW)


def test_the_shops_file_says_what_to_create_and_to_deactivate_and_is_no_formula() -> None:
    one, _two = two_partners()
    CodeFactory.create(membership=one, code="A-ON", discount_percent="10", use_limit=5)
    CodeFactory.create(membership=one, code="B-OVER", ends_at=NOW, discount_minor=5_00)
    CodeFactory.create(membership=one, code="C-OFF", is_active=False)
    CodeFactory.create(membership=one, code="D-LATER", starts_at=NOW + timedelta(days=1))
    CodeFactory.create(code="OTHER-PROGRAM")
    lines = list(csv.DictReader(io.StringIO("".join(code_files.export(one.program, at=NOW)))))
    assert [(row["action"], row["code"], row["state"]) for row in lines] == [
        ("create", "A-ON", "on"),
        ("deactivate", "B-OVER", "over"),
        ("deactivate", "C-OFF", "off"),
        ("create", "D-LATER", "waiting"),
    ]
    assert (lines[0]["discount_percent"], lines[0]["use_limit"], lines[0]["currency"]) == (
        "10.00",
        "5",
        "GBP",
    )
    assert (lines[1]["discount_amount"], lines[1]["ends"]) == ("5.00", "2026-11-20")
    assert lines[3]["starts"] == "2026-11-21"
    assert not any(cell[:1] in "=+-@" for row in lines for cell in row.values() if cell)


def test_codes_go_in_and_out_on_the_command_line(tmp_path: Path, capsys: Any) -> None:
    one, _two = two_partners()
    file, out = tmp_path / "codes.csv", tmp_path / "out.csv"
    file.write_text(FILE.format(one=one.public_id))
    given = ["import_codes", str(file), "--program", one.program.slug, "--json", "--no-progress"]
    call_command(*given, "--dry-run")
    assert json.loads(capsys.readouterr().out)["new"] == 2
    assert not Code.objects.exists()
    call_command(*given)
    assert json.loads(capsys.readouterr().out)["new"] == 2
    call_command(*given)
    assert json.loads(capsys.readouterr().out)["same"] == 2
    file.write_text(FILE.format(one="ptn_unknown"))
    with pytest.raises(CommandError) as end:
        call_command(*given)
    assert end.value.returncode == 3
    file.write_text("code\nA\n")
    with pytest.raises(CommandError, match="partner") as end:
        call_command(*given)
    assert end.value.returncode == 2
    capsys.readouterr()
    call_command(
        "export_codes", "--program", one.program.slug, "--output", str(out), "--json", "--no-progress"
    )
    assert json.loads(capsys.readouterr().out)["rows"] == 2
    assert out.read_text().splitlines()[1].startswith("create,ANA-10,")
