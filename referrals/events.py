"""News from the referrals app, announced after commit. Who listens is written in prm/wiring.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConversionsAttributed:
    """Credits were written and wait to be rated. Carries the ids of the conversions, in batches."""

    conversion_ids: tuple[int, ...]
