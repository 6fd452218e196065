"""The doors of the pages that need no sign-in."""

from django.urls import path

from portal.views import (
    application,
    apply,
    apply_check,
    check,
    crawlers,
    credential_page,
    draft,
    invitation,
    invited,
    landing,
    public,
    reference,
    terms_public,
    waiting,
)

app_name = "public"

urlpatterns = [
    path("", public.programs, name="home"),
    path("p/", public.programs, name="programs"),
    path("p/<slug:slug>/", public.program, name="program"),
    path("p/<slug:slug>/waiting/", waiting.wait, name="waiting"),
    path("p/<slug:slug>/terms/", terms_public.terms, name="terms"),
    path("p/<slug:slug>/terms/<int:number>.pdf", terms_public.pdf, name="terms_pdf"),
    path("robots.txt", crawlers.robots, name="robots"),
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
    path("p/<slug:slug>/apply/", apply.Apply.as_view(), name="apply"),
    path("p/<slug:slug>/apply/check/", apply_check.Check.as_view(), name="apply_check"),
    path("p/<slug:slug>/apply/sent/", apply_check.Sent.as_view(), name="apply_sent"),
    path("p/<slug:slug>/apply/<slug:step>/", apply.Step.as_view(), name="apply_step"),
    path("application/draft/<str:token>/", draft.Draft.as_view(), name="draft"),
    path("application/reference/<str:token>/", reference.Answer.as_view(), name="reference"),
    path("application/link/", draft.Link.as_view(), name="application_link"),
    path("application/<str:token>/", application.Status.as_view(), name="application"),
    path("application/<str:token>/file/<str:file_id>/", application.file, name="application_file"),
    path("application/<str:token>/withdraw/", application.Withdraw.as_view(), name="application_withdraw"),
    path("v/<str:number>/<str:code>/", check.check, name="check_document"),
    path("credentials/<str:public_id>/", credential_page.credential, name="credential"),
    path("l/<slug:slug>", landing.landing, name="landing"),
    path("invitation/<str:token>/", invitation.Invited.as_view(), name="invitation"),
    path("invited/again/", invited.again, name="invited_again"),
    path("invited/<str:token>/", invited.Invited.as_view(), name="invited"),
    path("invited/<str:token>/counter/", invited.counter, name="invited_counter"),
    path("invited/<str:token>/decline/", invited.decline, name="invited_decline"),
]
