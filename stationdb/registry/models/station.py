# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stations and the network cards that tell them apart."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from ...accounts.perimeter import ScopedQuerySet
from ..expressions import AddressText, CapitalLines
from ..fields import PLAIN_TEXT, MacField, station_name


class Station(models.Model):
    """A workstation, or another machine that Fleet manages. Its name is its host name in Ansible's inventory."""

    site_lookup = "site_id"

    class State(models.TextChoices):
        """Where a station is in its life."""

        NEW = "new", _("new")
        READY = "ready", _("in service")
        REPAIR = "repair", _("in repair")
        RETIRED = "retired", _("retired")

    class Kind(models.TextChoices):
        """What the machine is for Fleet: the group it is in for Ansible, besides others."""

        STATION = "stations", _("station")
        MODEL = "models", _("model")
        RELAY = "relays", _("relay")
        STORE = "content_stores", _("content store")

    name = models.CharField(_("name"), max_length=253, validators=[station_name])
    site = models.ForeignKey("registry.Site", models.PROTECT, related_name="stations", verbose_name=_("site"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.STATION)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.READY)
    tag = models.CharField(_("tag"), max_length=100, blank=True, validators=[PLAIN_TEXT])
    uuid = models.UUIDField(_("SMBIOS UUID"), null=True, blank=True)
    """Not unique: many mainboards ship the same."""
    serial = models.CharField(_("serial number"), max_length=100, blank=True, validators=[PLAIN_TEXT])
    address = models.GenericIPAddressField(_("reserved address"), null=True, blank=True, unique=True)
    model = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="clones", verbose_name=_("model"))
    """The station whose image it is meant to have."""
    image = models.ForeignKey("content.Image", models.SET_NULL, null=True, blank=True, related_name="stations", verbose_name=_("image"))
    disk_identity = models.CharField(_("disk"), max_length=200, blank=True, validators=[PLAIN_TEXT])
    """What image_restore may write to, as ``serial:…`` or ``wwn:…`` (fleet.imaging.disk_info)."""
    variables = models.JSONField(_("variables"), default=dict, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    modified = models.DateTimeField(_("changed"), auto_now=True)

    # What its last report says, for lists and criteria; written by reports only.
    last_seen = models.DateTimeField(_("last seen"), null=True, editable=False)
    reported_name = models.CharField(_("name it reports"), max_length=253, blank=True, editable=False)
    reported_address = models.CharField(_("address it reports"), max_length=45, blank=True, editable=False)
    manufacturer = models.CharField(_("manufacturer"), max_length=100, blank=True, editable=False)
    product = models.CharField(_("product"), max_length=100, blank=True, editable=False)
    os_name = models.CharField(_("system"), max_length=100, blank=True, editable=False)
    os_version = models.CharField(_("version of the system"), max_length=50, blank=True, editable=False)
    os_version_key = models.BinaryField(default=b"", editable=False, db_index=True)
    """stationdb.versions.version_key of the version: its bytes are in the order of versions."""
    architecture = models.CharField(_("architecture"), max_length=20, blank=True, editable=False)
    cpu = models.CharField(_("processor"), max_length=100, blank=True, editable=False)
    cores = models.PositiveIntegerField(_("cores"), null=True, editable=False)
    ram = models.PositiveBigIntegerField(_("memory"), null=True, editable=False)
    """Bytes."""
    disk = models.PositiveBigIntegerField(_("disk size"), null=True, editable=False)
    """Bytes of all disks."""
    disk_free = models.PositiveBigIntegerField(_("free disk space"), null=True, editable=False)
    """Bytes in the mounted file systems."""
    user = models.CharField(_("last user"), max_length=100, blank=True, editable=False)

    searched = models.GeneratedField(
        expression=CapitalLines(
            "name", "serial", "product", "user", "reported_address", Coalesce(AddressText("address"), models.Value(""))
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    """What words without a field are looked for in, in capitals; kept by the database."""

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Order by name."""

        ordering = ("name",)
        verbose_name = _("station")
        verbose_name_plural = _("stations")
        constraints = [models.UniqueConstraint(Lower("name"), name="station_name_once", violation_error_message=_("The name is taken."))]
        indexes = [
            models.Index(fields=["name"], name="station_name"),
            models.Index(fields=["site", "state"], name="station_site_state"),
            models.Index(fields=["site", "name"], name="station_site_name"),
            # In the orders of lists, whose pages begin at any row: console.paging.
            models.Index(fields=["last_seen", "id"], name="station_seen_order"),
            models.Index(fields=["os_name", "id"], name="station_os_order"),
            models.Index(fields=["tag", "id"], name="station_tag_order"),
            models.Index(fields=["state", "id"], name="station_state_order"),
            models.Index(fields=["product", "id"], name="station_product_order"),
            models.Index(fields=["ram", "id"], name="station_ram_order"),
            models.Index(fields=["serial"], name="station_serial"),
            models.Index(fields=["uuid"], name="station_uuid"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Variables are a mapping, and nobody is their own model."""
        if not isinstance(self.variables, dict):
            raise ValidationError({"variables": _("Variables are an object of names and values.")})
        if self.model_id and self.model_id == self.pk:
            raise ValidationError({"model": _("A station cannot be its own model.")})


class MacAddress(models.Model):
    """A network card. It belongs to one station; a card that moved belongs to the station that reported it last."""

    site_lookup = "station__site_id"

    station = models.ForeignKey(Station, models.CASCADE, related_name="macs", verbose_name=_("station"))
    mac = MacField(_("MAC address"), unique=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """Order by address."""

        ordering = ("mac",)
        verbose_name = _("MAC address")
        verbose_name_plural = _("MAC addresses")

    def __str__(self) -> str:
        return self.mac
