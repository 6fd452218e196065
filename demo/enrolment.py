"""Bring the demo's 75 partners in through the front door: each applies, is approved, gets its code and a bank account."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from stdnum import iban

from demo import dataset
from demo.dataset import PartnerRow
from demo.people import ACCOUNT_MANAGER, PARTNER, PARTNER_CODE, PASSWORD
from partners import applications, approval, placement, sending, terms
from partners.models import Membership
from payouts import payment_methods
from prm.accounts.models import User
from referrals import codes, links
from tiers.models import Program

NO_BANK_DETAILS = {"UK-05", "DIST-SAUDIARABIA"}  # somebody always forgets: finance sees why they are left out


def enrol(row: PartnerRow, program: Program, *, at: datetime) -> Membership:
    """Take one partner from application to a membership with code, link and bank account, all by `at`."""
    email, name, company = _identity(row)
    version = terms.in_force(program, at=at)
    if version is None:
        raise LookupError(f"{program.slug} has no terms in force.")
    application, token = sending.submit(
        program,
        answers=sending.Answers(
            full_name=name,
            email=email,
            phone=_phone(row.code),
            company=company,
            website=f"https://{email.split('@')[1]}",
            country=row.country,
            audience="Stated when the partner list was set up",
            how_promote="Through our own customers and readers.",
        ),
        terms=version,
        at=at - timedelta(days=3),
        source="demo",
    )
    application = applications.confirm_email(token, at - timedelta(days=2)) or application
    manager = ACCOUNT_MANAGER.user()
    tier = program.tiers.by_rank()[0]
    membership = approval.approve(application, tier=tier, by=manager, at=at)
    codes.make(membership, code=row.code, by=manager, at=at)
    if not membership.links.exists():
        links.make(membership, label="Home page", by=manager, at=at)
    if row.code not in NO_BANK_DETAILS:
        _bank(membership, row, company, email, at=at)
    if row.code == PARTNER_CODE:
        placement.place(
            membership,
            tier=program.tiers.get(key="silver"),
            by=manager,
            at=at + timedelta(days=90),
            because="Revenue and reviews of the first quarter",
        )
    return membership


def _identity(row: PartnerRow) -> tuple[str, str, str]:
    if row.code == PARTNER_CODE:
        return PARTNER.email, PARTNER.name, "Northwind Reviews"
    return f"owner@{row.code.lower()}.example", f"Owner of {row.name}", row.name


def _phone(code: str) -> str:
    """Return a number that is kept for made-up people, each partner's own."""
    place = next(number for number, row in enumerate(dataset.partners()) if row.code == code)
    return f"+44 20 7946 0{place:03d}"


def _bank(membership: Membership, row: PartnerRow, holder: str, email: str, *, at: datetime) -> None:
    owner = User.objects.get_by_natural_key(email)
    if row.code == PARTNER_CODE:
        owner.set_password(PASSWORD)
        owner.save(update_fields=["password"])
    payment_methods.add(
        membership.partner,
        currency=membership.program.currency,
        holder=holder,
        iban=made_up_iban(row.code),
        bic="BUKBGB22",
        by=owner,
        at=at,
    )


def made_up_iban(code: str) -> str:
    """Return a British account number with right check digits that belongs to nobody, always the same for a code."""
    digits = str(int(hashlib.sha256(code.encode()).hexdigest(), 16))[:14]
    account = f"BUKB{digits}"
    return f"GB{iban.calc_check_digits('GB00' + account)}{account}"
