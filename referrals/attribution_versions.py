"""Keep the rules by which a program gives credit, in versions. An event is judged by the version in force when it happened; a program
that has published none gives credit as `standard` says.
"""

from __future__ import annotations

from datetime import datetime

from referrals.attribution.settings import Settings, read, standard
from referrals.models import AttributionVersion
from tiers.models import Program


def in_force(program: Program, *, at: datetime) -> AttributionVersion | None:
    """Return the version that judges events at `at`; nothing where none had begun."""
    return AttributionVersion.objects.filter(program=program).in_force(at=at).first()


def settings_at(program: Program, *, at: datetime) -> Settings:
    """Return how credit is given for events at `at`."""
    version = in_force(program, at=at)
    return settings_of(version, program)


def settings_of(version: AttributionVersion | None, program: Program) -> Settings:
    """Return what a version says; without one, what holds for a program that published nothing."""
    return standard(program.cookie_days) if version is None else read(version.definition)
