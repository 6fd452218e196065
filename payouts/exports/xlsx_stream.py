"""Write a workbook of any length row by row: a zip whose sheets are compressed as they grow, so that memory stays flat. Texts stand in
their cells as texts and can become neither formulas nor links; numbers are written digit by digit as they were given."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import IO, Any
from xml.sax.saxutils import escape

Value = str
ROWS_OF_A_SHEET = 1_048_576
_BUFFER = 1 << 18
_COMPRESSION = 1  # half the size costs a third of the time of the default level
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# What XML 1.0 cannot hold at all; spreadsheet programs refuse a file with one of these.
_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535))


class Sheets:
    """A workbook being written; `header` stands on every sheet, `numbers` are the columns whose texts are numbers."""

    def __init__(
        self,
        target: IO[bytes] | Any,
        *,
        title: str,
        header: Sequence[str],
        numbers: Collection[int],
        rows_of_a_sheet: int = ROWS_OF_A_SHEET,
    ) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION)
        self._title, self._header, self._most = title, header, rows_of_a_sheet
        # The row's text but for its values: joined once, filled by one format per row.
        self._row = (
            "<row>"
            + "".join(
                "<c><v>{}</v></c>"
                if column in numbers
                else '<c t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>'
                for column in range(len(header))
            )
            + "</row>"
        )
        self._texts = [column for column in range(len(header)) if column not in numbers]
        self._sheet: IO[bytes] | None = None
        self._count, self._in_sheet = 0, 0
        self._waiting: list[str] = []
        self._size = 0

    def __enter__(self) -> Sheets:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish_sheet()
            self._finish_book()
        self._zip.close()

    def add(self, row: list[Value]) -> None:
        """Append a row; the workbook goes on in another sheet when this one is full."""
        if self._in_sheet >= self._most:
            self._finish_sheet()
            self._begin()
        for column in self._texts:
            text = row[column]
            if not text.isalnum():
                row[column] = escape(text.translate(_FORBIDDEN))
        self._write(self._row.format(*row))
        self._in_sheet += 1

    def _begin(self) -> None:
        self._count += 1
        self._sheet = self._zip.open(f"xl/worksheets/sheet{self._count}.xml", "w", force_zip64=True)
        cells = "".join(f'<c t="inlineStr" s="1"><is><t>{escape(name)}</t></is></c>' for name in self._header)
        frozen = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        self._write(f'{_HEAD}<worksheet xmlns="{_NAMESPACE}">{frozen}<sheetData><row>{cells}</row>')
        self._in_sheet = 1

    def _write(self, text: str) -> None:
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        if self._sheet is not None:
            self._sheet.write("".join(self._waiting).encode())
        self._waiting, self._size = [], 0

    def _finish_sheet(self) -> None:
        self._write("</sheetData></worksheet>")
        self._flush()
        if self._sheet is not None:
            self._sheet.close()
            self._sheet = None

    def _finish_book(self) -> None:
        for name, text in self._parts().items():
            self._zip.writestr(name, _HEAD + text)

    def _parts(self) -> dict[str, str]:
        numbers = range(1, self._count + 1)
        sheets = "".join(
            f'<sheet name="{escape(self._name(each))}" sheetId="{each}" r:id="rId{each}"/>'
            for each in numbers
        )
        relations = "".join(
            f'<Relationship Id="rId{each}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{each}.xml"/>'
            for each in numbers
        )
        style = f'<Relationship Id="rId0" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
        parts = "".join(
            f'<Override PartName="/xl/worksheets/sheet{each}.xml" ContentType="{_OFFICE}.worksheet+xml"/>'
            for each in numbers
        )
        return {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_OFFICE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_OFFICE}.styles+xml"/>{parts}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}{style}</Relationships>',
            "xl/styles.xml": f'<styleSheet xmlns="{_NAMESPACE}"><fonts count="2"><font/><font><b/></font></fonts>'
            '<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
            '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
            '<cellXfs count="2"><xf xfId="0" fontId="0"/><xf xfId="0" fontId="1" applyFont="1"/></cellXfs>'
            '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
        }

    def _name(self, number: int) -> str:
        return self._title[:28] if number == 1 else f"{self._title[:24]} ({number})"
