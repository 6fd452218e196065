"""News from the referrals app, announced after commit. Who listens is written in prm/wiring.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConversionsAttributed:
    """Credits were written and wait to be rated. Carries the ids of the conversions, in batches."""

    conversion_ids: tuple[int, ...]


@dataclass(frozen=True)
class AttributionPublished:
    """A program gives credit by other rules from a day on; its members are to be told."""

    version_id: int
