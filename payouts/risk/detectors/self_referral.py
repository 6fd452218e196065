"""The partner bought itself: the buyer's keys are those of the partner or its team. A mark that names a person is severe alone; marks that
honest partners can share, such as a company's mail domain, are severe only together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q

from partners.models import Member, Membership
from payouts.choices import RiskCaseState, RiskKind
from payouts.models import RiskSignal
from payouts.risk.detectors import sign_ins
from payouts.risk.detectors.base import HIGH, MEDIUM, Look, Signal
from referrals import identity
from referrals.models import Credit

KIND = RiskKind.SELF_REFERRAL.value
NAMES_A_PERSON = frozenset({"email", "mailbox", "vat", "payment_confirmed"})


@dataclass
class Own:
    """The keys of one partner and its team."""

    email: set[str] = field(default_factory=set)
    mailbox: set[str] = field(default_factory=set)
    domain: set[str] = field(default_factory=set)
    vat: set[str] = field(default_factory=set)

    def learn(self, address: str) -> None:
        """Add the keys of an e-mail address."""
        if not address.strip():
            return
        self.email.add(identity.email_key(address))
        self.mailbox.add(identity.folded_email_key(address))
        self.domain.add(identity.domain_key(address))


def detect(look: Look) -> Iterator[Signal]:
    """Yield a signal for each conversion whose buyer looks like its partner."""
    own = _keys_of_partners(look)
    confirmed, shared = _confirmed_payments(look), _shared_payments(look)
    addresses = sign_ins.addresses_of(look)
    found = look.credits().select_related("conversion__customer", "click").order_by("pk")
    for credit in found.iterator(chunk_size=2000):
        marks = _marks(credit, own.get(credit.membership_id, Own()))
        marks |= _payment_marks(credit, confirmed, shared)
        if _address_matches(credit, addresses.get(credit.membership_id, frozenset())):
            marks.add("address")
        if marks:
            yield _signal(look, credit, marks)


def _marks(credit: Credit, own: Own) -> set[str]:
    buyer = credit.conversion.customer
    if buyer is None:
        return set()
    pairs = {
        "email": (buyer.email_key, own.email),
        "mailbox": (buyer.mailbox_key, own.mailbox),
        "domain": (buyer.domain_key, own.domain),
        "vat": (buyer.vat_key, own.vat),
    }
    return {mark for mark, (key, known) in pairs.items() if key and key in known}


def _payment_marks(credit: Credit, confirmed: set[tuple[int, str]], shared: set[tuple[int, str]]) -> set[str]:
    at = (credit.membership_id, credit.conversion.payment_key)
    found = set()
    if at in confirmed:
        found.add("payment_confirmed")
    if at in shared:
        found.add("payment_shared")
    return found


def _address_matches(credit: Credit, known: frozenset[str]) -> bool:
    hashes = {credit.conversion.address_hash, credit.click.address_hash if credit.click else ""} - {""}
    return bool(hashes & known)


def _signal(look: Look, credit: Credit, marks: set[str]) -> Signal:
    is_severe = bool(marks & NAMES_A_PERSON) or len(marks) > 1
    return Signal(
        credit.membership_id,
        KIND,
        HIGH if is_severe else MEDIUM,
        (credit.conversion_id,),
        {
            "marks": sorted(marks),
            "conversions": [credit.conversion.public_id],
            "thresholds": look.of(KIND),
        },
        credit.conversion_id,
    )


def _keys_of_partners(look: Look) -> dict[int, Own]:
    """Return the keys of every partner of the program by membership; two queries."""
    partners: dict[int, Own] = defaultdict(Own)
    found: dict[int, Own] = {}
    wanted = Membership.objects.filter(program=look.program)
    if look.conversion_ids:
        wanted = wanted.filter(credits__conversion__in=look.conversion_ids).distinct()
    for membership in wanted.select_related("partner"):
        own = found[membership.pk] = partners[membership.partner_id]
        own.learn(membership.partner.email)
        own.vat.add(identity.vat_key(membership.partner.vat_number))
    team = Member.objects.filter(partner__memberships__in=wanted.values("pk"))
    for partner_id, address in team.values_list("partner_id", "user__email").distinct():
        partners[partner_id].learn(address)
    for own in partners.values():
        for keys in (own.email, own.mailbox, own.domain, own.vat):
            keys.discard("")
    return found


def _confirmed_payments(look: Look) -> set[tuple[int, str]]:
    """Return means of payment of conversions a person has confirmed and taken away from a partner."""
    still = Credit.objects.standing().filter(
        conversion=OuterRef("conversion"), membership=OuterRef("membership")
    )
    rows = RiskSignal.objects.filter(
        ~Exists(still),
        kind=KIND,
        membership__program=look.program,
        case__state=RiskCaseState.CONFIRMED,
    ).exclude(conversion__payment_key="")
    return set(rows.filter(conversion__isnull=False).values_list("membership_id", "conversion__payment_key"))


def _shared_payments(look: Look) -> set[tuple[int, str]]:
    """Return means of payment by which several customers of one partner paid."""
    looked_at = look.credits().exclude(conversion__payment_key="")
    keys = looked_at.values("conversion__payment_key")
    rows = Credit.objects.standing().filter(
        Q(membership__program=look.program), conversion__payment_key__in=keys
    )
    customers: dict[tuple[int, str], set[int]] = defaultdict(set)
    named = rows.filter(conversion__customer__isnull=False)
    for membership_id, key, customer_id in named.values_list(
        "membership_id", "conversion__payment_key", "conversion__customer_id"
    ).distinct():
        customers[membership_id, key].add(customer_id)
    least = look.of(KIND)["customers"]
    return {pair for pair, people in customers.items() if len(people) >= least}
