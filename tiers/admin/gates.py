"""What stands between a draft and its publication, each gate with what it found: rules that can be read and pay, examples that come out
right, findings of the linter, notice and dry run. The last word is the publishing verb's, which asks the same questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prm.accounts.back_office import locale, money_text
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import hold_until
from tiers import proofs
from tiers.cases import CaseResult
from tiers.fingerprints import fingerprint
from tiers.lint import Finding
from tiers.models import PlanVersion

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Gate:
    """One thing to be right: open, shut, or with a warning that a person may overlook."""

    title: StrOrPromise
    says: StrOrPromise
    is_open: bool = True
    warns: bool = False
    href: str = ""


def of(
    version: PlanVersion, results: list[CaseResult], findings: list[Finding], *, at: datetime
) -> list[Gate]:
    """Return every gate of a draft, in the order a person would go through them."""
    return [
        _proof(version, at),
        _findings(findings),
        _examples(results),
        _notice(version, at),
        _dry_run(version),
    ]


def _proof(version: PlanVersion, at: datetime) -> Gate:
    count = version.rules.count()
    try:
        proofs.prove(version, effective_at=at)
    except Refused as refusal:
        if refusal.field != "cases":
            return Gate(_("Rules and settings"), str(refusal), is_open=False, href="#rules")
    text = ngettext("%(count)s rule can be read and pays.", "%(count)s rules can be read and pay.", count)
    return Gate(_("Rules and settings"), text % {"count": count})


def _examples(results: list[CaseResult]) -> Gate:
    failed = [result for result in results if not result.passes]
    if failed:
        text = ngettext(
            "%(count)s example fails: %(names)s.", "%(count)s examples fail: %(names)s.", len(failed)
        )
        names = ", ".join(result.name for result in failed)
        return Gate(
            _("Examples"), text % {"count": len(failed), "names": names}, is_open=False, href="#examples"
        )
    if not results:
        return Gate(
            _("Examples"), _("There is none yet. An example says what an order must earn."), warns=True
        )
    text = ngettext("%(count)s example comes out right.", "%(count)s examples come out right.", len(results))
    return Gate(_("Examples"), text % {"count": len(results)})


def _findings(findings: list[Finding]) -> Gate:
    title = _("Look over the rules")
    if not findings:
        return Gate(title, _("Nothing stands out."))
    text = ngettext("%(count)s thing to look at.", "%(count)s things to look at.", len(findings))
    is_wrong = any(finding.severity == "error" for finding in findings)
    says = text % {"count": len(findings)}
    return Gate(title, says, is_open=not is_wrong, warns=not is_wrong, href="#findings")


def _notice(version: PlanVersion, at: datetime) -> Gate:
    if not version.notice_days:
        return Gate(_("Notice"), _("No notice is promised: it can begin at once."))
    earliest = hold_until(at, version.notice_days, version.plan.program.zone)
    text = ngettext(
        "Partners hear of it %(days)s day before: it can begin on %(date)s.",
        "Partners hear of it %(days)s days before: it can begin on %(date)s.",
        version.notice_days,
    )
    day = l10n.date_text(earliest.astimezone(version.plan.program.zone).date(), locale())
    return Gate(_("Notice"), text % {"days": version.notice_days, "date": day})


def _dry_run(version: PlanVersion) -> Gate:
    """Say what the newest dry run found; one of an earlier wording of the draft proves nothing about this one."""
    title, report = _("Dry run"), version.report
    if not report:
        return Gate(title, _("None was made: nobody has seen what it changes."), warns=True)
    if report.get("fingerprint") != fingerprint(version):
        return Gate(title, _("The draft was changed after the last one: make another."), warns=True)
    change = Money(int(report["total"]["change"]), str(report["currency"]))
    words = {"winners": report.get("winners", 0), "losers": report.get("losers", 0)}
    if change.minor > 0:
        text = _("On past events it costs %(change)s more: %(winners)s earn more, %(losers)s less.")
    elif change.minor < 0:
        text = _("On past events it costs %(change)s less: %(winners)s earn more, %(losers)s less.")
    else:
        text = _("On past events it costs the same: %(winners)s earn more, %(losers)s less.")
    return Gate(title, text % {**words, "change": money_text(abs(change))})
