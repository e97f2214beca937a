# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of the imaging environment, on the screen and the serial line: name, address, host key, and what goes on.

The running module's progress is read where Ansible's asynchronous jobs keep their state, and from /run/fleet/progress.json for whatever
else reports (the same keys: operation, done, total, unit, rate). This program runs on the station alone: standard library only.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional

RUN = Path("/run/fleet")
JOBS = Path("/root/.ansible_async")
CONSOLES = Path("/sys/class/tty/console/active")
INTERVAL = 1.0
"""Seconds between two looks."""

FRESH = 30.0
"""Seconds after which a job that reports nothing is no longer shown: its module was killed."""

TEXTS = {
    "title": ("Fleet imaging environment", "Environnement d'imagerie Fleet"),
    "station": ("Station", "Poste"),
    "address": ("Address", "Adresse"),
    "fingerprint": ("Host key", "Clé d'hôte"),
    "nothing": ("-", "-"),
    "starting": ("Starting.", "Démarrage."),
    "connecting": ("Waiting for an address.", "En attente d'une adresse."),
    "registered": ("Ready: the boot server knows this host key.", "Prêt : le serveur d'amorçage connaît cette clé d'hôte."),
    "unknown": (
        "Ready. The boot server does not expect this station: compare the host key above before you trust it.",
        "Prêt. Le serveur d'amorçage n'attend pas ce poste : comparez la clé d'hôte ci-dessus avant de lui faire confiance.",
    ),
    "alone": (
        "Ready, without a boot server: compare the host key above before you trust it.",
        "Prêt, sans serveur d'amorçage : comparez la clé d'hôte ci-dessus avant de lui faire confiance.",
    ),
    "refused": (
        "The boot server refuses this station; nobody can sign in. Asking again.",
        "Le serveur d'amorçage refuse ce poste ; personne ne peut se connecter. Nouvelle tentative.",
    ),
    "unreachable": ("The boot server does not answer. Asking again.", "Le serveur d'amorçage ne répond pas. Nouvelle tentative."),
}
"""Every text in English and French."""

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def text(key: str, language: str) -> str:
    """Return a text in the language, else in English."""
    return TEXTS[key][1 if language == "fr" else 0]


def read(path: Path) -> Optional[Mapping[str, Any]]:
    """Return the JSON object in a file, or None."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else None
    return None


def running(jobs: Path, extra: Path, now: float) -> Optional[Mapping[str, Any]]:
    """Return the youngest report of what is running, or None. now: seconds since 1970."""
    files = [extra, *(jobs.glob("j*.*") if jobs.is_dir() else ())]
    dated = []
    for path in files:
        with contextlib.suppress(OSError):
            dated.append((path.stat().st_mtime, path))
    for age, path in sorted(dated, reverse=True):
        found = read(path)
        report = found.get("progress", found if path == extra else None) if found else None
        if now - age < FRESH and isinstance(report, dict) and "operation" in report and not (found or {}).get("finished"):
            return report
    return None


def amount(value: float, unit: str) -> str:
    """Return a number with its unit; bytes as MiB and the like."""
    if unit != "B":
        return f"{value:g} {unit}"
    step = 0
    while value >= 1024 and step < len(UNITS) - 1:
        value, step = value / 1024, step + 1
    return f"{value:.{1 if step else 0}f} {UNITS[step]}"


def progress_bar(report: Mapping[str, Any], width: int = 40) -> str:
    """Return a report as one line: operation, bar, percentage, amounts and rate."""
    try:
        done, total, rate, unit = float(report["done"]), float(report["total"]), float(report.get("rate", 0)), str(report["unit"])
    except (LookupError, TypeError, ValueError):
        return ""
    line = f"{str(report['operation'])[:40]}  "
    if total > 0:
        part = min(1.0, max(0.0, done / total))
        filled = int(part * width)
        line += f"[{'#' * filled}{'.' * (width - filled)}] {int(part * 100):3d} %  {amount(done, unit)} / {amount(total, unit)}"
    else:
        line += amount(done, unit)
    return f"{line}  {amount(round(rate, 1), unit)}/s" if rate > 0 else line


def page(status: Mapping[str, Any], report: Optional[Mapping[str, Any]]) -> list[str]:
    """Return the lines to show."""
    language = str(status.get("language", ""))
    none = text("nothing", language)
    names = [text(key, language) for key in ("station", "address", "fingerprint")]
    values = [str(status.get(key) or none) for key in ("name", "address", "fingerprint")]
    wide = max(len(name) for name in names)
    lines = [text("title", language), "", *(f"  {name:<{wide}}  {value}" for name, value in zip(names, values)), ""]
    state = str(status.get("state", "starting"))
    lines.append(text(state if state in TEXTS else "starting", language))
    if status.get("message"):
        lines.append(f"  {status['message']}")
    if report:
        lines += ["", progress_bar(report)]
    return [line[:200] for line in lines]


def write(consoles: Iterable[str], lines: list[str], before: list[str]) -> None:
    """Show the lines: a screen is drawn anew, a serial line gets those that have changed."""
    for name in consoles:
        screen = name.startswith("tty") and name[3:].isdigit()
        if screen:
            shown = "\033[H" + "".join(f"{line}\033[K\r\n" for line in lines) + "\033[J"
        else:
            shown = "".join(f"{line}\r\n" for line in lines if line and line not in before)
        with (
            contextlib.suppress(OSError),
            Path("/dev", "tty1" if screen else name).open("w", encoding="utf-8", errors="replace") as console,
        ):
            console.write(shown)


def main() -> None:
    """Show what goes on until the station ends."""
    # The screen belongs to this program: the kernel's own lines stay in its log.
    subprocess.run(["dmesg", "--console-level", "1"], check=False)
    with contextlib.suppress(OSError), Path("/dev/tty1").open("w", encoding="utf-8") as screen:
        screen.write("\033[2J\033[?25l")
    unknown = {"language": "fr"} if "fleet.language=fr" in Path("/proc/cmdline").read_text().split() else {}
    before: list[str] = []
    while True:
        lines = page(read(RUN / "status.json") or unknown, running(JOBS, RUN / "progress.json", time.time()))
        if lines != before:
            with contextlib.suppress(OSError):
                write(CONSOLES.read_text().split(), lines, before)
            before = lines
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main()
