"""Refusals: what they say, in which language, and the code they carry."""

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused


class PeriodIsClosed(Refused):
    message = _("%(month)s is closed.")


class NotNow(PeriodIsClosed):
    code = "later"
    field = "month"


def test_the_code_is_the_name_of_the_class_unless_given() -> None:
    assert Refused().code == "refused"
    assert PeriodIsClosed().code == "period_is_closed"
    assert NotNow().code == "later"
    assert PeriodIsClosed(code="too_late").code == "too_late"
    assert PeriodIsClosed().code == "period_is_closed", "one refusal does not rename its class"


def test_the_message_is_filled_from_its_parameters() -> None:
    assert str(PeriodIsClosed(params={"month": "May"})) == "May is closed."
    assert str(Refused("100% sure")) == "100% sure"
    assert str(Refused()) == "This is not possible."


def test_a_refusal_can_point_at_a_field() -> None:
    assert Refused().field is None
    assert NotNow(params={"month": "May"}).field == "month"
    assert NotNow(field="year", params={"month": "May"}).field == "year"
