# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that ask the station database."""

from __future__ import annotations


class ModuleDocFragment:
    """fleet.core.stationdb."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address of the station database, as V(https://stations.example). V(http://) is for loopback only.
      - The environment variable E(FLEET_STATIONDB_URL) stands in for it.
    type: str
    required: true
  token:
    description:
      - The token, made by C(stationdb token issue).
      - Without it and O(token_file), the environment variable E(FLEET_STATIONDB_TOKEN) is used.
    type: str
  token_file:
    description: A file with the token, that only its owner may read.
    type: path
  ca_file:
    description: Certificates of the authority that issued the server's certificate; the system's authorities when it is not given.
    type: path
  validate_certs:
    description: Check the server's certificate. V(false) is for trials.
    type: bool
    default: true
  timeout:
    description: Seconds without a byte after which the server is given up.
    type: int
    default: 60
notes:
  - The module runs where it reaches the station database, usually on the controller with C(delegate_to=localhost).
  - "C(module_defaults) of C(group/fleet.core.stationdb) give address and token to all these modules."
"""
