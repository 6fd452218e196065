"""Questions of partners about one line, or about who is credited for an order: asked within a window, answered by a promised day, decided once. What comes of them is an
adjustment in the open month or nothing; the line stays as it was."""

from payouts.disputes.about_credit import (
    NotAboutCredit,
    WhichOrder,
    accept_with_credits,
    accept_with_share,
    open_inquiry,
)
from payouts.disputes.clock import ask_until, can_be_asked, open_about
from payouts.disputes.common import (
    MAY_ASK,
    AlreadyAsked,
    AlreadyDecided,
    BadText,
    BadWish,
    NothingToWorkOut,
    NotYourQuestion,
    StillUnderWay,
    TooLateToAsk,
)
from payouts.disputes.deciding import accept, refuse, reopen, withdraw
from payouts.disputes.suggestion import Suggestion, suggest
from payouts.disputes.thread import answer, look_again, open, reply

__all__ = [
    "MAY_ASK",
    "AlreadyAsked",
    "AlreadyDecided",
    "BadText",
    "BadWish",
    "NotAboutCredit",
    "NotYourQuestion",
    "NothingToWorkOut",
    "StillUnderWay",
    "Suggestion",
    "TooLateToAsk",
    "WhichOrder",
    "accept",
    "accept_with_credits",
    "accept_with_share",
    "answer",
    "ask_until",
    "can_be_asked",
    "look_again",
    "open",
    "open_about",
    "open_inquiry",
    "refuse",
    "reopen",
    "reply",
    "suggest",
    "withdraw",
]
