import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from prm.mail import outbox
from prm.mail.models import OutgoingMail
from tests.factories.prm import OutgoingMailFactory

pytestmark = pytest.mark.django_db
CONTEXT = {"heading": "Hello", "text": "Line one\n\nLine <two>"}


def queue(**changes: object) -> OutgoingMail:
    values = {"to": "ana@example.org", "context": CONTEXT, "key": "hello:1", **changes}
    return outbox.queue("account_notice", **values)  # type: ignore[arg-type]


def test_a_message_is_rendered_into_subject_text_and_html() -> None:
    mail = queue(about="app_1")

    assert (mail.subject, mail.to, mail.about, mail.attempts) == ("Hello", "ana@example.org", "app_1", 0)
    assert mail.text.startswith("Line one\n\nLine <two>\n\n--\n")
    assert "Line &lt;two&gt;" in mail.html


def test_html_carries_its_styles_inline_and_calls_nowhere() -> None:
    html = queue().html
    assert "<style" not in html
    assert 'class="button"' not in html
    assert "style=" in html
    assert "<link" not in html
    assert "<img" not in html


def test_the_same_key_answers_with_the_first_message() -> None:
    first = queue()
    second = queue(context={"heading": "Other", "text": "Other"})
    assert second == first
    assert OutgoingMail.objects.get().subject == "Hello"


def test_mail_outgoingmail_key_unique_refuses_a_key_twice() -> None:
    OutgoingMailFactory(key="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingMailFactory(key="a")
    assert OutgoingMail.objects.count() == 1


def test_mail_outgoingmail_attempts_not_negative_refuses_less_than_none() -> None:
    mail = OutgoingMailFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingMail.objects.filter(pk=mail.pk).update(attempts=-1)
    mail.refresh_from_db()
    assert mail.attempts == 0


@pytest.mark.parametrize("bad", ["Hello\nBcc: eve@example.org", "Hello\rx", "Hello\u2028x", "Hel\0lo"])
def test_a_subject_with_a_line_break_is_refused(bad: str) -> None:
    with pytest.raises(outbox.UnsafeHeader):
        queue(context={"heading": bad, "text": "x"})
    assert OutgoingMail.objects.count() == 0


@pytest.mark.parametrize("bad", ["ana@example.org\nBcc: eve@example.org", "ana@example.org\r\n"])
def test_an_address_with_a_line_break_is_refused(bad: str) -> None:
    with pytest.raises(outbox.UnsafeHeader):
        queue(to=bad)
    assert OutgoingMail.objects.count() == 0


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        queue(to="ana at example")


@pytest.mark.parametrize("kind", ["../secret", "a/b", "", "A"])
def test_a_kind_is_the_name_of_a_folder_and_nothing_else(kind: str) -> None:
    with pytest.raises(ValueError, match="folder"):
        outbox.queue(kind, to="ana@example.org", context={}, key="x")


def test_a_message_is_written_in_the_language_of_its_reader() -> None:
    french = queue(language="fr", key="fr")
    assert french.language == "fr"
    assert '<html lang="fr"' in french.html


def test_a_message_falls_with_what_caused_it() -> None:
    class Stopped(Exception):
        pass

    with pytest.raises(Stopped), transaction.atomic():
        queue()
        raise Stopped
    assert OutgoingMail.objects.count() == 0
