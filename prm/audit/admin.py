"""The back office's window on the audit record. It can be searched and read, and nothing else."""

from __future__ import annotations

import json

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from prm.audit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin):
    """Who did what, the newest first."""

    list_display = ("at", "actor", "action", "object_public_id", "object_text", "note")
    list_filter = ("action", "object_type", "at")
    search_fields = ("object_public_id", "object_text", "action", "actor__email", "request_id")
    search_help_text = _("Object, action, person or request")
    list_select_related = ("actor",)
    ordering = ("-at", "-id")
    show_full_result_count = False
    list_per_page = 50
    fields = (
        "at",
        "actor",
        "action",
        "object_type",
        "object_public_id",
        "object_text",
        "note",
        "what",
        "request_id",
    )
    readonly_fields = ("what",)

    @admin.display(description=_("details"))
    def what(self, event: AuditEvent) -> str:
        """Return the details as text, one fact to a line."""
        return json.dumps(event.details, indent=2, ensure_ascii=False, sort_keys=True)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Events are recorded by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        """Nobody changes the record."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        """Nobody deletes from the record."""
        return False
