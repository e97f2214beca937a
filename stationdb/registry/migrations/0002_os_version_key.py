# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key of a system's version is bytes, which compare the same in every database whatever its collation."""

from django.db import migrations, models

from stationdb.versions import version_key


def fill(apps, _schema_editor):
    stations = apps.get_model("registry", "Station").objects
    for version in stations.exclude(os_version="").values_list("os_version", flat=True).distinct():
        stations.filter(os_version=version).update(os_version_key=version_key(version))


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]
    operations = [
        migrations.RemoveField("station", "os_version_key"),
        migrations.AddField("station", "os_version_key", models.BinaryField(db_index=True, default=b"", editable=False)),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
