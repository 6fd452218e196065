"""What people may ask for: the archive of their data, and to be erased. The page finds everything about a mailbox, says what would go, what is
kept and why, and what hinders; only then, and typed once more, it does it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import erasure, personal_data
from partners.models import Partner
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require
from prm.accounts.emails import fold_email


class FindForm(forms.Form):
    """Whose request it is."""

    mailbox = forms.EmailField(label=gettext_lazy("E-mail address of the person"), max_length=254)


class ConfirmForm(forms.Form):
    """The address once more."""

    confirmation = forms.CharField(max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, mailbox: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mailbox = mailbox
        self.fields["confirmation"].label = _("Type %(mailbox)s to erase") % {"mailbox": mailbox}

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"])
        if fold_email(typed) != fold_email(self.mailbox):
            raise forms.ValidationError(_("Type the address as it stands here."))
        return typed


class PersonPages(BackOfficeAdmin):
    """A mixin: the page for requests of persons, below a table of the partners app."""

    def person_urls(self) -> list[URLPattern]:
        """Return the page's address."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.requests_page))
        return [path("requests-of-persons/", view, name="partners_persons")]

    def requests_page(self, request: HttpRequest) -> HttpResponseBase:
        """Find somebody by mailbox; export or erase."""
        require(request, "erase_people")
        at = timezone.now()
        find = FindForm(request.GET if "mailbox" in request.GET else None)
        if not find.is_bound or not find.is_valid():
            return self._shown(request, find=find, status=422 if find.errors else 200)
        mailbox = find.cleaned_data["mailbox"]
        case = self._case(request, mailbox)
        form = ConfirmForm(request.POST if "erase" in request.POST else None, mailbox=mailbox)
        if "export" in request.POST:
            made = self._export(request, case, at=at)
            if made is not None:
                return made
        elif form.is_bound and form.is_valid():
            by = person(request)
            done = attempt(request, lambda: self._erase(case, mailbox, by=by, at=at), form=form)
            if done is not None:
                messages.success(request, _("The person is erased. Answer them from your own mailbox."))
                return HttpResponseRedirect(reverse("admin:partners_persons"))
        return self._shown(
            request, find=find, form=form, case=case, mailbox=mailbox, status=422 if form.errors else 200
        )

    def _case(self, request: HttpRequest, mailbox: str) -> erasure.Case:
        case = erasure.case_of_mailbox(mailbox)
        if case.user is None and not erasure.plan(case).removed:
            partner = Partner.objects.filter(email__iexact=mailbox, erased_at=None, members=None).first()
            if partner is not None:
                return erasure.case_of_partner(partner)
        return case

    def _export(self, request: HttpRequest, case: erasure.Case, *, at: datetime) -> HttpResponseBase | None:
        user, by = case.user, person(request)
        if user is None:
            made = attempt(
                request,
                lambda: personal_data.export_for_mailbox(next(iter(sorted(case.mailboxes))), by=by, at=at),
            )
        else:
            made = attempt(request, lambda: personal_data.export_for(user, by=by, at=at))
        if made is None:
            return None
        name = f"personal-data-{at:%Y-%m-%d}.zip"
        return FileResponse(made, as_attachment=True, filename=name, content_type="application/zip")

    def _erase(self, case: erasure.Case, mailbox: str, *, by: Any, at: datetime) -> object:
        if case.user is not None:
            return erasure.erase_person(case.user, by=by, at=at)
        if case.partners:
            return erasure.erase_partner(case.partners[0], by=by, at=at)
        return erasure.erase_mailbox(mailbox, by=by, at=at)

    def _shown(
        self,
        request: HttpRequest,
        *,
        find: FindForm,
        status: int,
        form: ConfirmForm | None = None,
        case: erasure.Case | None = None,
        mailbox: str = "",
    ) -> HttpResponse:
        plan = erasure.plan(case) if case is not None else None
        return self.page(
            request,
            "admin/partners/leaving/persons.html",
            title=_("Requests of persons"),
            status=status,
            find=find,
            form=form,
            errors=bool(form is not None and form.errors) or bool(find.errors),
            plan=plan,
            mailbox=mailbox,
            nothing=plan is not None and not plan.removed,
            years=erasure.RETENTION_YEARS,
        )
