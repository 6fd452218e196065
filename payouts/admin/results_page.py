"""What the pages about the bank's files show: counts and sums in words, what would be booked, and what was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.paginator import Page
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payouts import bank_reasons
from payouts.choices import ResultOutcome
from payouts.models import PaymentResult, PayRun, ResultFile
from payouts.results import jobs
from payouts.results.booking import Look, outcome_of
from payouts.results.facts import Says
from payouts.results.matching import Plan
from payouts.results.reconcile import OUT, InCurrency, Reconciliation
from prm.accounts.back_office import Fact, badge, link_to, locale, money_text
from prm.lib import l10n
from prm.lib.money import Money

SHOWN = 200


def facts_of_look(seen: Look, entity: str, name: str) -> Iterator[Fact]:
    """Yield what a file says, before it is imported."""
    plan = seen.plan
    yield Fact(_("File"), name)
    yield Fact(_("Format"), seen.read.format.label)
    yield Fact(_("Legal entity"), entity)
    yield from _counts(
        plan.rows, len(plan.settled), len(plan.came_back), plan.known, plan.foreign, plan.waiting
    )


def facts_of_file(file: ResultFile) -> Iterator[Fact]:
    """Yield what an imported file said."""
    yield Fact(_("Format"), file.get_format_display())
    yield Fact(_("Legal entity"), file.legal_entity.name)
    when = l10n.datetime_text(file.imported_at, timezone.get_current_timezone(), locale())
    yield Fact(_("Imported"), _("%(when)s by %(person)s") % {"when": when, "person": _name(file.imported_by)})
    yield from _counts(
        file.row_count,
        file.settled_count,
        file.returned_count,
        file.known_count,
        file.foreign_count,
        jobs.waiting_in(file),
    )
    yield Fact(_("SHA-256"), file.sha256)


def _counts(rows: int, settled: int, back: int, known: int, foreign: int, waiting: int) -> Iterator[Fact]:
    yield Fact(_("Bookings read"), _number(rows))
    yield Fact(_("Paid"), _number(settled))
    yield Fact(_("Refused or returned"), _number(back))
    yield Fact(_("Known before"), _number(known), _("Booked by an earlier file, or marked by hand."))
    yield Fact(_("Not ours"), _number(foreign), _("Bookings without an id of a payment of ours."))
    yield Fact(_("Not final"), _number(waiting), _("The bank has not decided; a later file will tell."))


def consequences_of(plan: Plan) -> list[str]:
    """Return what importing does, in numbers."""
    totals = jobs.totals_of(plan)
    told: list[str] = []
    if plan.settled:
        text = ngettext(
            "%(count)s payment, %(amount)s, is booked as paid.",
            "%(count)s payments, %(amount)s together, are booked as paid.",
            len(plan.settled),
        )
        told.append(text % {"count": _number(len(plan.settled)), "amount": _amounts(totals["settled"])})
    if plan.came_back:
        text = ngettext(
            "%(count)s payment, %(amount)s, came back and is owed again; the partner gets the reason by e-mail.",
            "%(count)s payments, %(amount)s together, came back and are owed again; each partner gets the reason by"
            " e-mail.",
            len(plan.came_back),
        )
        told.append(text % {"count": _number(len(plan.came_back)), "amount": _amounts(totals["came_back"])})
    if totals["fees"]:
        told.append(_("%(amount)s is booked as fees of the bank.") % {"amount": _amounts(totals["fees"])})
    if not told:
        told.append(_("Nothing new is booked. The file is kept with its counts."))
    return told


def verb_of(plan: Plan) -> str:
    """Return what the button says."""
    count = len(plan.settled) + len(plan.came_back)
    if not count:
        return _("Keep the file")
    return ngettext("Book %(count)s result", "Book %(count)s results", count) % {"count": _number(count)}


def rows_of_plan(plan: Plan) -> list[dict[str, Any]]:
    """Return the first of what would be booked; what came back stands first, because somebody should look at it."""
    first = [*plan.came_back, *plan.settled][:SHOWN]
    return [
        {
            "partner": link_to(match.payment.membership.partner),
            "name": link_to(match.payment, match.payment.end_to_end_id),
            "amount": match.payment.sent,
            "now": badge(match.payment.state, "payment"),
            "then": badge(outcome_of(match, plan).value, "payment"),
            "reason": _reason(match.booking.code, match.booking.reason)
            if match.booking.says is Says.CAME_BACK
            else "",
        }
        for match in first
    ]


def rows_of_file(results: Page[PaymentResult]) -> list[dict[str, Any]]:
    """Return what a file said of our payments."""
    return [
        {
            "partner": link_to(result.payment.membership.partner),
            "payment": link_to(result.payment, result.payment.end_to_end_id),
            "run": link_to(result.payment.pay_run),
            "amount": result.payment.sent,
            "outcome": badge(result.outcome, "payment"),
            "booked": l10n.date_text(result.booked_on, locale()) if result.booked_on else "–",
            "fee": Money(result.fee_minor, result.fee_currency) if result.fee_minor else None,
            "bank": result.reference
            if result.outcome == ResultOutcome.SETTLED
            else _reason(result.code, result.reason),
        }
        for result in results
    ]


def rows_of_runs(found: Sequence[Reconciliation]) -> list[dict[str, Any]]:
    """Return how each run stands, with a link to it."""
    return [
        {
            "run": link_to(each.run),
            "date": l10n.date_text(each.run.execute_on, locale()),
            "badge": badge(each.run.state, "pay_run"),
            "found": each,
        }
        for each in found
    ]


def totals_of_runs(found: Sequence[Reconciliation]) -> list[dict[str, Any]]:
    """Return the sums over runs, by currency."""
    names = ("left", "in_files", "settled", "failed", "returned", "on_its_way", "fees", "difference")
    sums: dict[str, dict[str, Any]] = {}
    for each in (line for one in found for line in one.currencies):
        row = sums.setdefault(each.currency, dict.fromkeys(names, Money(0, each.currency)))
        for name in names:
            row[name] = row[name] + _figure(each, name)
    return [{"currency": currency, **sums[currency]} for currency in sorted(sums)]


def out_runs(entity_id: int) -> Any:
    """Return the runs of an entity whose money has left, the newest first."""
    found = PayRun.objects.filter(legal_entity=entity_id, state__in=OUT)
    return found.order_by("-exported_at", "-pk")


def _figure(line: InCurrency, name: str) -> Money:
    value: Money = getattr(line, name)
    return value


def _reason(code: str, text: str) -> str:
    """Return the reason in plain words, with the bank's code and its own words behind it."""
    plain = str(bank_reasons.PLAIN.get(code) or text or bank_reasons.NO_REASON)
    behind = ", ".join(part for part in (code, text if text != plain else "") if part)
    return f"{plain} ({behind})" if behind else plain


def _amounts(totals: dict[str, Money]) -> str:
    return ", ".join(money_text(totals[currency]) for currency in sorted(totals))


def _number(count: int) -> str:
    return l10n.number_text(count, locale())


def _name(user: Any) -> str:
    return str(user.get_full_name() or user.email)
