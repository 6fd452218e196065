"""A rule's table of steps made ready for counting: whole numbers over one common scale, and what is owed at each bound. A step holds
from its start up to the next one's; below the first start nothing is earned, and below zero the first step goes on."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from tiers.engine.facts import RuleFacts, Step
from tiers.engine.rates.percent import exact_text, rate_text

Row = dict[str, int | str | None]


class Table(NamedTuple):
    """The steps as columns. `marginal` is what one more minor unit or piece earns, `entry` what reaching the step earns at
    once and `owed` what the volume at its bound has earned, entry included: all in minor units times `scale`."""

    is_counted: bool
    scale: int
    bounds: tuple[int, ...]
    marginal: tuple[int, ...]
    entry: tuple[int, ...]
    owed: tuple[int, ...]
    rates: tuple[str | None, ...]  # None where pieces are counted
    flats: tuple[int, ...]  # in minor units: per piece where pieces are counted, else once

    def at(self, volume: int) -> int:
        """Return which step a volume lies in."""
        return bisect_right(self.bounds, volume) - 1 if volume > 0 else 0

    def up_to(self, volume: int) -> int:
        """Return what a volume has earned when each step prices its own part, times `scale`."""
        if volume <= 0:
            return self.marginal[0] * volume
        step = bisect_right(self.bounds, volume) - 1
        return self.owed[step] + self.marginal[step] * (volume - self.bounds[step])

    def end(self, step: int) -> int | None:
        """Return where a step ends, nothing for the last one."""
        return self.bounds[step + 1] if step + 1 < len(self.bounds) else None

    def row(self, step: int, volume: int, product: int, flat: int | None) -> Row:
        """Return one row of an explanation; `product` is what it comes to times `scale`."""
        return {
            "from": self.bounds[step],
            "to": self.end(step),
            "rate": self.rates[step],
            "flat": flat,
            "volume": volume,
            "exact": exact_text(product, self.scale),
        }


def of(rule: RuleFacts) -> Table:
    """Return the table of a rule: a rate on minor units, or a flat amount on each piece."""
    return table(rule.steps, rule.metric != "revenue")


def of_amounts(rule: RuleFacts) -> Table:
    """Return the table of a rule whose steps pay their flat amount once when they are reached, and nothing else."""
    return _amounts(rule.steps)


@lru_cache(maxsize=1024)
def _amounts(steps: tuple[Step, ...]) -> Table:
    bare = table(tuple(Step(step.start, flat=step.flat) for step in steps), False)
    return bare._replace(rates=(None,) * len(bare.rates))


@lru_cache(maxsize=1024)
def table(steps: tuple[Step, ...], is_counted: bool) -> Table:
    """Return the steps made ready, and a first step that earns nothing when they begin above zero.

    Cached by value: equal steps give equal answers however their rates were written.
    """
    if steps[0].start < 0:
        raise ValueError("A table of steps does not begin below zero.")
    if steps[0].start > 0:
        steps = (Step(0), *steps)
    texts = [rate_text(step.rate) for step in steps]
    scale = 1 if is_counted else 10 ** max(len(text.partition(".")[2]) for text in texts)
    marginal = [step.flat if is_counted else _whole(step, scale) for step in steps]
    entry = [0 if is_counted else step.flat * scale for step in steps]
    return Table(
        is_counted=is_counted,
        scale=scale,
        bounds=tuple(step.start for step in steps),
        marginal=tuple(marginal),
        entry=tuple(entry),
        owed=tuple(_at_bounds(steps, marginal, entry)),
        rates=tuple([None] * len(steps) if is_counted else texts),
        flats=tuple(step.flat for step in steps),
    )


def _whole(step: Step, scale: int) -> int:
    return int(Fraction(step.rate) * scale)  # whole: the scale has a digit for each decimal of each rate


def _at_bounds(steps: tuple[Step, ...], marginal: list[int], entry: list[int]) -> list[int]:
    owed = [entry[0]]
    for index in range(1, len(steps)):
        width = steps[index].start - steps[index - 1].start
        owed.append(owed[-1] + marginal[index - 1] * width + entry[index])
    return owed
