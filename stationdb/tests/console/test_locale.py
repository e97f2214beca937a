# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text is there in French: none missing, none guessed, none of a program that has gone on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import stationdb

HOUSE = Path(stationdb.__file__).parent
CATALOGUE = HOUSE / "locale/fr/LC_MESSAGES/django.po"
TEXT = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
REMEDY = "run scripts/translations and translate what it lists"


def entries(path: Path) -> dict[str, list[str]]:
    """Translations by text; what is fuzzy counts as none."""
    found = {}
    for entry in path.read_text(encoding="utf-8").split("\n\n")[1:]:
        text = re.search(rf"^msgid {TEXT}", entry, re.MULTILINE)
        if text and not entry.startswith("#~"):
            translations = re.findall(rf"^msgstr(?:\[\d\])? {TEXT}", entry, re.MULTILINE)
            fuzzy = re.search(r"^#,.*\bfuzzy\b", entry, re.MULTILINE)
            found[joined(text[1])] = [] if fuzzy else [joined(each) for each in translations]
    return found


def joined(quoted: str) -> str:
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', quoted))


def test_every_text_is_translated():
    lacking = [text for text, translations in entries(CATALOGUE).items() if not translations or not all(translations)]
    assert lacking == [], REMEDY


def test_a_translation_has_the_names_and_the_tone_of_its_text():
    for text, translations in entries(CATALOGUE).items():
        for each in translations:
            assert set(re.findall(r"%\(\w+\)s", each)) == set(re.findall(r"%\(\w+\)s", text)), text
            assert "<" not in re.sub(r" <=? |^<", "", text) or "<" in each, text


def test_the_catalogue_has_the_texts_of_the_program(tmp_path):
    copy = tmp_path / "stationdb"
    shutil.copytree(HOUSE, copy, ignore=shutil.ignore_patterns("tests", "locale", "__pycache__", "migrations"))
    (copy / "locale").mkdir()
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale=fr", "--no-location", "--no-obsolete"],
        cwd=copy,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HOUSE.parent), "LC_ALL": "C.UTF-8"},
        check=True,
        capture_output=True,
    )
    texts, known = set(entries(copy / "locale/fr/LC_MESSAGES/django.po")), set(entries(CATALOGUE))
    assert sorted(texts - known) == [], REMEDY
    assert sorted(known - texts) == [], REMEDY


def test_what_is_compiled_is_the_catalogue(tmp_path):
    subprocess.run(["msgfmt", "--check-format", "-o", tmp_path / "django.mo", CATALOGUE], check=True, capture_output=True)
    assert (tmp_path / "django.mo").read_bytes() == CATALOGUE.with_suffix(".mo").read_bytes(), REMEDY
