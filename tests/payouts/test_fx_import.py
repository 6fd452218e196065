"""Rates come from the files of the European Central Bank or from a person; what is stored stays, and what contradicts it is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from payouts import fx, fx_files, fx_import
from payouts.exports.statement_page import source_text
from payouts.models import FxRate
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.people import fiona, mats

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 3, 18, tzinfo=UTC)
FRIDAY = date(2026, 4, 3)

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
    ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
    "<gesmes:subject>Reference rates</gesmes:subject>\n"
    "<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>\n"
)
FRIDAYS = (
    "<Cube time='2026-04-03'><Cube currency='USD' rate='1.0832'/><Cube currency='JPY' rate='163.15'/></Cube>"
)
THURSDAYS = "<Cube time='2026-04-02'><Cube currency='USD' rate='1.0811'/></Cube>"


def xml(*days: str) -> bytes:
    return f"{HEAD}<Cube>{''.join(days)}</Cube></gesmes:Envelope>".encode()


CSV = b"Date,USD,JPY,CYP,ISK,\n2026-04-03,1.0832,163.15,N/A,N/A,\n2007-12-31,1.4721,164.93,0.585274,N/A,\n"


def take(content: bytes, **options: object) -> fx_import.Imported:
    return fx_import.import_rates(content, by=fiona(), at=NOW, name="rates", **options)  # type: ignore[arg-type]


def stored() -> list[tuple[date, str, str, Decimal]]:
    return sorted(FxRate.objects.values_list("rate_on", "base", "quote", "rate"))


@pytest.mark.parametrize("content", [xml(FRIDAYS), xml(FRIDAYS, THURSDAYS)])
def test_the_xml_of_a_day_and_of_many_days_is_taken(content: bytes) -> None:
    done = take(content)
    expected = [(FRIDAY, "EUR", "JPY", Decimal("163.15")), (FRIDAY, "EUR", "USD", Decimal("1.0832"))]
    if b"2026-04-02" in content:
        expected.insert(0, (date(2026, 4, 2), "EUR", "USD", Decimal("1.0811")))
    assert stored() == expected
    assert (done.created, done.known, done.last) == (len(expected), 0, FRIDAY)
    assert set(FxRate.objects.values_list("source", flat=True)) == {"ECB"}


def test_the_csv_has_gaps_and_currencies_that_are_no_more() -> None:
    done = take(CSV)
    assert (done.days, done.created, done.unknown) == (2, 4, 1)
    assert (date(2007, 12, 31), "EUR", "USD", Decimal("1.4721")) in stored()
    assert not FxRate.objects.filter(quote__in=["CYP", "ISK"]).exists()


def test_the_csv_of_one_day_writes_its_day_in_words() -> None:
    assert take(b"Date, USD, JPY, \n03 April 2026, 1.0832, 163.15, \n").last == FRIDAY


def test_the_same_file_twice_changes_nothing_and_a_longer_one_adds_the_rest() -> None:
    take(xml(FRIDAYS))
    before = list(FxRate.objects.values())
    again = take(xml(FRIDAYS))
    assert (again.created, again.known) == (0, 2)
    assert list(FxRate.objects.values()) == before
    assert AuditEvent.objects.filter(action="fx_rates.imported").count() == 1
    assert take(xml(FRIDAYS, THURSDAYS)).created == 1


def test_a_rate_that_differs_is_refused_by_day_and_currency_and_nothing_is_imported() -> None:
    take(xml(FRIDAYS))
    before = stored()
    with pytest.raises(fx_import.RateDiffers) as refusal:
        take(xml(THURSDAYS, FRIDAYS.replace("163.15", "163.16")))
    assert str(refusal.value) == (
        "The file says 163.16 for JPY on 2026-04-03, but 163.15 is stored from the same source. Nothing was imported. If"
        " the stored rate is wrong, enter the right one by hand."
    )
    assert stored() == before


def test_a_day_to_come_is_refused() -> None:
    with pytest.raises(fx_import.FutureDay):
        take(xml(THURSDAYS, FRIDAYS.replace("2026-04-03", "2026-04-04")))
    assert stored() == []


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://rates.example/a.dtd"><a/>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"<html></html>",
        xml(),
        xml(FRIDAYS)[:-30],
        BOMB,
        OUTSIDE,
        xml("<Cube currency='USD' rate='1.1'/>"),
        b"\xff\xfe\x00",
        b"Day;USD\n2026-04-03;1.1\n",
        xml(FRIDAYS, FRIDAYS),
    ],
    ids=range(11),
)
def test_what_is_no_file_of_rates_is_refused(content: bytes) -> None:
    with pytest.raises(fx_files.BadRates):
        take(content)
    assert stored() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (xml(FRIDAYS.replace("1.0832", "0")), "Line 5: '0' is not a rate of USD."),
        (xml(FRIDAYS.replace("1.0832", "-1.08")), "Line 5: '-1.08' is not a rate of USD."),
        (xml(FRIDAYS.replace("1.0832", "1e3")), "Line 5: '1e3' is not a rate of USD."),
        (b"Date,USD\n2026-04-03,1.0832\n2026-04-02,much\n", "Line 3: 'much' is not a rate of USD."),
        (b"Date,USD\n2026-02-30,1.0832\n", "Line 2: '2026-02-30' is not a day."),
    ],
)
def test_a_faulty_rate_is_named_with_its_line(content: bytes, words: str) -> None:
    with pytest.raises(fx_files.BadRates) as refusal:
        take(content)
    assert str(refusal.value) == words


def test_only_who_keeps_rates_imports_and_enters_them() -> None:
    with pytest.raises(Forbidden):
        fx_import.import_rates(xml(FRIDAYS), by=mats(), at=NOW)
    with pytest.raises(Forbidden):
        fx_import.enter("GBP", "USD", "1.3", on=FRIDAY, by=mats(), at=NOW)
    assert stored() == []


def test_a_rate_entered_by_hand_comes_before_the_imported_one() -> None:
    take(xml(FRIDAYS))
    row = fx_import.enter("EUR", "USD", "1.09", on=FRIDAY, by=fiona(), at=NOW)
    assert (row.source, row.entered_by) == ("entered", fiona())
    assert fx.rate_for("EUR", "USD", on=FRIDAY).row == row
    assert fx_import.enter("EUR", "USD", "1.0900", on=FRIDAY, by=fiona(), at=NOW) == row
    assert AuditEvent.objects.get(action="fx_rate.entered").details["rate"] == "1.09"


def test_a_mistyped_rate_is_corrected_knowingly_and_stays_on_record() -> None:
    fx_import.enter("GBP", "USD", "13", on=FRIDAY, by=fiona(), at=NOW)
    with pytest.raises(fx_import.AlreadyEntered):
        fx_import.enter("GBP", "USD", "1.3", on=FRIDAY, by=fiona(), at=NOW)
    right = fx_import.enter("GBP", "USD", "1.3", on=FRIDAY, by=fiona(), at=NOW, corrects=True)
    assert right.source == "entered 2" and fx.rate_for("GBP", "USD", on=FRIDAY).row == right
    assert FxRate.objects.count() == 2


@pytest.mark.parametrize(
    ("pair", "rate", "on", "refusal"),
    [
        (("GBP", "GBP"), "1", FRIDAY, fx_import.BadPair),
        (("GBP", "XXY"), "1", FRIDAY, fx_import.BadPair),
        (("GBP", "USD"), "0", FRIDAY, fx_import.BadRateText),
        (("GBP", "USD"), "1,3", FRIDAY, fx_import.BadRateText),
        (("GBP", "USD"), "1.12345678901", FRIDAY, fx_import.BadRateText),
        (("GBP", "USD"), "1.3", date(2026, 4, 4), fx_import.FutureDay),
    ],
)
def test_what_is_no_rate_is_refused(
    pair: tuple[str, str], rate: str, on: date, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        fx_import.enter(*pair, rate, on=on, by=fiona(), at=NOW)
    assert stored() == []


def run(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("import_fx_rates", *arguments, "--json", stdout=out, stderr=StringIO())
    answer: dict[str, object] = json.loads(out.getvalue())
    return answer


def test_the_command_imports_tries_and_tells_by_its_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "hist.csv"
    file.write_bytes(CSV)
    tried = run(str(file), "--dry-run")
    assert (tried["dry_run"], tried["created"], stored()) == (True, 4, [])
    done = run(str(file), "--by", fiona().email)
    assert (done["state"], done["created"], done["last"]) == ("finished", 4, "2026-04-03")
    file.write_bytes(CSV.replace(b"163.15", b"163.16"))
    with pytest.raises(CommandError) as refused:
        run(str(file))
    assert refused.value.returncode == 1 and "163.16 for JPY on 2026-04-03" in str(refused.value)
    with pytest.raises(CommandError) as missing:
        run(str(tmp_path / "nowhere.csv"))
    assert missing.value.returncode == 2


def test_rates_of_the_central_bank_are_named_as_such_on_documents() -> None:
    assert source_text(fx_import.SOURCE) == "European Central Bank"
    assert source_text(fx.ENTERED) == "entered by us"
