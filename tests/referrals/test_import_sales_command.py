"""`manage.py import_sales`: its exit codes, its JSON, and the year of real sales to the penny."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from prm.accounts import policy
from prm.runs.models import Run
from referrals import mapping_memory
from referrals.mapping import FileMapping
from referrals.models import Code, Conversion, Credit
from tests.factories.prm import UserFactory
from tests.factories.referrals import NOW, CodeFactory, new_membership
from tests.referrals.test_imports import GOOD, HEADER, line

pytestmark = pytest.mark.django_db

DATA = Path(__file__).resolve().parents[2] / "demo" / "online_retail"


def write(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def call(*args: Any) -> tuple[int, dict[str, Any], str]:
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("import_sales", *map(str, args), "--json", "--no-progress", stdout=out, stderr=err)
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return code, json.loads(out.getvalue() or "{}"), err.getvalue()


@pytest.fixture(autouse=True)
def code() -> Any:
    return CodeFactory.create(code="ANA-1")


def test_exit_code_0_when_every_line_is_in_the_books(tmp_path: Path) -> None:
    code, result, _err = call(write(tmp_path / "a.csv", GOOD), "--source", "shop")
    assert (code, result["created"], result["state"], result["source"]) == (0, 1, "finished", "shop")
    run = Run.objects.get()
    assert (run.kind, run.done, run.total, run.state) == ("referrals.import", 1, 1, "finished")


def test_exit_code_3_when_some_lines_have_faults_which_stderr_names(tmp_path: Path) -> None:
    code, result, err = call(write(tmp_path / "a.csv", GOOD, line(event_id="2", amount="1e3")))
    assert (code, result["created"], result["failed"]) == (3, 1, 1)
    assert result["errors"] == [
        {
            "line": 3,
            "column": "amount",
            "code": "not_an_amount",
            "message": "“1e3” is not an amount: write digits with a decimal point, such as 12.50.",
        }
    ]
    assert "line 3, column amount: " in err


def test_exit_code_3_and_nothing_taken_when_atomic(tmp_path: Path) -> None:
    code, result, _err = call(write(tmp_path / "a.csv", GOOD, line(event_id="2", amount="x")), "--atomic")
    assert (code, result["kept"]) == (3, False)
    assert Conversion.objects.count() == 0
    assert Run.objects.get().state == "finished_with_errors"


def test_a_dry_run_leaves_no_trace(tmp_path: Path) -> None:
    code, result, _err = call(write(tmp_path / "a.csv", GOOD), "--dry-run")
    assert (code, result["created"], result["dry_run"], result["kept"]) == (0, 1, True, False)
    assert result["sums"] == {"GBP": {"sale": "12.50"}}
    assert (Conversion.objects.count(), Run.objects.count()) == (0, 0)


@pytest.mark.parametrize("header", ["a,b,c", HEADER.replace("amount", "total")])
def test_exit_code_2_for_a_wrong_header(tmp_path: Path, header: str) -> None:
    code, _result, err = call(write(tmp_path / "a.csv", GOOD, header=header))
    assert code == 2
    assert "line 1, column" in err
    assert (Conversion.objects.count(), Run.objects.count()) == (0, 0)


def test_exit_code_2_for_a_file_that_is_not_there(tmp_path: Path) -> None:
    code, _result, err = call(tmp_path / "nothing.csv")
    assert code == 2
    assert "nothing.csv" in err


def test_exit_code_2_for_a_source_that_is_too_long(tmp_path: Path) -> None:
    assert call(write(tmp_path / "a.csv", GOOD), "--source", "s" * 41)[0] == 2


def test_exit_code_2_for_somebody_who_may_not_import(tmp_path: Path) -> None:
    nobody = UserFactory.create()
    assert call(write(tmp_path / "a.csv", GOOD), "--by", nobody.email)[0] == 2
    finance = UserFactory.create(role=policy.FINANCE)
    assert call(write(tmp_path / "a.csv", GOOD), "--by", finance.email)[0] == 0
    assert Run.objects.get().created_by_id == finance.pk


def test_a_person_reads_one_sentence(tmp_path: Path) -> None:
    out = io.StringIO()
    call_command(
        "import_sales",
        str(write(tmp_path / "a.csv", GOOD)),
        "--no-progress",
        stdout=out,
        stderr=io.StringIO(),
    )
    assert out.getvalue().startswith("1 lines: 1 new (sale 12.50 GBP), 0 known, 0 with faults;")


SHOP = "Order;Date;Coupon;Total\n1;01/03/2026 10:00;ANA-1;12,50\n2;02/03/2026 10:00;ANA-1;ten\n"


def test_a_shops_file_is_read_by_what_is_said_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text(SHOP, encoding="utf-8")
    faults = tmp_path / "faults.csv"
    said = ("--map", "currency==GBP", "--map", "zone=Europe/Paris", "--errors", faults)
    code, result, _err = call(path, "--source", "shop", *said)
    assert (code, result["created"], result["failed"]) == (3, 1, 1)
    row = Conversion.objects.get()
    assert (row.amount_minor, row.currency, row.code_text) == (1250, "GBP", "ANA-1")
    assert row.occurred_at.isoformat() == "2026-03-01T09:00:00+00:00"
    assert faults.read_text("utf-8-sig").splitlines()[1].startswith("3,Total,not_an_amount,")
    assert call(path, "--source", "shop")[0] == 2  # in our own format it is none
    for wrong in ("currency==euro", "colour=Total", "amount=Sum", "amount", "zone=Mars"):
        assert call(path, "--source", "shop", *said[:2], "--map", wrong)[0] == 2, wrong


def test_remembered_columns_are_used_by_name_or_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text(SHOP, encoding="utf-8")
    told = FileMapping(
        columns={"event_id": "Order", "occurred_at": "Date", "amount": "Total"},
        constants={"kind": "sale", "currency": "GBP"},
        delimiter=";",
        decimal=",",
        dates="mdy",
    )
    admin = UserFactory.create(role=policy.ADMINISTRATOR)
    header = ["Order", "Date", "Coupon", "Total"]
    row = mapping_memory.remember("shop", header, told, by=admin, at=NOW)
    assert call(path, "--source", "till", "--mapping", row.public_id)[1]["created"] == 1
    assert call(path, "--source", "shop", "--mapping", "auto")[1]["created"] == 1
    dates = set(Conversion.objects.values_list("occurred_at__month", flat=True))
    assert dates == {1}  # the month first, as was remembered
    assert call(path, "--mapping", "map_none")[0] == 2


# The real year -------------------------------------------------------------------------------------------------------


def the_file() -> list[dict[str, str]]:
    with gzip.open(DATA / "orders.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def partners() -> None:
    kinds: dict[str, Any] = {}
    with (DATA / "partners.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            first = kinds.get(row["kind"])
            membership = new_membership(name=row["name"], joined_at=datetime(2010, 12, 1, tzinfo=UTC))
            if first is not None:
                membership.program = first
                membership.save()
            kinds.setdefault(row["kind"], membership.program)
            CodeFactory.create(membership=membership, code=row["partner_code"])


@pytest.mark.slow
def test_the_real_year_is_imported_to_the_penny_and_a_second_time_changes_nothing(partners: None) -> None:
    code, result, _err = call(DATA / "orders.csv.gz", "--source", "online_retail")
    assert (code, result["rows"], result["created"], result["credited"]) == (0, 22186, 22186, 14648)
    assert result["sums"] == {"GBP": {"refund": "611342.09", "sale": "8911407.90"}}

    expected_count: Counter[tuple[str, str]] = Counter()
    expected_sum: dict[tuple[str, str], Decimal] = {}
    for row in the_file():
        if row["partner_code"]:
            key = (row["partner_code"], row["kind"])
            expected_count[key] += 1
            expected_sum[key] = expected_sum.get(key, Decimal(0)) + Decimal(row["amount"])
    stored = (
        Credit.objects.values_list("code__code", "conversion__kind")
        .annotate(count=Count("pk"), minor=Sum("conversion__amount_minor"))
        .order_by("code__code", "conversion__kind")
    )
    assert {(code, kind): count for code, kind, count, _minor in stored} == dict(expected_count)
    assert {(code, kind): Decimal(minor) / 100 for code, kind, _count, minor in stored} == expected_sum
    assert Code.objects.exclude(code="ANA-1").count() == 75

    code, again, _err = call(DATA / "orders.csv.gz", "--source", "online_retail")
    assert (code, again["created"], again["replayed"]) == (0, 0, 22186)
    assert (Conversion.objects.count(), Credit.objects.count()) == (22186, 14648)
