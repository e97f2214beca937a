# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the station database is run: started, watched, backed up and brought back.

ground.py looks at what an installation stands on before Django is loaded, database.py at its database, address.py at where it answers.
supervisor.py keeps programs running; programs.py says which. gunicorn_conf.py is how gunicorn serves, here and under systemd alike.
archive.py is a backup: what is in it, how it is made, and how it is brought back.
"""
