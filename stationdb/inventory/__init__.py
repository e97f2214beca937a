# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible's inventory is made of: a selection of stations as a stream of lines that its plugin reads fast.

selection.py says which stations; groups.py the groups and who is in them; content.py where a station fetches images from; variables.py what
is known of a station; columns.py packs that; stream.py makes the lines. The format is described in docs/station-database/inventory.md.
"""
