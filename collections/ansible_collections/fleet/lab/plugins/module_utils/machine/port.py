# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's port at the bridge: how it is joined, and what went through it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fleet.core.plugins.module_utils.command import run

from .hardware import Hardware

SCRIPT = """\
#!/bin/sh -e
# QEMU calls this with the name of the port that it made. Datagrams and streams towards the machine are counted apart: TFTP and HTTP.
PATH=$PATH:/usr/sbin:/sbin
nft -f - <<END
table netdev $1
delete table netdev $1
table netdev $1 {{
  counter datagrams {{ }}
  counter streams {{ }}
  chain towards {{
    type filter hook egress device "$1" priority 0; policy accept;
    meta l4proto udp counter name "datagrams"
    meta l4proto tcp counter name "streams"
  }}
}}
END
ip link set dev "$1" master {bridge} up
"""


@dataclass(frozen=True)
class Traffic:
    """Bytes of frames since the machine was switched on: received and sent in all, and how much of the received were UDP and TCP."""

    received: int
    sent: int
    received_udp: int
    received_tcp: int

    def __sub__(self, earlier: Traffic) -> Traffic:
        return Traffic(*(mine - others for mine, others in zip(self.__dict__.values(), earlier.__dict__.values())))


def write_script(path: Path, bridge: str) -> None:
    """Write what joins the machine's port to the bridge."""
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(SCRIPT.format(bridge=bridge), encoding="utf-8")
    temporary.chmod(0o755)
    os.replace(temporary, path)


def traffic(hardware: Hardware) -> Traffic:
    """Return what went through the port of a machine that runs; raise ToolError when it has none."""
    shown = run(["ip", "-n", hardware.namespace, "-s", "-j", "link", "show", "dev", hardware.port]).stdout
    counters = run(["nsenter", f"--net=/run/netns/{hardware.namespace}", "nft", "-j", "list", "table", "netdev", hardware.port]).stdout
    counted = {each["counter"]["name"]: each["counter"]["bytes"] for each in json.loads(counters)["nftables"] if "counter" in each}
    link = json.loads(shown)[0]["stats64"]
    # What the kernel sends through the port is what the machine receives.
    return Traffic(link["tx"]["bytes"], link["rx"]["bytes"], counted["datagrams"], counted["streams"])
