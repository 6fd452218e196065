"""A percentage of the base, rounded half away from zero once. The percentage of a negated base is the negated percentage."""

from decimal import Decimal
from functools import lru_cache

from prm.lib.money import Money, divide_half_away
from tiers.engine.facts import Part, RuleFacts


def parts(rule: RuleFacts, base: Money, is_refund: bool) -> tuple[Part, ...]:
    """Return `rate` of `base`, with the exact figure before rounding."""
    return (part("percent", rule.rate, base.minor),)


def part(label_code: str, rate: Decimal, base_minor: int, **params: int | str) -> Part:
    """Return `rate` of `base_minor` under a label, with the figures the label mentions besides."""
    numerator, scale, text = scaled(rate)
    product = base_minor * numerator
    figures: dict[str, int | str] = {
        "rate": text,
        "base_minor": base_minor,
        "exact_minor": exact_text(product, scale),
        **params,
    }
    return Part(label_code, divide_half_away(product, scale), figures)


def rate_text(rate: Decimal) -> str:
    """Return a rate in plain digits without padding: 0.08, never 0.0800 or 8E-2."""
    text = format(rate, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=1024)
def scaled(rate: Decimal) -> tuple[int, int, str]:
    """Return the rate as a whole number over a power of ten, which keeps every product exact.

    Cached by value: equal rates give equal answers however they were written.
    """
    text = rate_text(rate)
    decimals = len(text.partition(".")[2])
    return int(text.replace(".", "")), 10**decimals, text


def exact_text(product: int, scale: int) -> str:
    """Return a whole number over a power of ten in plain digits without padding."""
    whole, rest = divmod(abs(product), scale)
    sign = "-" if product < 0 else ""
    if rest == 0:
        return f"{sign}{whole}"
    decimals = str(scale + rest)[1:].rstrip("0")  # the scale puts a 1 before the leading zeros
    return f"{sign}{whole}.{decimals}"
