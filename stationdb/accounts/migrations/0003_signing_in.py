# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempts",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("key", models.CharField(max_length=64, unique=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("last", models.DateTimeField(db_index=True)),
                ("until", models.DateTimeField(null=True)),
                ("known", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "attempts",
            },
        ),
        migrations.AddField(
            model_name="user",
            name="directory",
            field=models.CharField(
                blank=True,
                editable=False,
                max_length=255,
                verbose_name="entry in the directory",
            ),
        ),
    ]
