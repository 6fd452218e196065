"""What is looked for, by kind: each detector is a function over a look that yields signals."""

from __future__ import annotations

from payouts.choices import RiskKind
from payouts.risk.detectors import codes, conversions, refunds, self_referral, together, traffic
from payouts.risk.detectors.base import Detector, Look, Signal

__all__ = ["AT_ONCE", "DETECTORS", "Detector", "Look", "Signal"]

DETECTORS: dict[str, Detector] = {
    RiskKind.SELF_REFERRAL: self_referral.detect,
    RiskKind.CLICK_FLOOD: traffic.click_flood,
    RiskKind.VELOCITY: conversions.velocity,
    RiskKind.TOO_SOON: conversions.too_soon,
    RiskKind.BOT_SHARE: traffic.bot_share,
    RiskKind.SHARED_ACCOUNT: together.shared_account,
    RiskKind.SHARED_DEVICE: together.shared_device,
    RiskKind.LEAKED_CODE: codes.leaked_code,
    RiskKind.PAID_SEARCH: traffic.paid_search,
    RiskKind.DISPOSABLE_MAIL: conversions.disposable_mail,
    RiskKind.COUNTRY_MISMATCH: conversions.country_mismatch,
    RiskKind.REFUND_RATE: refunds.refund_rate,
    RiskKind.PIXEL: conversions.pixel,
    RiskKind.CODE_OVERUSED: codes.code_overused,
}
# What can be told of one conversion alone: looked for as soon as it is credited.
AT_ONCE = (RiskKind.SELF_REFERRAL.value,)
