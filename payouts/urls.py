"""The addresses of the payouts app: commissions for machines."""

from django.urls import path

from payouts import api, simulate_api

urlpatterns = [
    path("api/v1/commissions/<str:public_id>", api.CommissionView.as_view(), name="api_commission"),
    path("api/v1/simulate", simulate_api.SimulateView.as_view(), name="api_simulate"),
]
