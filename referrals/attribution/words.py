"""Say why a contact was credited or passed over, to the partner whose it was. No sentence names another partner: what came before a contact
is told by its kind only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from prm.lib import l10n
from prm.lib.periods import local_day
from referrals.attribution.why import Why

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_CODES = frozenset(each.value for each in Why)
# A few words for each reason, for columns and filters.
LABELS: Mapping[Why, StrOrPromise] = {
    Why.DECIDED: gettext_lazy("Took the credit"),
    Why.SHARED: gettext_lazy("Took a part"),
    Why.ASSISTED: gettext_lazy("Helped"),
    Why.WITHDRAWN: gettext_lazy("Taken back"),
    Why.CODE_OFF: gettext_lazy("Code off"),
    Why.KIND_NOT_COUNTED: gettext_lazy("Not counted by the program"),
    Why.CODE_NOT_YET: gettext_lazy("Code not valid yet"),
    Why.CODE_OVER: gettext_lazy("Code no longer valid"),
    Why.CODE_USED_UP: gettext_lazy("Code used up"),
    Why.BEFORE_JOINING: gettext_lazy("Before joining"),
    Why.AFTER_THE_EVENT: gettext_lazy("After the event"),
    Why.OUTSIDE_WINDOW: gettext_lazy("Too long before"),
    Why.DEAL_OVER: gettext_lazy("Deal no longer protected"),
    Why.OWNER_OVER: gettext_lazy("Time for later purchases over"),
    Why.NOT_EARNING: gettext_lazy("Not active then"),
    Why.NOT_QUALIFIED: gettext_lazy("Not a referral by the rules"),
    Why.EXISTING_CUSTOMER: gettext_lazy("Customer from before"),
    Why.OTHER_PROGRAM: gettext_lazy("Counted in another program"),
    Why.LOWER_PRECEDENCE: gettext_lazy("Something else comes first"),
    Why.EARLIER_TOUCH: gettext_lazy("A later one decided"),
    Why.LATER_TOUCH: gettext_lazy("An earlier one decided"),
    Why.TOO_SMALL: gettext_lazy("Its part comes to nothing"),
    Why.BY_HAND: gettext_lazy("Decided by a person"),
    Why.OVERRULED: gettext_lazy("Decided otherwise by a person"),
}
KINDS: Mapping[str, StrOrPromise] = {
    "deal": gettext_lazy("Registered deal"),
    "code": gettext_lazy("Code on the order"),
    "click": gettext_lazy("Click"),
    "lead": gettext_lazy("Lead"),
    "intro": gettext_lazy("An introduction"),
    "view": gettext_lazy("View"),
    "customer": gettext_lazy("Customer brought before"),
    "person": gettext_lazy("Decision of a person"),
}


def label(why: str) -> str:
    """Return a reason in a few words; a code of later days stays as it is."""
    return str(LABELS[Why(why)]) if why in _CODES else why


def kind_label(kind: str) -> str:
    """Return what a contact was."""
    return str(KINDS.get(kind, kind))


def sentence(entry: Mapping[str, Any], zone: tzinfo) -> str:
    """Return why a contact earned or did not, of an entry of a decision record, in the program's time zone."""
    why = entry["why"]
    if why not in _CODES:
        return str(why)
    figures = entry.get("with") or {}
    own = _WITH_FIGURES.get(Why(why))
    return own(entry, figures, zone) if own else str(_PLAIN[Why(why)])


def moment(stored: str, zone: tzinfo) -> str:
    """Return a stored instant as people read it, by the program's clock."""
    return _moment(datetime.fromisoformat(stored), zone)


def percent(share: str | Decimal) -> str:
    """Return a share as a percentage."""
    return l10n.percent_text(Decimal(share), l10n.active_locale())


_PLAIN: Mapping[Why, StrOrPromise] = {
    Why.ASSISTED: gettext_lazy("It helped on the way. The amount is credited to who decided it."),
    Why.WITHDRAWN: gettext_lazy("It was withdrawn, so it no longer counts."),
    Why.CODE_OFF: gettext_lazy("The code was switched off."),
    Why.AFTER_THE_EVENT: gettext_lazy("It came after this had happened."),
    Why.NOT_EARNING: gettext_lazy(
        "The membership was not active when this happened: it was suspended or had ended."
    ),
    Why.OTHER_PROGRAM: gettext_lazy("Something that counts more belongs to another program of the operator."),
    Why.TOO_SMALL: gettext_lazy(
        "It was so much longer ago than the others that its part is less than a millionth."
    ),
    Why.BY_HAND: gettext_lazy("A person at the operator decided so, and wrote down why."),
    Why.OVERRULED: gettext_lazy(
        "This counted at first. A person at the operator decided otherwise, and wrote down why."
    ),
}

Say = Callable[[Mapping[str, Any], Mapping[str, Any], tzinfo], str]


def _decided(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    if figures.get("among", 1) == 1:
        return _("Nothing that counts more was there, so it takes all of the credit.")
    if figures.get("model") == "first_touch":
        return _("It was the first that counted, so it takes all of the credit.")
    if figures.get("model") in ("last_touch", "participation"):
        return _("It was the last that counted, so it takes all of the credit.")
    return _("It takes all of the credit.")


def _shared(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    told = {"share": percent(entry["share"]), "count": figures.get("among", 1)}
    texts = {
        "linear": _("One of %(count)s that counted, each with the same part: %(share)s."),
        "position": _(
            "One of %(count)s that counted. The first and the last take most, those between share the rest: %(share)s."
        ),
        "time_decay": _(
            "One of %(count)s that counted. The nearer to the event, the larger the part: %(share)s."
        ),
    }
    return texts.get(str(figures.get("model")), _("One of %(count)s that counted: %(share)s.")) % told


def _not_counted(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    texts = {
        "lead": _("The program gives no credit for leads."),
        "intro": _("The program gives no credit for introductions."),
        "view": _("The program gives no credit for views, only for clicks and what comes before them."),
        "customer": _(
            "You brought this customer before. The program gives no credit for later purchases by that alone."
        ),
        "click": _("The program gives no credit for clicks."),
        "code": _("The program gives no credit for codes."),
        "deal": _("The program gives no credit for registered deals."),
    }
    return texts.get(entry["kind"], _("The program gives no credit for this."))


def _code_not_yet(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    return _("The code was not valid yet: it is from %(moment)s on.") % {
        "moment": moment(figures["starts_at"], zone)
    }


def _over(text: StrOrPromise) -> Say:
    def say(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
        return str(text) % {"moment": moment(figures["ended_at"], zone)}

    return say


def _used_up(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    text = ngettext(
        "The code was good for %(count)s order, and had been used.",
        "The code was good for %(count)s orders, and all had been used.",
        figures["limit"],
    )
    return text % {"count": figures["limit"]}


def _before_joining(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    return _("The membership began on %(moment)s. Nothing from before that earns.") % {
        "moment": moment(figures["joined_at"], zone)
    }


def _outside(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    days, hours = divmod(figures["window_hours"], 24)
    if hours:
        text = ngettext(
            "It was too long before: less than %(count)s hour may lie between.",
            "It was too long before: less than %(count)s hours may lie between.",
            figures["window_hours"],
        )
        return text % {"count": figures["window_hours"]}
    text = ngettext(
        "It was too long before: less than %(count)s day of 24 hours may lie between.",
        "It was too long before: less than %(count)s days of 24 hours may lie between.",
        days,
    )
    return text % {"count": days}


def _not_qualified(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    texts = {
        "kinds": _("The program gives no credit for events of this kind."),
        "least": _("The order is smaller than the least one the program gives credit for."),
        "countries": _("The program gives no credit for customers in this country."),
        "products": _("The program gives no credit for these products."),
        "categories": _("The program gives no credit for products of this category."),
        "attributes": _("The program asks for “%(name)s”, and this does not have it as it should."),
    }
    text = texts.get(str(figures.get("asked")), _("It is no referral by the rules of the program."))
    return text % {"name": figures.get("name", "")}


def _existing(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    bought = datetime.fromisoformat(figures["bought_at"])
    return _("The program gives credit for new customers only. This one first bought on %(day)s.") % {
        "day": l10n.date_text(local_day(bought, zone), l10n.active_locale(), "long")
    }


def _lower(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
    texts = {
        "deal": _("A registered deal comes first by the program's rules, and there was one."),
        "code": _("A code on the order comes first by the program's rules, and there was one."),
        "click": _("A click comes first by the program's rules, and there was one."),
        "lead": _("A lead comes first by the program's rules, and there was one."),
        "intro": _("An introduction comes first by the program's rules, and there was one."),
        "view": _("A view comes first by the program's rules, and there was one."),
        "customer": _("Who brought the customer comes first by the program's rules."),
    }
    return texts.get(str(figures.get("by")), _("Something else comes first by the program's rules."))


def _passed_by(text: StrOrPromise) -> Say:
    def say(entry: Mapping[str, Any], figures: Mapping[str, Any], zone: tzinfo) -> str:
        return str(text) % {"moment": moment(figures["decided_at"], zone)}

    return say


_WITH_FIGURES: Mapping[Why, Say] = {
    Why.DECIDED: _decided,
    Why.SHARED: _shared,
    Why.KIND_NOT_COUNTED: _not_counted,
    Why.CODE_NOT_YET: _code_not_yet,
    Why.CODE_OVER: _over(gettext_lazy("The code was valid until %(moment)s.")),
    Why.CODE_USED_UP: _used_up,
    Why.BEFORE_JOINING: _before_joining,
    Why.OUTSIDE_WINDOW: _outside,
    Why.DEAL_OVER: _over(gettext_lazy("The deal was protected until %(moment)s.")),
    Why.OWNER_OVER: _over(gettext_lazy("Later purchases of this customer earned until %(moment)s.")),
    Why.NOT_QUALIFIED: _not_qualified,
    Why.EXISTING_CUSTOMER: _existing,
    Why.LOWER_PRECEDENCE: _lower,
    Why.EARLIER_TOUCH: _passed_by(
        gettext_lazy("A later one decided, on %(moment)s: the last one takes the credit.")
    ),
    Why.LATER_TOUCH: _passed_by(
        gettext_lazy("An earlier one decided, on %(moment)s: the first one takes the credit.")
    ),
}


def _moment(instant: datetime, zone: tzinfo) -> str:
    local = instant.astimezone(zone)
    return _("%(day)s at %(time)s") % {
        "day": l10n.date_text(local_day(instant, zone), l10n.active_locale(), "long"),
        "time": f"{local:%H:%M:%S}",
    }
