# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which system a station runs: the imaging environment, under the host key that it registered at its boot server, or its own.

Both may have one address. They are told apart by who they prove to be: each way to a station has its own known_hosts, its own name in it,
and its own shared connection, so that nothing that was said to one is ever heard by the other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ansible import constants
from ansible.plugins.action import ActionBase

from .station_tasks import StationTasks

IMAGING, OWN = "imaging", "own"
_POSIX = """\
echo "fleet-boot $(cat /proc/sys/kernel/random/boot_id)"
echo "fleet-root $(findmnt -n -o FSTYPE /)"
for marker in {markers}; do
    [ ! -s "$marker" ] || {{ printf 'fleet-environment '; tr -d '\\n' < "$marker"; echo; break; }}
done"""
_WINDOWS = """\
Write-Output "fleet-boot $((Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc())"
Write-Output "fleet-root windows"
"""
_MEMORY = ("overlay", "tmpfs", "ramfs", "rootfs")
"""What the root filesystem of the imaging environment is: nothing of it is on the station's disk."""
_ANSWER = 60.0
"""Seconds that a station has for an answer; a connection to nobody is given up by ssh long before."""
_WATCH = 60.0
"""Seconds for which one task stays on the boot server."""
_PAUSE = 2.0
_PAUSES = {IMAGING: 15.0, OWN: 4.0}
"""Seconds between two questions to a station: while the imaging environment is wanted, its own system is of less interest."""
_REGISTRATION = "fleet.imaging.boot_registration"


@dataclass(frozen=True)
class Way:
    """A way to reach a station: connection variables in place of those it has, and what should answer there."""

    system: str
    variables: Mapping[str, Any]
    host_key: str = ""


@dataclass(frozen=True)
class Answer:
    """What a station said of itself. system: empty when nobody answered, or nobody whom we know; then why."""

    system: str = ""
    boot_id: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    way: Optional[Way] = None
    why: str = ""


@dataclass
class Search:
    """What is looked for, and where; see the module running_system for what each of these means."""

    action: ActionBase
    variables: Mapping[str, Any]
    station: str
    boot_server: str
    config: str
    macs: Sequence[str]
    imaging: Mapping[str, Any]
    own: Mapping[str, Any]
    own_host_keys: Sequence[str]
    markers: Sequence[str]
    ended: str
    """The boot id that does not count any more."""

    def __post_init__(self) -> None:
        self._registered: list[dict[str, Any]] = []
        self._refused: set[tuple[str, str]] = set()
        """Host keys, and addresses where somebody answered with another: those of earlier starts, and of other machines."""

    def look(self) -> Answer:
        """What runs now; the imaging environment is asked first, for only it can prove what it is."""
        if self.boot_server:
            self._take(self._task(self.boot_server, _REGISTRATION, self._watch(0), {}))
        answers = [self._ask(way) for way in [*self._imaging_ways(), self._own_way()]]
        return next((each for each in answers if each.system), answers[-1])

    def wait(self, wanted: str, until: float) -> Answer:
        """Wait for a system; until: time.time() at which it is given up. The other system, freshly started, ends it as well.

        One task stays on the boot server and tells of host keys as they come; meanwhile the station is asked now and then.
        """
        why = {IMAGING: "it has not registered a host key at its boot server" if self.boot_server else "", OWN: ""}
        next_own = 0.0
        with StationTasks(self.action, self.variables, asking=True) as watcher:
            while True:
                if self.boot_server and not len(watcher):
                    watcher.start(self.boot_server, _REGISTRATION, self._watch(min(_WATCH, max(0.0, until - time.time()))), {})
                ways = self._imaging_ways()
                if time.time() >= next_own:
                    ways.append(self._own_way())
                    next_own = time.time() + _PAUSES[wanted]
                for way in ways:
                    answer = self._ask(way)
                    if answer.system and answer.boot_id != self.ended:
                        return answer
                    why[way.system] = answer.why or why[way.system]
                if time.time() >= until:
                    return Answer(why=why[wanted] or why[OWN] or "it does not answer")
                pause = min(_PAUSE, max(0.0, until - time.time()))
                if not len(watcher):
                    time.sleep(pause)
                elif news := watcher.next(pause):
                    self._take(news[2])

    def registered(self) -> list[dict[str, Any]]:
        """What the boot server knew of the station's cards when it was asked last."""
        return self._registered

    def _watch(self, timeout: float) -> dict[str, Any]:
        """Arguments of a look at what was registered, which waits for what is new."""
        known = sorted(card["host_key"] for card in self._registered if card["host_key"])
        return {"macs": list(self.macs), "config": self.config, "known": known, "timeout": timeout}

    def _take(self, result: Mapping[str, Any]) -> None:
        """Keep what the boot server said."""
        if "cards" not in result:
            said = result.get("msg", "") or str(result)
            raise BootServerError(f"The boot server {self.boot_server} does not say what {self.station} registered: {said}")
        self._registered = list(result["cards"])

    def _imaging_ways(self) -> list[Way]:
        """One for each host key that was registered, at each address that the station may have."""
        ways = []
        for card in self._registered:
            key = card["host_key"]
            wished = self.imaging.get("host") or ""
            hosts = [wished] if wished else list(dict.fromkeys([*card["addresses"], self.own["ansible_host"]]))
            hosts = [host for host in hosts if key and (key, host) not in self._refused]
            ways += [Way(IMAGING, self._imaging_variables(card["mac"], key, host), key) for host in hosts]
        return ways

    def _imaging_variables(self, mac: str, key: str, host: str) -> dict[str, Any]:
        user, port = self.imaging.get("user") or "root", int(self.imaging.get("port") or 22)
        key_file = self.imaging.get("private_key_file") or None
        verified = self._verified("imaging-" + mac.replace(":", "-"), [key])
        return {
            **dict.fromkeys(self.own),
            "ansible_connection": "ssh",
            "ansible_host": host,
            "ansible_ssh_host": host,
            "ansible_port": port,
            "ansible_ssh_port": port,
            "ansible_user": user,
            "ansible_ssh_user": user,
            "ansible_private_key_file": key_file,
            "ansible_ssh_private_key_file": key_file,
            "ansible_become": False,
            "ansible_shell_type": "sh",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_common_args": self.own.get("ansible_ssh_common_args"),
            "ansible_ssh_extra_args": self.own.get("ansible_ssh_extra_args"),
            **verified,
        }

    def _own_way(self) -> Way:
        variables = dict(self.own)
        if self.own_host_keys and (variables.get("ansible_connection") or "ssh") in ("ssh", "smart", "ansible.builtin.ssh"):
            variables.update(self._verified("own", self.own_host_keys))
        return Way(OWN, variables)

    def _verified(self, name: str, keys: Sequence[str]) -> dict[str, Any]:
        """Variables with which ssh takes these host keys and no other, whatever its configuration says, and shares no other connection.

        The file is in Ansible's folder for this run, which it removes at the end. The first value of an option is the one that ssh takes.
        """
        alias = f"fleet-{re.sub(r'[^A-Za-z0-9.-]', '-', self.station)}-{name}"
        lines = "".join(f"{alias} {' '.join(key.split()[:2])}\n" for key in keys)
        digest = hashlib.sha256(lines.encode()).hexdigest()[:12]
        path = Path(constants.DEFAULT_LOCAL_TMP) / f"{alias}-{digest}"
        if not path.exists():
            temporary = path.with_suffix(".new")
            temporary.write_text(lines, encoding="utf-8")
            temporary.replace(path)
        options = {
            "UserKnownHostsFile": f'"{path}"',
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "HostKeyAlias": alias,
            "CheckHostIP": "no",
            "UpdateHostKeys": "no",
        }
        before = constants.config.get_config_value("ssh_args", plugin_type="connection", plugin_name="ssh", variables=dict(self.own)) or ""
        ours = " ".join(f"-o {shlex.quote(f'{option}={value}')}" for option, value in options.items())
        return {"ansible_ssh_args": f"{ours} {before}".strip(), "ansible_control_path": f"%(directory)s/f{digest}"}

    def _ask(self, way: Way) -> Answer:
        """What answers there. Who calls itself the imaging environment on the way to the own system has not proved it."""
        asked = powershell(_WINDOWS) if _is_windows(way.variables) else _POSIX.format(markers=shlex.join(self.markers))
        more = {**way.variables, "ansible_ssh_retries": 0, "ansible_ssh_timeout": 10, "ansible_timeout": 10}
        result = self._task(self.station, "ansible.builtin.raw", {"_raw_params": asked}, more)
        said = dict(line.split(" ", 1) for line in result.get("stdout_lines") or str(result.get("stdout", "")).splitlines() if " " in line)
        boot_id = said.get("fleet-boot", "").strip()
        if result.get("failed") or result.get("unreachable") or not boot_id:
            why = str(result.get("msg") or result.get("stderr") or "it said nothing of itself").strip()
            if "Host key verification failed" in why or "IDENTIFICATION HAS CHANGED" in why:
                if way.host_key:
                    self._refused.add((way.host_key, way.variables["ansible_host"]))
                why = "somebody answers with a host key that is not the station's; nothing was said to it"
            return Answer(why=why)
        environment = _environment(said.get("fleet-environment", ""))
        is_imaging = said.get("fleet-root", "").strip() in _MEMORY and (not self.boot_server or environment is not None)
        if is_imaging and self.boot_server and way.system == OWN:
            return Answer(why="the imaging environment answers with a host key that is not registered at its boot server")
        if not is_imaging and way.system == IMAGING:
            return Answer(why="what answers with the registered host key does not run the imaging environment")
        return Answer(IMAGING if is_imaging else OWN, boot_id, environment or {}, way)

    def _task(self, host: str, module: str, arguments: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        """Run one module on a host, and end it when it takes too long."""
        with StationTasks(self.action, self.variables, asking=True) as tasks:
            tasks.start(host, module, arguments, more)
            done = tasks.next(_ANSWER)
        return done[2] if done else {"failed": True, "msg": f"no answer for {_ANSWER:g} s"}


class BootServerError(Exception):
    """The boot server cannot be asked."""


def _environment(text: str) -> Optional[dict[str, Any]]:
    try:
        said = json.loads(text) if text else None
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _is_windows(variables: Mapping[str, Any]) -> bool:
    return variables.get("ansible_shell_type") in ("powershell", "cmd") or variables.get("ansible_connection") in ("winrm", "psrp")


def powershell(script: str) -> str:
    """A command line that runs a script under whichever shell a Windows station has, whatever is in the script."""
    return f"powershell -NoProfile -NonInteractive -EncodedCommand {base64.b64encode(script.encode('utf-16-le')).decode()}"
