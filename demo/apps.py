"""Django's entry for the demo app: a house with a year of real sales in it, built by the product's own verbs."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
