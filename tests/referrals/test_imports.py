"""Importing files: good lines are taken, every fault is named by its line and column, and nothing is half-written."""

from __future__ import annotations

import gzip
import io
from typing import Any, BinaryIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.runs.progress import Reporter
from prm.runs.registry import task_for
from referrals import imports, tasks
from referrals.imports import Result
from referrals.models import Conversion, Credit, Customer
from referrals.sales_files import LONGEST_LINE, BadFile, RowError, SalesFile, count_lines
from tests.factories.prm import UserFactory
from tests.factories.referrals import NOW, CodeFactory

pytestmark = pytest.mark.django_db

HEADER = "event_id,kind,occurred_at,customer_id,country,partner_code,line_count,amount,currency"
GOOD = "1,sale,2026-11-01T10:00:00Z,C1,France,ANA-1,3,12.50,GBP"


def file_of(*lines: str | bytes, header: str = HEADER) -> BinaryIO:
    raw = [line if isinstance(line, bytes) else line.encode() for line in (header, *lines)]
    return io.BytesIO(b"\n".join(raw) + b"\n")


def take(stream: BinaryIO, **options: Any) -> Result:
    return imports.import_file(stream, source="shop", at=NOW, reporter=Reporter(), **options)


def line(**changes: str) -> str:
    values = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    return ",".join((values | changes).values())


@pytest.fixture(autouse=True)
def code() -> Any:
    return CodeFactory.create(code="ANA-1")


def test_good_lines_are_recorded_and_credited(code: Any) -> None:
    result = take(file_of(GOOD, line(event_id="2", kind="refund", partner_code="ana-1", amount="2"), ""))
    assert (result.rows, result.created, result.failed, result.credited) == (2, 2, 0, 2)
    assert result.as_json()["sums"] == {"GBP": {"sale": "12.50", "refund": "2.00"}}
    assert {credit.membership_id for credit in Credit.objects.all()} == {code.membership_id}
    assert Conversion.objects.get(external_id="1").source == "shop"


def test_columns_may_come_in_any_order_and_unknown_ones_are_named_once() -> None:
    stream = file_of(
        "GBP,9.99,x,ANA-1,France,C1,2026-11-01T10:00:00+01:00,sale,1,y",
        header="currency,amount,colour,partner_code,country,customer_id,occurred_at,kind,event_id,shape",
    )
    result = take(stream)
    assert (result.created, result.ignored_columns) == (1, ["colour", "shape"])
    assert Conversion.objects.get().occurred_at.isoformat() == "2026-11-01T09:00:00+00:00"


def test_refunds_may_name_their_sale_and_clicks_are_read() -> None:
    stream = file_of(
        GOOD + ",,",
        "R,refund,2026-11-02T10:00:00Z,C1,France,,1,12.50,GBP,1," + "0" * 26,
        header=HEADER + ",original_event_id,click_id",
    )
    take(stream)
    row = Conversion.objects.get(external_id="R")
    assert row.original is not None and row.original.external_id == "1"
    assert row.original.state == "refunded"
    assert row.click_id == "0" * 26


def test_a_gzip_file_and_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    text = "\ufeff" + HEADER + "\r\n" + GOOD + "\r\n"
    assert take(io.BytesIO(gzip.compress(text.encode()))).created == 1


def test_a_repeated_import_changes_nothing() -> None:
    take(file_of(GOOD, line(event_id="2")))
    again = take(file_of(line(event_id="2"), GOOD))
    assert (again.created, again.replayed, again.failed) == (0, 2, 0)
    assert Conversion.objects.count() == 2


FAULTS: list[tuple[str | bytes, str, str]] = [
    (line(amount="12,50"), "currency", "wrong_width"),
    (line(amount='"12,50"'), "amount", "not_an_amount"),
    (line(amount="1e3"), "amount", "not_an_amount"),
    (line(amount="1_000"), "amount", "not_an_amount"),
    (line(amount=""), "amount", "not_an_amount"),
    (line(amount="+5"), "amount", "not_an_amount"),
    (line(amount="\uff11\uff12"), "amount", "not_an_amount"),  # full-width digits
    (line(amount="\u0661\u0662"), "amount", "not_an_amount"),  # Arabic digits
    (line(amount="NaN"), "amount", "not_an_amount"),
    (line(amount="12.505"), "amount", "too_many_decimals"),
    (line(amount="5.5", currency="JPY"), "amount", "too_many_decimals"),
    (line(amount="-5.00"), "amount", "negative"),
    (line(amount="-0"), "amount", "negative"),
    (line(amount="9" * 25), "amount", "too_large"),
    (line(amount="92233720368547758.08"), "amount", "too_large"),
    (line(currency="GBX"), "currency", "unknown_currency"),
    (line(currency="gbp"), "currency", "unknown_currency"),
    (line(currency=""), "currency", "unknown_currency"),
    (line(currency="EUR"), "currency", "other_currency"),
    (line(partner_code="NOBODY"), "partner_code", "unknown_code"),
    (line(partner_code="X" * 41), "partner_code", "too_long"),
    (line(occurred_at="yesterday"), "occurred_at", "not_a_date"),
    (line(occurred_at="2026-02-30T10:00:00Z"), "occurred_at", "not_a_date"),
    (line(occurred_at="2026-11-01"), "occurred_at", "not_a_date"),
    (line(occurred_at="01/11/2026 10:00"), "occurred_at", "not_a_date"),
    (line(occurred_at=""), "occurred_at", "not_a_date"),
    (line(occurred_at="2026-11-01T10:00:00"), "occurred_at", "naive_date"),
    (line(occurred_at="0001-01-01T00:00:00+14:00"), "occurred_at", "not_a_date"),
    (line(occurred_at="2027-11-01T10:00:00Z"), "occurred_at", "in_the_future"),
    (line(event_id=""), "event_id", "missing"),
    (line(event_id="E" * 101), "event_id", "too_long"),
    (line(kind="sales"), "kind", "unknown_kind"),
    (line(kind=""), "kind", "unknown_kind"),
    (line(country="Fra\x01nce"), "country", "control_character"),
    (line(customer_id="C\0001"), "customer_id", "nul_byte"),
    (line(customer_id='"C1'), "customer_id", "bad_quotes"),
    (line(country="ZZ").encode().replace(b"ZZ", b"\xff\xfe"), "country", "not_utf8"),
    ("1,sale", "occurred_at", "wrong_width"),
    (GOOD + ",more", "currency", "wrong_width"),
]


@pytest.mark.parametrize(
    ("bad", "column", "why"), FAULTS, ids=[f"{why}-{i}" for i, (_b, _c, why) in enumerate(FAULTS)]
)
def test_a_fault_is_named_by_line_and_column_and_the_good_lines_are_taken(
    bad: str | bytes, column: str, why: str
) -> None:
    result = take(file_of(line(event_id="before"), bad, line(event_id="after")))
    assert [(fault.line, fault.column, fault.code) for fault in result.errors] == [(3, column, why)]
    assert result.errors[0].message
    assert "\0" not in result.errors[0].message
    assert sorted(Conversion.objects.values_list("external_id", flat=True)) == ["after", "before"]


@pytest.mark.parametrize(
    ("bad", "column", "why"), [*FAULTS[:3], (line(partner_code="NOBODY"), "partner_code", "unknown_code")]
)
def test_an_atomic_import_with_one_fault_takes_nothing(bad: str | bytes, column: str, why: str) -> None:
    result = take(file_of(line(event_id="before"), bad, line(event_id="after")), atomic=True)
    assert (result.kept, result.failed) == (False, 1)
    assert (Conversion.objects.count(), Credit.objects.count(), Customer.objects.count()) == (0, 0, 0)


def test_an_atomic_import_without_a_fault_takes_everything() -> None:
    result = take(file_of(GOOD, line(event_id="2")), atomic=True)
    assert (result.kept, result.created) == (True, 2)
    assert Conversion.objects.count() == 2


def test_a_dry_run_counts_as_the_import_would_and_keeps_nothing() -> None:
    lines = [GOOD, line(event_id="2", partner_code="NOBODY"), line(amount="13.00"), line(event_id="3")]
    dry = take(file_of(*lines), dry_run=True)
    assert Conversion.objects.count() == 0
    real = take(file_of(*lines))
    assert (dry.created, dry.failed, dry.credited) == (real.created, real.failed, real.credited) == (2, 2, 2)
    assert dry.errors == real.errors
    assert dry.as_json()["sums"] == real.as_json()["sums"]


def test_a_doubled_event_id_with_another_amount_names_the_amount() -> None:
    result = take(file_of(GOOD, line(event_id="2"), line(amount="99.00")))
    assert [(fault.line, fault.column, fault.code) for fault in result.errors] == [
        (4, "amount", "other_body")
    ]
    assert Conversion.objects.get(external_id="1").amount_minor == 1250


def test_an_event_id_with_several_other_facts_names_the_event() -> None:
    take(file_of(GOOD))
    result = take(file_of(line(amount="99.00", country="Spain")))
    assert [(fault.line, fault.column) for fault in result.errors] == [(2, "event_id")]
    assert "amount, country" in result.errors[0].message


def test_a_refund_of_more_than_its_sale_names_the_amount() -> None:
    header = HEADER + ",original_event_id"
    bad = line(event_id="R", kind="refund", amount="12.51") + ",1"
    result = take(file_of(GOOD + ",", bad, header=header))
    assert [(fault.line, fault.column, fault.code) for fault in result.errors] == [
        (3, "amount", "more_than_sold")
    ]


def test_a_sale_that_names_an_original_is_a_fault() -> None:
    result = take(file_of(GOOD + ",7", header=HEADER + ",original_event_id"))
    assert [(fault.column, fault.code) for fault in result.errors] == [("original_event_id", "not_a_refund")]


class Endless(io.RawIOBase):
    """A file whose third line has `length` bytes, made while it is read."""

    def __init__(self, length: int) -> None:
        head = f"{HEADER}\n{GOOD}\n2,sale,".encode()
        tail = f"\n{line(event_id='3')}\n".encode()
        self._pieces = iter([head, *[b"9" * 65536] * (length // 65536), tail])
        self._rest = b""
        self.largest = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        self.largest = max(self.largest, len(buffer))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class Rewound(io.BufferedReader):
    """A stream that is at its start already."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def read(self, size: int | None = -1) -> bytes:
        return self.peek(2)[:2] if size == 2 else super().read(size)


def test_a_line_of_200_megabytes_is_refused_without_being_held_in_memory() -> None:
    import tracemalloc

    raw = Endless(200 * 1024 * 1024)
    tracemalloc.start()
    found = list(SalesFile(Rewound(raw), source="shop", at=NOW))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    faults = [row for row in found if isinstance(row, RowError)]
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [
        (3, "occurred_at", "line_too_long")
    ]
    assert [row.event.external_id for row in found if not isinstance(row, RowError)] == ["1", "3"]


def test_a_line_of_just_the_longest_length_is_read() -> None:
    row = line(event_id="2", country=" " * (LONGEST_LINE - len(line(event_id="2", country=""))))
    assert len(row) == LONGEST_LINE
    assert take(file_of(row)).created == 1


def test_a_damaged_gzip_takes_what_can_be_read_and_says_where_it_broke() -> None:
    rows = [line(event_id=str(number)) for number in range(2000)]
    packed = gzip.compress("\n".join([HEADER, *rows]).encode(), compresslevel=0)
    result = take(io.BytesIO(packed[: len(packed) // 2]))
    assert [fault.code for fault in result.errors] == ["broken_gzip"]
    assert result.errors[0].line == result.created + 2
    assert Conversion.objects.count() == result.created > 100


@pytest.mark.parametrize(
    ("header", "column"),
    [
        (HEADER.replace("amount", "total"), "amount"),
        (HEADER.replace("event_id,", ""), "event_id"),
        (HEADER.upper(), "event_id"),
        (HEADER + ",amount", "amount"),
        (HEADER.replace(",", ";"), "event_id"),
        ("", ""),
        ('"event_id', ""),
        ("x" * (LONGEST_LINE + 1), ""),
    ],
)
def test_a_wrong_header_is_refused_and_nothing_is_taken(header: str, column: str) -> None:
    with pytest.raises(BadFile) as refusal:
        take(file_of(GOOD, header=header))
    assert (refusal.value.line, refusal.value.column) == (1, column)
    assert str(refusal.value)
    assert Conversion.objects.count() == 0


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(BadFile):
        take(io.BytesIO(b""))


def test_only_the_first_faults_are_kept_but_all_are_counted() -> None:
    result = take(file_of(*[line(event_id=str(number), amount="x") for number in range(700)]))
    assert (result.failed, len(result.errors), result.rows) == (700, imports.ERRORS_KEPT, 700)


def test_lines_are_counted_before_they_are_read() -> None:
    assert count_lines(file_of(GOOD, GOOD)) == 2
    assert count_lines(io.BytesIO(f"{HEADER}\n{GOOD}".encode())) == 1
    assert count_lines(io.BytesIO(b"")) == 0


# Uploads -------------------------------------------------------------------------------------------------------------


def test_an_uploaded_file_is_kept_and_imported_by_a_worker() -> None:
    finance = UserFactory.create(role=policy.FINANCE)
    upload = SimpleUploadedFile("sales.csv", file_of(GOOD, line(event_id="2", amount="x")).read())
    run = imports.start(upload, source="shop", by=finance, at=NOW)
    assert task_for(run.kind) == "referrals.import_file"
    assert Conversion.objects.count() == 0
    tasks.import_file(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == "finished_with_errors"
    assert (run.result["created"], run.result["failed"]) == (1, 1)
    assert run.result["errors"][0]["line"] == 3
    assert "line 3, column amount" in run.log_tail
    assert AuditEvent.objects.filter(action="conversions.import_started", actor_id=finance.pk).count() == 1


def test_a_worker_that_takes_up_an_interrupted_import_ends_with_the_same_books() -> None:
    finance = UserFactory.create(role=policy.FINANCE)
    take(file_of(GOOD))
    run = imports.start(
        SimpleUploadedFile("s.csv", file_of(GOOD, line(event_id="2")).read()),
        source="shop",
        by=finance,
        at=NOW,
    )
    tasks.import_file(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.result["created"], run.result["replayed"]) == ("finished", 1, 1)


def test_an_upload_with_a_wrong_header_is_refused_at_the_door() -> None:
    finance = UserFactory.create(role=policy.FINANCE)
    with pytest.raises(BadFile):
        imports.start(SimpleUploadedFile("s.csv", b"a,b\n1,2\n"), source="shop", by=finance, at=NOW)


def test_somebody_without_the_capability_cannot_start_an_import() -> None:
    with pytest.raises(policy.Forbidden):
        imports.start(
            SimpleUploadedFile("s.csv", file_of(GOOD).read()), source="shop", by=UserFactory.create(), at=NOW
        )


LINES = "event_id,order_id,kind,occurred_at,customer_id,country,partner_code,product_code,quantity,amount,currency,original_event_id"


def test_order_lines_are_taken_as_they_are() -> None:
    result = take(
        file_of(
            "536365-1,536365,sale,2025-12-01T08:26:00Z,17850,United Kingdom,ANA-1,85123A,6,15.30,GBP,",
            "C536379-1,C536379,refund,2025-12-02T09:41:00Z,17850,United Kingdom,ANA-1,85123A,2,5.10,GBP,536365-1",
            header=LINES,
        )
    )
    assert (result.created, result.failed, result.ignored_columns) == (2, 0, [])
    sale, refund = Conversion.objects.order_by("pk")
    assert (sale.product, sale.quantity, sale.attributes) == ("85123A", 6, {"order_id": "536365"})
    assert (refund.original, refund.quantity, sale.state) == (sale, 2, "partially_refunded")


def test_everything_rules_ask_about_can_come_in_a_file() -> None:
    extra = ",product_code,category,quantity,tax,shipping,discount,cost,sub_id,deal,attribute:channel"
    stream = file_of(
        GOOD + ",85123A,candles,3,2.00,1.5,0,20,spring,D-7,phone",
        line(event_id="2") + ",,,,,,,,,,",
        header=HEADER + extra,
    )
    assert take(stream).failed == 0
    told, untold = Conversion.objects.order_by("external_id")
    assert (told.product, told.category, told.quantity) == ("85123A", "candles", 3)
    assert (told.tax_minor, told.shipping_minor, told.discount_minor, told.cost_minor) == (200, 150, 0, 20_00)
    assert (told.sub_id, told.deal_key, told.attributes) == ("spring", "D-7", {"channel": "phone"})
    assert (untold.product, untold.quantity, untold.tax_minor, untold.attributes) == ("", 1, 0, {})


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("product_code", "P" * 61, "too_long"),
        ("quantity", "-1", "not_a_quantity"),
        ("quantity", "1.0", "not_a_quantity"),
        ("quantity", "\u0663", "not_a_quantity"),
        ("quantity", "9999999999", "not_a_quantity"),
        ("tax", "0.005", "too_many_decimals"),
        ("shipping", "-1", "negative"),
        ("discount", "many", "not_an_amount"),
        ("discount", "12.51", "deductions_above_amount"),
        ("cost", "1e3", "not_an_amount"),
        ("sub_id", "S" * 81, "too_long"),
        ("deal", "D" * 61, "too_long"),
        ("attribute:channel", "x" * 201, "bad_attribute"),
        ("order_id", "x" * 201, "bad_attribute"),
        ("original_event_id", "1", "not_a_refund"),
    ],
)
def test_a_fault_in_a_further_column_is_named(column: str, value: str, why: str) -> None:
    result = take(file_of(line(event_id="before") + ",", GOOD + "," + value, header=f"{HEADER},{column}"))
    assert [(fault.line, fault.column, fault.code) for fault in result.errors] == [(3, column, why)]
    assert Conversion.objects.get().external_id == "before"


def test_a_column_that_cannot_be_an_attribute_is_refused_at_the_door() -> None:
    for header in ("attribute:", "attribute:a:b", ",".join(f"attribute:a{n}" for n in range(21))):
        with pytest.raises(BadFile):
            take(file_of(GOOD, header=f"{HEADER},{header}"))
