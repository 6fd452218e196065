"""The addresses of the demo's shop."""

from django.urls import path

from demo import shop_views

urlpatterns = [
    path("", shop_views.product, name="demo_shop"),
    path("buy", shop_views.buy, name="demo_shop_buy"),
]
