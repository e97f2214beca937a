# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from django.db import migrations, models

import stationdb.registry.fields


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0003_searched_text"),
    ]

    operations = [
        migrations.AlterField(
            model_name="station",
            name="name",
            field=models.CharField(max_length=253, validators=[stationdb.registry.fields.station_name], verbose_name="name"),
        ),
    ]
