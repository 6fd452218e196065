"""The partner's rooms, mounted at /portal/. Every view here is behind the door of `portal.rooms.enter`."""

from django.urls import path

from portal.views import (
    account,
    earnings,
    home,
    links,
    payment_details,
    proposals,
    questions,
    rates,
    statements,
    team,
)

app_name = "portal"

urlpatterns = [
    path("", home.home, name="home"),
    path("in/<str:public_id>/", home.switch, name="switch"),
    path("links/", links.links, name="links"),
    path("links/new/", links.new_link, name="link_new"),
    path("links/<str:public_id>/switch/", links.link_switch, name="link_switch"),
    path("links/<str:public_id>/qr.svg", links.link_qr, name="link_qr"),
    path("earnings/", earnings.earnings, name="earnings"),
    path("earnings/commissions.csv", earnings.earnings_csv, name="earnings_csv"),
    path("earnings/<str:public_id>/", earnings.commission, name="commission"),
    path("earnings/<str:public_id>/ask/", questions.ask, name="question_ask"),
    path("questions/", questions.questions, name="questions"),
    path("questions/<str:public_id>/", questions.question, name="question"),
    path("questions/<str:public_id>/reply/", questions.reply, name="question_reply"),
    path("questions/<str:public_id>/withdraw/", questions.withdraw, name="question_withdraw"),
    path("questions/<str:public_id>/file/<int:pk>/", questions.evidence_file, name="question_file"),
    path("statements/", statements.statements, name="statements"),
    path("statements/<str:public_id>/", statements.statement, name="statement"),
    path("statements/<str:public_id>/<slug:kind>", statements.statement_file, name="statement_file"),
    path("payment-details/", payment_details.payment_details, name="payment_details"),
    path("payment-details/change/", payment_details.change_payment_details, name="payment_details_change"),
    path("rates/", rates.rates, name="rates"),
    path("proposals/<str:public_id>/", proposals.proposal, name="proposal"),
    path("proposals/<str:public_id>/accept/", proposals.accept, name="proposal_accept"),
    path("proposals/<str:public_id>/decline/", proposals.decline, name="proposal_decline"),
    path("team/", team.team, name="team"),
    path("team/invite/", team.invite, name="team_invite"),
    path("team/<str:public_id>/role/", team.change_role, name="team_role"),
    path("team/<str:public_id>/remove/", team.remove, name="team_remove"),
    path("team/invitations/<str:public_id>/withdraw/", team.withdraw_invitation, name="team_withdraw"),
    path("account/", account.account, name="account"),
]
