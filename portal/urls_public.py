"""The doors of the pages that need no sign-in."""

from django.urls import path

from portal.views import application, apply, check, crawlers, invitation, public, waiting

app_name = "public"

urlpatterns = [
    path("", public.programs, name="home"),
    path("p/", public.programs, name="programs"),
    path("p/<slug:slug>/", public.program, name="program"),
    path("p/<slug:slug>/waiting/", waiting.wait, name="waiting"),
    path("p/<slug:slug>/terms/", public.terms, name="terms"),
    path("robots.txt", crawlers.robots, name="robots"),
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
    path("p/<slug:slug>/apply/", apply.Apply.as_view(), name="apply"),
    path("p/<slug:slug>/apply/check/", apply.Check.as_view(), name="apply_check"),
    path("p/<slug:slug>/apply/sent/", apply.sent, name="apply_sent"),
    path("application/<str:token>/", application.Status.as_view(), name="application"),
    path("application/<str:token>/withdraw/", application.Withdraw.as_view(), name="application_withdraw"),
    path("v/<str:number>/<str:code>/", check.check, name="check_document"),
    path("invitation/<str:token>/", invitation.Invited.as_view(), name="invitation"),
]
