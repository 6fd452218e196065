"""What the operator's own books get from us: the accounting journal under its own account codes, and the yearly list of payees. Taking
either is on record, because both hold names and sums."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payouts.choices import AccountKind
from payouts.exports import journal, yearly
from payouts.models import AccountCode
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.periods import Month

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import LegalEntity

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,19}")


class BadAccountCode(Refused):
    message = _("%(code)s is not an account code: write up to 20 letters, digits, points, dashes or slashes.")


class UnknownYear(Refused):
    message = _("There is no list for that year.")
    field = "year"


@transaction.atomic
def set_codes(
    legal_entity: LegalEntity, codes: Mapping[AccountKind, tuple[str, str]], *, by: User, at: datetime
) -> int:
    """Make these the entity's codes and names for kinds of account, and return how many changed; an empty code forgets one.

    Raises: Forbidden, BadAccountCode.
    """
    policy.require(by, "close_periods")
    known = {row.account_kind: row for row in AccountCode.objects.filter(legal_entity=legal_entity)}
    changed: dict[str, list[str]] = {}
    for kind, (code, name) in codes.items():
        row, wanted = known.get(kind.value), (code.strip(), " ".join(name.split()))
        if wanted[0] and not _CODE.fullmatch(wanted[0]):
            raise _refused(kind, wanted[0])
        before = (row.code, row.name) if row is not None else ("", "")
        if wanted == before or (not wanted[0] and row is None):
            continue
        changed[kind.value] = [before[0], wanted[0]]
        _keep(legal_entity, kind, wanted, row)
    if changed:
        audit.record(by, "account_codes.set", legal_entity, at=at, codes=changed)
    return len(changed)


def take_journal(legal_entity: LegalEntity, month: Month, *, by: User, at: datetime) -> Iterator[str]:
    """Return the journal of a month piece by piece, and write down who took it.

    Raises: Forbidden.
    """
    policy.require(by, "see_ledger")
    audit.record(by, "journal.taken", legal_entity, at=at, month=str(month))
    return journal.lines(journal.of_month(legal_entity, month))


def yearly_list(legal_entity: LegalEntity, year: int, *, by: User, at: datetime) -> list[yearly.Payee]:
    """Return who was paid how much in a year.

    Raises: Forbidden, UnknownYear.
    """
    policy.require(by, "manage_tax")
    if not 2000 <= year <= at.year:
        raise UnknownYear
    return yearly.payees_of(legal_entity, year)


def take_yearly_list(legal_entity: LegalEntity, year: int, *, form: str, by: User, at: datetime) -> bytes:
    """Return the yearly list as a file, `csv` or `xlsx`, and write down who took it.

    Raises: Forbidden, UnknownYear.
    """
    payees = yearly_list(legal_entity, year, by=by, at=at)
    render = {"csv": yearly.render_csv, "xlsx": yearly.render_xlsx}[form]
    audit.record(by, "yearly_list.taken", legal_entity, at=at, year=year, format=form, payees=len(payees))
    return render(legal_entity, payees)


def yearly_name(legal_entity: LegalEntity, year: int, form: str) -> str:
    return f"payments-{legal_entity.number_prefix}-{year}.{form}"


def journal_name(legal_entity: LegalEntity, month: Month) -> str:
    return f"journal-{legal_entity.number_prefix}-{month}.csv"


def _keep(
    legal_entity: LegalEntity, kind: AccountKind, wanted: tuple[str, str], row: AccountCode | None
) -> None:
    code, name = wanted
    if not code:
        if row is not None:
            row.delete()
        return
    AccountCode.objects.update_or_create(
        legal_entity=legal_entity, account_kind=kind, defaults={"code": code, "name": name}
    )


def _refused(kind: AccountKind, code: str) -> BadAccountCode:
    refusal = BadAccountCode(params={"code": code[:30]})
    refusal.field = f"code_{kind.value}"
    return refusal
