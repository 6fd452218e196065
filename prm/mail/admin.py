"""The mail log of the back office: what was sent to whom, as text. It is read only; a message that waits can be tried at once."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from prm.mail import sending
from prm.mail.models import OutgoingMail


class SentFilter(admin.SimpleListFilter):
    """Tell messages that left from those that did not."""

    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[OutgoingMail]
    ) -> list[tuple[str, str]]:
        """Name the three states."""
        return [("sent", str(_("Sent"))), ("waiting", str(_("Waiting"))), ("given_up", str(_("Given up")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> QuerySet[OutgoingMail]:
        """Keep the messages in the state chosen."""
        if self.value() == "sent":
            return queryset.filter(sent_at__isnull=False)
        if self.value() == "waiting":
            return queryset.filter(sent_at=None, attempts__lt=sending.MAX_ATTEMPTS)
        if self.value() == "given_up":
            return queryset.filter(sent_at=None, attempts__gte=sending.MAX_ATTEMPTS)
        return queryset


@admin.register(OutgoingMail)
class OutgoingMailAdmin(admin.ModelAdmin):
    """Messages, the newest first."""

    list_display = ("created_at", "to", "subject", "kind", "sent_at", "attempts")
    list_filter = (SentFilter, "kind", "language")
    search_fields = ("to", "subject", "about", "public_id")
    search_help_text = _("Address, subject or object")
    ordering = ("-created_at", "-pk")
    show_full_result_count = False
    fields = (
        "public_id",
        "kind",
        "to",
        "language",
        "about",
        "subject",
        "text",
        "created_at",
        "sent_at",
        "attempts",
        "last_error",
    )
    actions = ("try_now",)

    @admin.action(description=_("Try to send now"), permissions=["view"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        """Put the chosen messages at the front, those given up too."""
        count = sending.try_again(queryset, at=timezone.now())
        text = ngettext("%(count)s message is tried again.", "%(count)s messages are tried again.", count)
        messages.success(request, text % {"count": count})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages come from what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: OutgoingMail | None = None) -> bool:
        """Nobody rewrites a message."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OutgoingMail | None = None) -> bool:
        """Nobody deletes a message."""
        return False
