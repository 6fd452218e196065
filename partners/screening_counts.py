"""Count the warnings of many applications at once, for the queue. Each count is the number of warnings `screening.signals` gives for that
application; the surroundings are read in a handful of queries whatever the length of the page."""

from __future__ import annotations

from collections.abc import Sequence

from partners import screening
from partners.choices import ApplicationState
from partners.models import Application
from partners.screening_around import look_around


def warning_counts(applications: Sequence[Application]) -> dict[int, int]:
    """Return the number of warnings of each undecided application, by its id; `rule` should have been read with the rows."""
    undecided = [each for each in applications if each.state in ApplicationState.undecided()]
    if not undecided:
        return {}
    around = look_around(undecided)
    return {
        each.pk: sum(signal.level == screening.WARN for signal in screening.signals(each, around))
        for each in undecided
    }
