"""The addresses of the referrals app: tracked links, and conversions for machines."""

from django.urls import path

from referrals import api, api_batch, api_touches, inlet_views, views

urlpatterns = [
    path("r/<slug:slug>", views.open_link, name="open_link"),
    path("i/<slug:slug>.gif", views.see_link, name="see_link"),
    path("in/<slug:public_id>", inlet_views.postback, name="inlet"),
    path("px/<slug:public_id>.gif", inlet_views.pixel, name="pixel"),
    path("api/v1/conversions", api.ConversionsView.as_view(), name="api_conversions"),
    path("api/v1/conversions/batch", api_batch.ConversionBatchView.as_view(), name="api_conversion_batch"),
    path("api/v1/touches", api_touches.TouchesView.as_view(), name="api_touches"),
    path("api/v1/conversions/<str:public_id>", api.ConversionView.as_view(), name="api_conversion"),
]
