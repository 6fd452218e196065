"""Decide how many decimals a currency has, by ISO 4217. A code that is not on the list is refused, never given two decimals by default."""

from collections.abc import Mapping
from types import MappingProxyType

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
        CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG
        HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
        MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD
        SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG
        YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: Mapping[str, int] = MappingProxyType(
    {code: decimals for decimals, codes in _DECIMALS.items() for code in codes.split()}
)


class UnknownCurrency(ValueError):
    """A code that is not an ISO 4217 currency in capital letters."""


def exponent(currency: str) -> int:
    """Return the number of decimals of an ISO 4217 currency.

    Raises: UnknownCurrency.
    """
    decimals = EXPONENTS.get(currency)
    if decimals is None:
        raise UnknownCurrency(f"{currency!r} is not an ISO 4217 currency code.")
    return decimals
