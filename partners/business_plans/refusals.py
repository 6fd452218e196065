"""Why a business plan cannot be as somebody wants it, in words and with the field it is about. Nothing is saved when one of these is raised."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused

LONGEST_YEARS = 3
# Plans are of living memory and of the near future: calendars end.
YEARS = (2000, 2199)
MOST_GOALS, MOST_CHECKPOINTS = 20, 24
LONGEST_TITLE, LONGEST_TEXT, LONGEST_REASON = 140, 4000, 500


class NoTitle(Refused):
    message = _("Give the plan a title of up to 140 characters.")
    field = "title"


class TooLong(Refused):
    message = _("Write up to 4,000 characters.")


class EndsTooEarly(Refused):
    message = _("The last day must lie after the first one.")
    field = "ends_on"


class TooManyYears(Refused):
    message = _("A plan is for three years at most: end it by %(day)s.")
    field = "ends_on"


class UnknownGoal(Refused):
    message = _("Choose what is to be reached.")


class NotPositive(Refused):
    message = _("A target is more than nothing.")


class Absurd(Refused):
    message = _("No partner reaches this. Write %(most)s or less.")


class OutsidePeriod(Refused):
    message = _("This day lies outside the plan, which runs from %(first)s to %(last)s.")


class Twice(Refused):
    message = _("This goal has the same deadline twice.")


class SameDayTwice(Refused):
    message = _("This day is named twice.")


class TooMany(Refused):
    message = _("A plan has up to %(goals)s goals and %(checkpoints)s checkpoints.")


class FarAway(Refused):
    message = _("Choose days from the years %(first)s to %(last)s.")
    field = "starts_on"


class NoGoals(Refused):
    message = _("Set at least one goal before the partner is asked.")


class PeriodOver(Refused):
    message = _("The period of this plan is over: choose other days.")
    field = "ends_on"


class Overlaps(Refused):
    message = _("“%(title)s” is agreed from %(first)s to %(last)s: only one plan counts at a time.")
    field = "starts_on"


class MembershipOver(Refused):
    message = _("This membership has ended: there is nothing to plan.")


class NotAnOutline(Refused):
    message = _(
        "This plan is no outline any more. Take it back from the partner first, or change its targets."
    )


class NotWithThePartner(Refused):
    message = _("This plan does not wait for the partner's answer.")


class Altered(Refused):
    message = _("The plan was changed while you read it. Read it again.")


class SaysNothing(Refused):
    message = _("Say what should be different, in up to 4,000 characters.")
    field = "text"


class NotRunning(Refused):
    message = _("Only a plan that was agreed and is not over can be changed.")


class NotBegun(Refused):
    message = _("The plan has not begun.")


class NotOver(Refused):
    message = _("The plan runs until %(day)s. Complete it after that day, or withdraw it.")


class NoOutcome(Refused):
    message = _("Say what came of the plan, in up to 4,000 characters.")
    field = "outcome"


class NoReason(Refused):
    message = _("Say why, in up to 500 characters.")
    field = "because"


class HeldAlready(Refused):
    message = _("This checkpoint was held already.")


class NoNote(Refused):
    message = _("Say what was found, in up to 4,000 characters.")
    field = "note"


class SameTarget(Refused):
    message = _("This is the target already.")
    field = "after"


class GoalOver(Refused):
    message = _("The deadline of this goal is over: its target stays.")


class ChangeWaits(Refused):
    message = _("A changed target of this goal waits for the partner's answer.")


class NotWaiting(Refused):
    message = _("This change does not wait for an answer any more.")


class OtherPlan(Refused):
    message = _("This checkpoint belongs to another plan.")
    field = "checkpoint"


class Finished(Refused):
    message = _("This plan is completed or withdrawn: it stays as it is.")
