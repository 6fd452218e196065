"""Taxes of partners: who they are, which forms they gave, what is withheld, and the invoices written for them."""

from payouts.tax.terms import VatTerms, terms_for

__all__ = ["VatTerms", "terms_for"]
