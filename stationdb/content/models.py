# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and packages that were registered: names of manifests in the content store."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..accounts.perimeter import ScopedQuerySet
from ..registry.fields import PLAIN_TEXT

CONTENT_NAME = RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\Z", _("Use letters, digits, dots, hyphens and underscores."))


class Content(models.Model):
    """A version of an image or of a package; one without a site is for all."""

    site_lookup = "site_id"
    shared_when_siteless = True

    name = models.CharField(_("name"), max_length=100, validators=[CONTENT_NAME])
    version = models.CharField(_("version"), max_length=100, validators=[CONTENT_NAME])
    site = models.ForeignKey("registry.Site", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("site"))
    description = models.CharField(_("description"), max_length=200, blank=True, validators=[PLAIN_TEXT])
    size = models.PositiveBigIntegerField(_("size"), null=True, blank=True)
    """Bytes that a station ends up with."""
    manifest = models.CharField(
        _("digest of the manifest"),
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"\A[0-9a-f]{64}\Z", _("A SHA-256 in hexadecimal."))],
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        """For images and packages."""

        abstract = True
        ordering = ("name", "-created")

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Image(Content):
    """A captured model."""

    source = models.ForeignKey(
        "registry.Station", models.SET_NULL, null=True, blank=True, related_name="captured", verbose_name=_("captured from")
    )

    class Meta(Content.Meta):
        """A version once."""

        verbose_name = _("image")
        verbose_name_plural = _("images")
        constraints = [models.UniqueConstraint(fields=("name", "version"), name="image_version_once")]


class Package(Content):
    """Software to deploy."""

    class Meta(Content.Meta):
        """A version once."""

        verbose_name = _("package")
        verbose_name_plural = _("packages")
        constraints = [models.UniqueConstraint(fields=("name", "version"), name="package_version_once")]
