"""News from the partners app, announced after commit. Who listens is written in prm/wiring.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApplicationSubmitted:
    application_id: int


@dataclass(frozen=True)
class ApplicationCounts:
    """An application waits for us from now on: it was sent and its mailbox is confirmed, or staff entered it."""

    application_id: int


@dataclass(frozen=True)
class MembershipApproved:
    membership_id: int


@dataclass(frozen=True)
class PlacementChanged:
    membership_id: int


@dataclass(frozen=True)
class MembershipSuspended:
    membership_id: int


@dataclass(frozen=True)
class MembershipReinstated:
    membership_id: int


@dataclass(frozen=True)
class MembershipEnded:
    """`kind` is the state the membership ended in: left, terminated or banned."""

    membership_id: int
    kind: str


@dataclass(frozen=True)
class TermsPublished:
    version_id: int


@dataclass(frozen=True)
class TermsOverdue:
    """New terms were not accepted in time: the consequence holds from now on."""

    membership_id: int


@dataclass(frozen=True)
class TermsAccepted:
    """Terms that were overdue are accepted: what they held back goes on."""

    membership_id: int


@dataclass(frozen=True)
class CredentialsChanged:
    """Somebody of a partner passed, lost or left: ratios of its memberships may be others now."""

    partner_id: int


@dataclass(frozen=True)
class ReviewDecided:
    """A tier review came to its end; `state` is applied, kept or waived."""

    review_id: int
    state: str
