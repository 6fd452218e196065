"""Mail servers with bad days."""

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class Broken(BaseEmailBackend):
    """A server that is away."""

    def send_messages(self, email_messages: list[EmailMessage]) -> int:  # type: ignore[override]
        raise ConnectionRefusedError("no server here")
