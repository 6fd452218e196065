"""Every mount of the site on one page. Who may enter each door is declared in `tests/architecture/doors.py`."""

from django.contrib import admin
from django.urls import include, path

from prm import health

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("statusz", health.statusz, name="statusz"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
