"""What a program gives its partners to work with: staff adds files and addresses and takes them away again. Nothing is rewritten."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partners import resources
from partners.choices import ResourceKind
from partners.models import ProgramResource
from partners.uploads import ACCEPTED
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    list_url,
    person,
    require,
    row_url,
    when_column,
)
from tiers.models import Program


class ResourceForm(forms.Form):
    """A file or an address, and what it is for."""

    program = forms.ModelChoiceField(label=gettext_lazy("Program"), queryset=Program.objects.none())
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=ResourceKind.choices)
    title = forms.CharField(label=gettext_lazy("Title"), max_length=140)
    description = forms.CharField(label=gettext_lazy("What it is for"), required=False, max_length=300)
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("For every language")), *settings.LANGUAGES],
    )
    url = forms.CharField(label=gettext_lazy("Address"), required=False, max_length=300)
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        help_text=gettext_lazy("Instead of an address: PDF, PNG, JPEG or WebP, up to 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["program"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = Program.objects.order_by("name", "pk")


@admin.register(ProgramResource)
class ProgramResourceAdmin(BackOfficeAdmin):
    """Resources, those partners see first."""

    sees, adds = "see_partners", "manage_program_pages"
    list_display = (
        "title",
        "program",
        "kind",
        "language",
        when_column("added_at", gettext_lazy("added")),
        "shown",
    )
    list_filter = ("program", "kind", "language")
    list_select_related = ("program",)
    search_fields = ("title", "description", "public_id")
    ordering = ("program__name", "kind", "title", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProgramResource]:
        """Read the program with each."""
        return super().get_queryset(request).select_related("program", "added_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the download, and the page that takes a resource away."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/file/", wrap(require_safe(self.file)), name="partners_programresource_file"),
            path(
                "<int:pk>/remove/",
                wrap(require_http_methods(["GET", "HEAD", "POST"])(self.remove)),
                name="partners_programresource_remove",
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("shown to partners"), boolean=True)
    def shown(self, resource: ProgramResource) -> bool:
        """Say whether partners see it."""
        return resource.removed_at is None

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Add a resource, or show one."""
        if object_id is None:
            require(request, self.adds)
            return self._add(request)
        require(request, self.sees)
        resource = get_object_or_404(self.get_queryset(request), pk=object_id if object_id.isdecimal() else 0)
        return self._show(request, resource)

    def file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand out the file."""
        require(request, self.sees)
        return resources.attachment(get_object_or_404(ProgramResource.objects.exclude(file=""), pk=pk))

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a resource away, after saying what that does."""
        require(request, self.adds)
        resource = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            if attempt(request, lambda: resources.remove(resource, by=person(request), at=timezone.now())):
                messages.success(request, _("Partners no longer see it."))
            return HttpResponseRedirect(list_url(ProgramResource))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Take “%(title)s” away") % {"title": resource.title},
            parent=resource.title,
            parent_url=row_url(resource),
            form=None,
            verb=_("Take it away"),
            consequences=[
                _("Partners of %(program)s no longer see it, from now on.")
                % {"program": resource.program.name},
                _("It stays on record here. To show it again, add it again."),
            ],
        )

    def _add(self, request: HttpRequest) -> HttpResponse:
        form = ResourceForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            given = dict(form.cleaned_data)
            program = given.pop("program")
            made = attempt(
                request,
                lambda: resources.add(program, **given, by=person(request), at=timezone.now()),
                form=form,
            )
            if made is not None:
                messages.success(
                    request, _("Partners of %(program)s see it now.") % {"program": program.name}
                )
                return HttpResponseRedirect(list_url(ProgramResource))
        return self.page(
            request,
            "admin/partners/programresource/add.html",
            title=_("Add a resource"),
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
        )

    def _show(self, request: HttpRequest, resource: ProgramResource) -> HttpResponse:
        leads = resource.url
        if leads:
            leads = format_html('<a href="{0}" rel="noreferrer noopener">{0}</a>', resource.url)
        facts = [
            Fact(_("Program"), resource.program.name),
            Fact(_("Kind"), resource.get_kind_display()),
            Fact(_("Language"), resource.get_language_display() or _("For every language")),
            Fact(_("What it is for"), resource.description or "–"),
            Fact(_("Address"), leads or "–"),
            Fact(_("File"), resource.file_name or "–"),
            Fact(_("Added by"), resource.added_by.get_full_name()),
        ]
        return self.page(
            request,
            "admin/partners/programresource/show.html",
            title=resource.title,
            resource=resource,
            facts=facts,
            may_remove=resource.removed_at is None and policy.may(request.user, self.adds),
        )
