"""The tier board: a program's ladders with who stands where, who is about to move by the figures of the last night, and what that is worth.
The address holds what is asked; nothing is changed here."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from partners.admin.tier_board_rows import ALL, DOWN, MOVING, UP, Asked, Board, Column, Row, is_moving
from partners.admin.tier_case_facts import last_day
from partners.choices import ReviewOutcome
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, locale, money_text, person, require
from prm.lib import l10n
from prm.lib.cells import formula_safe
from prm.lib.money import Money
from tiers.models import Program

PER_PAGE = 25
SHOW_WORDS = {
    MOVING: gettext_lazy("About to move"),
    UP: gettext_lazy("About to rise"),
    DOWN: gettext_lazy("About to fall"),
    ALL: gettext_lazy("Everybody"),
}
_FILE = (
    "membership",
    "partner",
    "track",
    "tier",
    "outcome",
    "would_go_to",
    "why",
    "figures_before",
    "earned",
    "would_have_earned",
    "currency",
    "decision_by_hand_until",
    "account_manager",
)


class TierBoard:
    """The board, below the table of tier reviews."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the board."""
        view = self.desk.admin_site.admin_view(require_safe(self.show))
        return [path("board/", view, name="partners_tier_board")]

    def show(self, request: HttpRequest) -> HttpResponseBase:
        """Show the board the address asks for, or send its rows as a file."""
        require(request, "see_partners")
        at, by = timezone.now(), person(request)
        programs = list(Program.objects.order_by("name", "pk"))
        program = next((each for each in programs if each.slug == request.GET.get("program")), None)
        program = program or next(iter(programs), None)
        if program is None:
            return self.desk.page(request, "admin/partners/tierboard/none.html", title=_("Tier board"))
        board = Board(program, Asked(), by=by, at=at)
        board.asked = _asked(request, board)
        if "csv" in request.GET:
            return self._file(request, board, at=at)
        page = Paginator(board.found(), PER_PAGE).get_page(request.GET.get("page"))
        columns = board.columns()
        here = _here(board)
        return self.desk.page(
            request,
            "admin/partners/tierboard/board.html",
            title=_("Tier board of %(program)s") % {"program": program.name},
            program=program,
            asked=board.asked,
            programs=_program_chips(programs, program) if len(programs) > 1 else [],
            tracks=_track_chips(board, here),
            shows=_show_chips(board, columns, here),
            columns=[_column(each, here) for each in columns],
            stakes=_stake_words(board.worth()),
            rows=[_shown(row) for row in board.rows(list(page))],
            **_pager(page, here),
            csv_url=_address({**here, "csv": "1"}),
            clear_url=_address({"program": program.slug, "track": board.asked.track}),
            hidden={name: value for name, value in here.items() if value and name != "q"},
            may_decide=policy.may(by, "decide_reviews"),
            may_place=policy.may(by, "place_in_tiers"),
            has_figures=board.scheme is not None,
        )

    def _file(self, request: HttpRequest, board: Board, *, at: datetime) -> HttpResponseBase:
        response = StreamingHttpResponse(_lines(board), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="tiers-{board.program.slug}.csv"'
        response["Cache-Control"] = "no-store"
        audit.record(person(request), "tier_board.file_taken", board.program, at=at, show=board.asked.show)
        return response


def board_url(program: Program, **more: str) -> str:
    """Return the address of a program's board."""
    return _address({"program": program.slug, **more})


def _asked(request: HttpRequest, board: Board) -> Asked:
    given, tracks = request.GET, board.ladders.tracks
    tier = board.ladders.named(given.get("tier", ""))
    first = tracks[0] if tracks else ""
    track = given.get("track", first) if given.get("track", first) in tracks else first
    show = given.get("show", MOVING)
    return Asked(
        track=tier.track if tier is not None else track,
        tier=tier,
        show=show if show in SHOW_WORDS else MOVING,
        is_mine=given.get("owner") == "me",
        words=given.get("q", "").strip()[:80],
    )


def _here(board: Board) -> dict[str, str]:
    asked = board.asked
    return {
        "program": board.program.slug,
        "track": asked.track,
        "tier": asked.tier.key if asked.tier is not None else "",
        "show": asked.show,
        "owner": "me" if asked.is_mine else "",
        "q": asked.words,
    }


def _address(asked: dict[str, str]) -> str:
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('admin:partners_tier_board')}?{query}"


def _program_chips(programs: Sequence[Program], program: Program) -> list[dict[str, Any]]:
    return [
        {"label": each.name, "href": board_url(each), "current": each.pk == program.pk} for each in programs
    ]


def _track_chips(board: Board, here: dict[str, str]) -> list[dict[str, Any]]:
    tracks = board.ladders.tracks
    if len(tracks) < 2:
        return []
    return [
        {
            "label": track or _("Main ladder"),
            "href": _address({**here, "track": track, "tier": ""}),
            "current": track == board.asked.track,
        }
        for track in tracks
    ]


def _show_chips(board: Board, columns: Sequence[Column], here: dict[str, str]) -> list[dict[str, Any]]:
    rising, falling = sum(each.rising for each in columns), sum(each.falling for each in columns)
    counts = {MOVING: rising + falling, UP: rising, DOWN: falling, ALL: sum(each.count for each in columns)}
    chips = [
        {
            "label": label,
            "href": _address({**here, "show": show, "tier": "", "owner": "", "q": ""}),
            "current": show == board.asked.show and not board.asked.is_mine and board.asked.tier is None,
            "count": counts[show],
        }
        for show, label in SHOW_WORDS.items()
    ]
    mine = {**here, "owner": "me", "tier": "", "q": ""}
    return [*chips, {"label": _("My partners"), "href": _address(mine), "current": board.asked.is_mine}]


def _column(column: Column, here: dict[str, str]) -> dict[str, Any]:
    count, capacity = l10n.number_text(column.count, locale()), column.tier.capacity
    told = {"count": count, "capacity": l10n.number_text(capacity or 0, locale())}
    return {
        "tier": column.tier,
        "count": count if capacity is None else _("%(count)s of %(capacity)s") % told,
        "notes": list(_column_notes(column)),
        "href": _address({**here, "tier": column.tier.key, "show": ALL, "q": ""}),
        "is_current": here["tier"] == column.tier.key,
    }


def _column_notes(column: Column) -> Iterator[str]:
    if column.rising:
        text = ngettext("%(count)s about to rise", "%(count)s about to rise", column.rising)
        yield text % {"count": l10n.number_text(column.rising, locale())}
    if column.falling:
        text = ngettext("%(count)s about to fall", "%(count)s about to fall", column.falling)
        yield text % {"count": l10n.number_text(column.falling, locale())}
    if column.then != column.count:
        yield _("%(count)s when all have moved") % {"count": l10n.number_text(column.then, locale())}
    if column.is_full:
        yield _("Full")
    elif column.would_be_too_many:
        yield _("Too many for its capacity")


def _stake_words(sums: dict[str, list[Money]]) -> list[str]:
    words = {
        ReviewOutcome.UP: _("Those about to rise would have earned %(amount)s more on the last 12 months."),
        ReviewOutcome.DOWN: _("Those about to fall would have earned %(amount)s less on the last 12 months."),
    }
    return [
        words[ReviewOutcome(way)]
        % {"amount": money_text(amount if way == ReviewOutcome.UP else Money(-amount.minor, amount.currency))}
        for way, amounts in sums.items()
        for amount in amounts
        if amount.minor
    ]


def _shown(row: Row) -> dict[str, Any]:
    held = ""
    if row.override is not None:
        day = last_day(row.override.expires_at, row.membership.program)
        held = _("%(kind)s until %(date)s") % {"kind": row.override.get_kind_display(), "date": day}
    return {
        "row": row,
        "name": row.membership.partner.name,
        "manager": row.membership.partner.account_manager,
        "moves": is_moving(row),
        "is_rise": row.outcome == ReviewOutcome.UP,
        "held": held,
        "stake": row.stake,
    }


def _pager(page: Page[Any], here: dict[str, str]) -> dict[str, Any]:
    def at(number: int) -> str:
        return _address({**here, "page": str(number)})

    return {
        "page": page,
        "previous_url": at(page.previous_page_number()) if page.has_previous() else "",
        "next_url": at(page.next_page_number()) if page.has_next() else "",
    }


def _lines(board: Board) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(_FILE)
    for row in board.all_rows():
        yield writer.writerow([formula_safe(cell) for cell in _cells(row)])


def _cells(row: Row) -> list[str]:
    manager, stake = row.membership.partner.account_manager, row.stake
    return [
        row.membership.public_id,
        row.membership.partner.name,
        row.tier.track,
        row.tier.key,
        row.outcome,
        row.target.key if row.target is not None and is_moving(row) else "",
        "; ".join(row.why),
        row.measured_at.isoformat() if row.measured_at is not None else "",
        str(stake.earned.decimal()) if stake is not None else "",
        str(stake.would.decimal()) if stake is not None else "",
        stake.earned.currency if stake is not None else "",
        row.override.expires_at.isoformat() if row.override is not None else "",
        (manager.full_name or manager.email) if manager is not None else "",
    ]


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> Any:
        """Return the text."""
        return text
