# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holdings of four neighbours in the dictionary become one row; what was the table becomes a view. docs/decisions/0022-storing-reports.md."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

HOLDING = "CREATE TABLE reports_holding (software_version_id integer NOT NULL, station_id integer NOT NULL, PRIMARY KEY (software_version_id, station_id))"
HELD = "CREATE TABLE reports_held (bundle integer NOT NULL, station_id integer NOT NULL, PRIMARY KEY (bundle, station_id))"
NO_ROW_NUMBER = {"sqlite": " WITHOUT ROWID", "postgresql": ""}

FOLD = """INSERT INTO reports_held (bundle, station_id)
    SELECT ((software_version_id >> 2) << 4) + sum(1 << (software_version_id & 3)), station_id
    FROM reports_holding GROUP BY software_version_id >> 2, station_id ORDER BY 1, 2"""

BITS = ", ".join(f"({bits}, {place})" for place in range(4) for bits in range(1, 16) if bits >> place & 1)
"""For each place of a version among its neighbours, what a bundle that has it may be."""

BUNDLE = (
    "CREATE TABLE reports_bundle (software_version_id integer NOT NULL, bundle integer NOT NULL, PRIMARY KEY (software_version_id, bundle))"
)
FILL = f"""INSERT INTO reports_bundle (software_version_id, bundle)
    WITH bundled (bits, place) AS (VALUES {BITS})
    SELECT version.id, ((version.id >> 2) << 4) | bundled.bits
    FROM reports_softwareversion version JOIN bundled ON bundled.place = (version.id & 3) ORDER BY 1, 2"""

UNFOLD = """CREATE VIEW reports_holding AS
    SELECT bundle.software_version_id AS software_version_id, held.station_id AS station_id
    FROM reports_bundle bundle JOIN reports_held held ON held.bundle = bundle.bundle"""


def fold(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute(HELD + NO_ROW_NUMBER[schema_editor.connection.vendor])
    schema_editor.execute(FOLD)
    schema_editor.execute("DROP TABLE reports_holding")
    schema_editor.execute(BUNDLE + NO_ROW_NUMBER[schema_editor.connection.vendor])
    schema_editor.execute(FILL)
    schema_editor.execute(UNFOLD)


def unfold(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("CREATE TEMPORARY TABLE holdings AS SELECT * FROM reports_holding")
    schema_editor.execute("DROP VIEW reports_holding")
    schema_editor.execute(HOLDING + NO_ROW_NUMBER[schema_editor.connection.vendor])
    schema_editor.execute("INSERT INTO reports_holding SELECT * FROM holdings ORDER BY 1, 2")
    schema_editor.execute("DROP TABLE holdings")
    schema_editor.execute("DROP TABLE reports_held")
    schema_editor.execute("DROP TABLE reports_bundle")


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0003_searched_text"),
        ("reports", "0003_software_digest"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(fold, unfold, elidable=False)],
            state_operations=[
                migrations.AlterModelOptions(
                    name="holding",
                    options={
                        "managed": False,
                        "verbose_name": "installed software",
                        "verbose_name_plural": "installed software",
                    },
                ),
                migrations.CreateModel(
                    name="Bundle",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "software_version",
                                "bundle",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("bundle", models.IntegerField()),
                        (
                            "software_version",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="reports.softwareversion",
                                verbose_name="version",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "version of a software",
                        "verbose_name_plural": "versions of software",
                    },
                ),
                migrations.CreateModel(
                    name="Held",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "bundle",
                                "station",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("bundle", models.IntegerField()),
                        (
                            "station",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="registry.station",
                                verbose_name="station",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "installed software",
                        "verbose_name_plural": "installed software",
                    },
                ),
            ],
        ),
    ]
