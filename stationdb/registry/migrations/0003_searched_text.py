# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import django.db.models.functions.comparison
from django.db import migrations, models

import stationdb.registry.expressions


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0002_os_version_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="station",
            name="searched",
            field=models.GeneratedField(
                db_persist=True,
                expression=stationdb.registry.expressions.CapitalLines(
                    "name",
                    "serial",
                    "product",
                    "user",
                    "reported_address",
                    django.db.models.functions.comparison.Coalesce(
                        stationdb.registry.expressions.AddressText("address"),
                        models.Value(""),
                    ),
                ),
                output_field=models.TextField(),
            ),
        ),
    ]
