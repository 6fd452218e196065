"""The addresses of the demo's shop."""

from django.urls import path

from demo import shop

urlpatterns = [
    path("", shop.product, name="demo_shop"),
    path("buy", shop.buy, name="demo_shop_buy"),
]
