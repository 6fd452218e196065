"""Every mount of the site on one page. Who may enter each door is declared in `tests/architecture/doors.py`."""

from django.contrib import admin
from django.urls import include, path

from portal.views.style_guide import style_guide
from prm import health
from prm.api_docs import ApiDocs, ApiSchema, nowhere

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("statusz", health.statusz, name="statusz"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    path("", include("referrals.urls")),
    path("", include("payouts.urls")),
    path("api/v1/<path:rest>", nowhere, name="api_nowhere"),
    path("api/schema/", ApiSchema.as_view(), name="api_schema"),
    path("api/docs/", ApiDocs.as_view(url_name="api_schema"), name="api_docs"),
    path("portal/", include("portal.urls")),
    path("style-guide/", style_guide, name="style_guide"),
    path("demo/shop/", include("demo.shop_urls")),
    path("admin/", admin.site.urls),
    path("", include("portal.urls_public")),
]
