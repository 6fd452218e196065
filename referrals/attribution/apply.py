"""Read the candidates of a batch of events and let the rule decide. The number of queries does not grow with the batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from partners.intervals import Gap, gaps_of
from prm.lib.errors import Refused
from referrals.attribution.rule import CodeUsed, Decision, Earner, Touch, decide
from referrals.facts import Event
from referrals.models import Click, Code

NEVER = datetime.min.replace(tzinfo=UTC)
LONGEST_WINDOW = timedelta(days=400)
MOST_CLICKS = 20_000
Gaps = dict[int, tuple[Gap, ...]]
_OVER = (MembershipState.ENDED, MembershipState.TERMINATED, MembershipState.BANNED)
_CodeRow = tuple[str, int, bool, int, str, datetime | None, str]
_ClickRow = tuple[str, int, datetime, int, str, datetime | None, int, str]


class UnknownCode(Refused):
    """The code on the order was never given to anybody; a typing error must not turn into a sale without a partner."""

    message = _("No partner has the code %(code)s.")
    field = "code"


class OtherCurrency(Refused):
    """The event is in another currency than the program its membership earns in."""

    message = _("The amount is in %(given)s but the program counts in %(expected)s.")
    field = "currency"


@dataclass
class Candidates:
    """Everything that could be credited for a batch of events."""

    codes: dict[str, CodeUsed] = field(default_factory=dict)
    visitors: dict[str, str] = field(default_factory=dict)
    touches: dict[str, list[Touch]] = field(default_factory=dict)
    currencies: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Sequence[Event]) -> Candidates:
        """Read the codes used and the clicks of the visitors who came."""
        found = cls()
        codes = _codes({event.code for event in events if event.code})
        clicked = [event for event in events if event.click_id]
        clicks = found._clicks_of(clicked) if clicked else []
        # One query for all of them: when each was suspended, and the end that was announced.
        gaps = gaps_of({row[3] for row in codes} | {row[3] for row in clicks})
        found._add_codes(codes, gaps)
        found._add_clicks(clicks, gaps)
        return found

    def decide(self, event: Event) -> Decision:
        """Return who brought `event`.

        Raises: UnknownCode, OtherCurrency.
        """
        code = self.codes.get(event.code) if event.code else None
        if event.code and code is None:
            raise UnknownCode(params={"code": event.code})
        touches = self.touches.get(self.visitors.get(event.click_id, ""), ()) if event.click_id else ()
        decision = decide(occurred_at=event.occurred_at, code=code, touches=touches)
        if decision.membership_id is not None:
            expected = self.currencies[decision.membership_id]
            if event.amount.currency != expected:
                raise OtherCurrency(params={"given": event.amount.currency, "expected": expected})
        return decision

    def _add_codes(self, rows: Iterable[_CodeRow], gaps: Gaps) -> None:
        for text, pk, is_active, membership_id, state, ended_at, currency in rows:
            who = earner(membership_id, state, ended_at, gaps=gaps.get(membership_id, ()))
            self.codes[text] = CodeUsed(pk, who, is_active)
            self.currencies[membership_id] = currency

    def _clicks_of(self, events: Sequence[Event]) -> list[_ClickRow]:
        ids = {event.click_id for event in events}
        self.visitors = dict(Click.objects.filter(click_id__in=ids).values_list("click_id", "visitor"))
        named = {visitor for visitor in self.visitors.values() if visitor}
        latest = max(event.occurred_at for event in events)
        earliest = min(event.occurred_at for event in events) - LONGEST_WINDOW
        rows = Click.objects.filter(visitor__in=named, clicked_at__gt=earliest, clicked_at__lte=latest)
        return list(
            rows.order_by("-clicked_at", "-pk").values_list(
                "visitor",
                "pk",
                "clicked_at",
                "link__membership_id",
                "link__membership__state",
                "link__membership__ended_at",
                "link__membership__program__cookie_days",
                "link__membership__program__currency",
            )[:MOST_CLICKS]
        )

    def _add_clicks(self, rows: Iterable[_ClickRow], gaps: Gaps) -> None:
        for visitor, pk, clicked_at, membership_id, state, ended_at, days, currency in rows:
            who = earner(membership_id, state, ended_at, gaps=gaps.get(membership_id, ()))
            self.touches.setdefault(visitor, []).append(Touch(pk, who, clicked_at, timedelta(days=days)))
            self.currencies[membership_id] = currency


def earner(
    membership_id: int, state: str, ended_at: datetime | None, *, gaps: tuple[Gap, ...] = ()
) -> Earner:
    """Return the membership as the rule sees it: one that is over keeps what it brought before, and nothing that happened while
    it was suspended counts, whatever its state is now."""
    if state == MembershipState.ACTIVE:
        return Earner(membership_id, ended_at, gaps)
    if state in _OVER and ended_at is not None:
        return Earner(membership_id, ended_at, gaps)
    # Without a word about since when, a suspended membership earns from nothing.
    if state == MembershipState.SUSPENDED and any(end is None for _start, end in gaps):
        return Earner(membership_id, ended_at, gaps)
    return Earner(membership_id, NEVER)


def _codes(texts: Iterable[str]) -> list[_CodeRow]:
    return list(
        Code.objects.filter(code__in=list(texts)).values_list(
            "code",
            "pk",
            "is_active",
            "membership_id",
            "membership__state",
            "membership__ended_at",
            "membership__program__currency",
        )
    )
