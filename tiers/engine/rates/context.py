"""What a rate on one event is told besides the base: how many pieces, how far the partner has come, which month and payment of a
customer, how far up the recruiter stands. The caller counts; the rates only look."""

from typing import NamedTuple

from prm.lib.money import Money


class Context(NamedTuple):
    """`metric_value` is what a prospective rate looks its step up by. `month` is how many whole months have passed since
    the customer's first payment and `payment` which of the customer's payments this is, 1 for the first. `depth` counts the
    steps up from the partner who sold; `recruit_amount` is what the recruit's own line came to."""

    is_refund: bool = False
    quantity: int = 1
    metric_value: int = 0
    month: int = 0
    payment: int = 1
    depth: int = 0
    recruit_amount: Money | None = None
