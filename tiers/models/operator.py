"""The operator's legal entity: who issues statements and from which account payments leave. Statement numbers run
without gaps per entity and year, so an entity is never deleted once a program uses it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from prm.lib.constraints import one_of
from prm.lib.fields import EncryptedTextField, PublicIdField
from tiers.choices import BankFile


class LegalEntity(models.Model):
    public_id = PublicIdField(prefix="ent")
    name = models.CharField(_("legal name"), max_length=140)
    number_prefix = models.CharField(
        _("prefix of statement numbers"),
        max_length=8,
        unique=True,
        help_text=_("Capital letters, such as HG."),
    )
    street = models.CharField(_("street"), max_length=70, blank=True)
    building_number = models.CharField(_("building number"), max_length=16, blank=True)
    postcode = models.CharField(_("postcode"), max_length=16, blank=True)
    town = models.CharField(_("town"), max_length=35, blank=True)
    country_code = models.CharField(
        _("country"), max_length=2, help_text=_("ISO 3166-1 alpha-2, such as GB.")
    )
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    registration_number = models.CharField(
        _("registration number"),
        max_length=30,
        blank=True,
        help_text=_("Such as SIREN, KRS or company number."),
    )
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    iban = EncryptedTextField(_("IBAN payments leave from"), blank=True)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    bank_file = models.CharField(
        _("bank file"),
        max_length=20,
        choices=BankFile.choices,
        default=BankFile.PAIN_09,
        help_text=_("The version the bank takes."),
    )
    us_routing_number = models.CharField(_("routing number of the US bank"), max_length=9, blank=True)
    us_account_number = EncryptedTextField(
        _("US account payments leave from"),
        blank=True,
        help_text=_("When given, files also carry the debit that balances them."),
    )
    us_company_id = models.CharField(_("company id at the US bank"), max_length=10, blank=True)

    class Meta:
        verbose_name = _("legal entity")
        verbose_name_plural = _("legal entities")
        constraints = [one_of("bank_file", BankFile, name="tiers_legalentity_bank_file")]

    def __str__(self) -> str:
        return self.name
