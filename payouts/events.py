"""News from the payouts app, announced after commit. Who listens is written in prm/wiring.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StatementIssued:
    statement_id: int


@dataclass(frozen=True)
class PaymentSent:
    payment_id: int


@dataclass(frozen=True)
class PaymentSettled:
    payment_id: int
