"""Why a contact was credited or passed over, as codes that are stored with each decision. A code keeps its meaning for ever; what it says
to people is written in `words`."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """The first three earn, all others do not."""

    DECIDED = "decided"  # it took all of the credit: the last, the first or the only one that counted
    SHARED = "shared"  # it took a part, as others did
    ASSISTED = "assisted"  # it helped, and the amount is others'

    # Faults of the contact itself.
    WITHDRAWN = "withdrawn"
    CODE_OFF = "code_off"
    KIND_NOT_COUNTED = "kind_not_counted"
    CODE_NOT_YET = "code_not_yet"
    CODE_OVER = "code_over"
    CODE_USED_UP = "code_used_up"
    BEFORE_JOINING = "before_joining"
    AFTER_THE_EVENT = "after_the_event"
    OUTSIDE_WINDOW = "outside_window"
    DEAL_OVER = "deal_over"
    OWNER_OVER = "owner_over"
    NOT_EARNING = "not_earning"
    NOT_QUALIFIED = "not_qualified"
    EXISTING_CUSTOMER = "existing_customer"

    # It could have counted, and another one came before it.
    OTHER_PROGRAM = "other_program"
    LOWER_PRECEDENCE = "lower_precedence"
    EARLIER_TOUCH = "earlier_touch"
    LATER_TOUCH = "later_touch"
    TOO_SMALL = "too_small"

    # A person decided: somebody was credited by hand, or was until then.
    BY_HAND = "by_hand"
    OVERRULED = "overruled"


EARNS = frozenset({Why.DECIDED, Why.SHARED, Why.ASSISTED, Why.BY_HAND})
