# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read before a system runs, in English and French.

The gettext of the station database is not there yet at that time: these few words are rendered into the loaders' files.
"""

from __future__ import annotations

import unicodedata

TASKS = ("image", "clone", "backup", "restore", "repartition")
"""What the imaging environment is started for; it hears of it as fleet.task=."""

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "local": "Start from the local disk",
        "maintenance": "Maintenance (password)",
        "image": "Capture an image of this station",
        "clone": "Clone this station",
        "backup": "Back up this station",
        "restore": "Restore this station",
        "repartition": "Repartition the disk",
        "memtest": "Test the memory",
        "installer": "Install {name}",
        "station": "Station",
        "refused": "Refused, or the boot server does not answer.",
        "starting": "{station}: starting the imaging environment ...",
        "installing": "{station}: starting the installer ...",
        "failed": "The boot server does not answer: starting from the local disk.",
        "countdown": "Local disk in %d s",
    },
    "fr": {
        "local": "Démarrer sur le disque local",
        "maintenance": "Maintenance (mot de passe)",
        "image": "Capturer une image de ce poste",
        "clone": "Cloner ce poste",
        "backup": "Sauvegarder ce poste",
        "restore": "Restaurer ce poste",
        "repartition": "Repartitionner le disque",
        "memtest": "Tester la mémoire",
        "installer": "Installer {name}",
        "station": "Poste",
        "refused": "Refusé, ou le serveur de démarrage ne répond pas.",
        "starting": "{station} : démarrage de l'environnement d'imagerie ...",
        "installing": "{station} : démarrage de l'installateur ...",
        "failed": "Le serveur de démarrage ne répond pas : démarrage sur le disque local.",
        "countdown": "Disque local dans %d s",
    },
}


def plain(text: str) -> str:
    """Without accents and signs beyond ASCII: iPXE of Debian 12 knows neither UTF-8 nor fonts."""
    straight = text.replace("\u2019", "'").replace("\u2013", "-")
    return unicodedata.normalize("NFKD", straight).encode("ascii", "ignore").decode("ascii")
