"""Say why a rule paid nothing, and why an event did. Rules made for somebody else are not named to whoever reads,
and what staff noted about a partner is told to staff only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from payouts.explained import texts
from prm.lib import l10n
from prm.lib.countries import is_code
from tiers.engine.attributes import OPERATORS, attribute_of

# Whom a rule was negotiated with is nobody else's to know.
_OF_SOMEBODY_ELSE = frozenset({"partner", "deal"})

# One of several conditions, as the engine writes it down: an attribute, an operator, values.
_ON_TAGS = re.compile(r"(?:^| and | or )tag ")


def is_for_readers(tried: Mapping[str, Any]) -> bool:
    """Tell whether a rule that did not apply may be named: not when it was made for another partner or deal."""
    why = tried["why"]
    if tried.get("private"):
        return False
    return why["code"] != "condition" or why["wanted"][0] not in _OF_SOMEBODY_ELSE


def not_applied(tried: Mapping[str, Any], *, for_staff: bool = False) -> str:
    """Return why a rule did not apply, naming it; which tags were asked for and found is for staff."""
    why = tried["why"]
    if not for_staff and _asks_for_tags(why):
        reason = _without_tags(why)
    else:
        reason = _condition(why) if why["code"] == "condition" else _reason(why)
    return _("“%(rule)s”: %(reason)s") % {"rule": tried["rule"]["name"], "reason": reason}


def outcome(code: str) -> str:
    """Return why an event earns nothing; an empty text when it earns something."""
    sentences = {
        "lines": "",
        "no_rule_applies": _("No rule covers it."),
        "nothing_due": _("The rules that cover it come to nothing."),
        "over_cap": _("A limit has been reached."),
        "outside_clawback": _("It came too late after the sale to take anything back."),
        "excluded_product": _("The program pays nothing for this product."),
        "excluded_category": _("The program pays nothing for this category."),
    }
    return sentences.get(code, texts.plain_words(code))


def _asks_for_tags(why: Mapping[str, Any]) -> bool:
    if why["code"] == "condition":
        return bool(why["wanted"][0] == "tag")
    return why["code"] == "no_condition" and any(_ON_TAGS.search(each) for each in why["wanted"])


def _without_tags(why: Mapping[str, Any]) -> str:
    if why["code"] == "condition":
        return _("its condition on tags is not met.")
    return _("none of its conditions is met.")


def _reason(why: Mapping[str, Any]) -> str:
    wanted, found = _list(why["wanted"]), why["found"]
    events = ", ".join(texts.event(kind) for kind in why["wanted"])
    reasons = {
        "earlier_rule_applied": _("another rule came first."),
        "no_amount": _("the event has no amount."),
        "other_event_kind": _("it is for %(wanted)s; this was %(found)s.")
        % {"wanted": events, "found": texts.event(found)},
        "other_tier": _("it is for the tiers %(wanted)s.") % {"wanted": wanted},
        "other_country": _("it is for customers in %(wanted)s.") % {"wanted": _places(why["wanted"])},
        "other_role": _other_role(why["wanted"]),
        "other_level": _other_level(why["wanted"]),
        "month_model": _("it is paid at the end of a month, not for an order."),
        "no_condition": _("none of its conditions is met: %(wanted)s.") % {"wanted": wanted},
        "recurring_over": _("it no longer pays for this customer."),
        "below_first_step": _("its first step has not been reached."),
        "beyond_levels": _("it does not reach that many levels."),
        "unknown_customer": _("it needs a known customer."),
        "outside_clawback": _("the refund came too late after the sale."),
        "excluded_product": _("the program pays nothing for %(found)s.") % {"found": found},
        "excluded_category": _("the program pays nothing for %(found)s.") % {"found": found},
    }
    return reasons.get(why["code"], f"{texts.plain_words(why['code']).lower()}.")


def _condition(why: Mapping[str, Any]) -> str:
    """Say the condition that was not met and what was there instead."""
    key, operator, values = (*why["wanted"], "", "", "")[:3]
    attribute = attribute_of(key)
    params = {
        "what": attribute.label if attribute is not None else texts.plain_words(key),
        "operator": OPERATORS.get(operator, operator),
        "values": values,
        "found": why["found"],
    }
    if attribute is not None and attribute.type == "country":
        params |= {"values": _places(values.split(", ")), "found": _places([why["found"]])}
    if why["found"]:
        return _("only if: %(what)s %(operator)s %(values)s; this was %(found)s.") % params
    return _("only if: %(what)s %(operator)s %(values)s; nothing was given.") % params


def _other_role(wanted: Sequence[str]) -> str:
    return (
        _("it is for helping with somebody else's sale.")
        if wanted
        else _("it is not for helping with a sale.")
    )


def _other_level(wanted: Sequence[str]) -> str:
    if "recruiter" in wanted:
        return _("it is for sales of partners you recruited.")
    return _("it is for your own sales.")


def _places(codes: Sequence[str]) -> str:
    """Name countries; what is no code of one stays as it is."""
    known = l10n.locale_of(texts.locale()).territories
    return ", ".join(str(known.get(code, code)) if is_code(code) else code for code in codes)


def _list(values: Sequence[str]) -> str:
    return ", ".join(values)
