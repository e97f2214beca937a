# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indexes in the orders of lists."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0004_station_name"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="station",
            name="station_last_seen",
        ),
        migrations.RemoveIndex(
            model_name="station",
            name="station_os",
        ),
        migrations.RemoveIndex(
            model_name="station",
            name="station_tag",
        ),
        migrations.AddIndex(
            model_name="site",
            index=models.Index(fields=["name"], name="site_name_order"),
        ),
        migrations.AddIndex(
            model_name="station",
            index=models.Index(fields=["last_seen", "id"], name="station_seen_order"),
        ),
        migrations.AddIndex(
            model_name="station",
            index=models.Index(fields=["os_name", "id"], name="station_os_order"),
        ),
        migrations.AddIndex(
            model_name="station",
            index=models.Index(fields=["tag", "id"], name="station_tag_order"),
        ),
        migrations.AddIndex(
            model_name="station",
            index=models.Index(fields=["state", "id"], name="station_state_order"),
        ),
        migrations.AddIndex(
            model_name="station",
            index=models.Index(fields=["product", "id"], name="station_product_order"),
        ),
        migrations.AddIndex(
            model_name="station",
            index=models.Index(fields=["ram", "id"], name="station_ram_order"),
        ),
    ]
