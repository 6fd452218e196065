"""What referrals keep that rates of points can be narrowed to: the roles partners have in a sale. They go by the value that is stored."""

from __future__ import annotations

from referrals.choices import CreditRole
from tiers import narrowing
from tiers.models import Program
from tiers.narrowing import Value


def credit_roles(_program: Program) -> list[Value]:
    return [Value(value, str(label)) for value, label in CreditRole.choices]


def learn() -> None:
    """Let rates of points name roles in a sale."""
    narrowing.learn_values("credit_role", credit_roles)
