"""News from the tiers app, announced after commit. Who listens is written in prm/wiring.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PlanVersionPublished:
    version_id: int
