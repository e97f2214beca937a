# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of many stations, made from one that Debian's OCS agent wrote.

Stations differ as those of a real fleet do: names, cards, serial numbers, memory and disks are each station's own; every software row has
the station's own date of installation; of some 1,100 rows 2 % are missing, 3 % are of another version, and a dozen are of what few have.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

SAMPLE = Path(__file__).parent.parent / "stationdb/tests/reports/data/ocs-unix-agent-2.10-debian12.xml"

_ROW = re.compile(r"    <SOFTWARES>.*?</SOFTWARES>\n", re.DOTALL)
_HARDWARE = """    <BIOS>
      <ASSETTAG/>
      <BDATE>03/12/2021</BDATE>
      <BMANUFACTURER>Dell Inc.</BMANUFACTURER>
      <BVERSION>1.24.0</BVERSION>
      <SMANUFACTURER>Dell Inc.</SMANUFACTURER>
      <SMODEL>OptiPlex 3050</SMODEL>
      <SSN>{serial}</SSN>
      <TYPE>Mini Tower</TYPE>
    </BIOS>
    <MEMORIES>
      <CAPACITY>8192</CAPACITY>
      <CAPTION>DIMM1</CAPTION>
      <DESCRIPTION>DIMM (None)</DESCRIPTION>
      <NUMSLOTS>1</NUMSLOTS>
      <SERIALNUMBER>{memory}</SERIALNUMBER>
      <SPEED>2400</SPEED>
      <TYPE>DDR4</TYPE>
    </MEMORIES>
    <MONITORS>
      <CAPTION>DELL P2419H</CAPTION>
      <MANUFACTURER>Dell Inc.</MANUFACTURER>
      <SERIAL>{monitor}</SERIAL>
    </MONITORS>
"""


class Stations:
    """Documents by number; the same number gives the same document."""

    def __init__(self) -> None:
        text = SAMPLE.read_text()
        self._rows = _ROW.findall(text)
        start, end = text.index(self._rows[0]), text.rindex(self._rows[-1]) + len(self._rows[-1])
        self._before, self._after = text[:start], text[end:]

    def document(self, number: int, *, later: bool = False, upgraded: bool = False) -> bytes:
        """The report of a station; later, of another day with nothing new but what always differs; upgraded, with 3 other versions."""
        dice = random.Random(number)
        day = f"2026/{dice.randint(1, 9):02}/{dice.randint(1, 28):02} {dice.randint(0, 23):02}:{dice.randint(0, 59):02}:36"
        rows = []
        for row in self._rows:
            fate = dice.random()
            if fate < 0.02:
                continue
            if fate < 0.05:
                row = row.replace("</VERSION>", f"+b{dice.randint(1, 3)}</VERSION>")
            rows.append(re.sub("<INSTALLDATE>.*?</INSTALLDATE>", f"<INSTALLDATE>{day}</INSTALLDATE>", row))
        for _ in range(40):
            local = dice.randrange(3000)
            row = re.sub("<NAME>.*?</NAME>", f"<NAME>local-{local}</NAME>", self._rows[local % len(self._rows)])
            rows.append(re.sub("<INSTALLDATE>.*?</INSTALLDATE>", f"<INSTALLDATE>{day}</INSTALLDATE>", row))
        dice_of_upgrade = random.Random(number + 1)
        for index in dice_of_upgrade.sample(range(len(rows)), 3) if upgraded else ():
            rows[index] = rows[index].replace("</VERSION>", f"+deb12u{dice_of_upgrade.randint(1, 2)}</VERSION>")
        serial, name = f"SN{number:07}", f"pc{number:06}"
        own = _HARDWARE.format(serial=serial, memory=f"{dice.getrandbits(32):08X}", monitor=f"{dice.getrandbits(32):08X}")
        card = f"a4:bb:6d:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        before = (
            self._before.replace("    <BIOS>\n    </BIOS>\n", own)
            .replace("<NAME>vm</NAME>", f"<NAME>{name}</NAME>")
            .replace("02:fc:00:00:00:01", card)
            .replace("192.0.2.2<", f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}<")
            .replace("<FREE>78109</FREE>", f"<FREE>{dice.randint(1000, 250_000)}</FREE>")
        )
        if later:
            before = before.replace("00-00-00 00:25:47", "00-00-01 03:14:15")
        after = self._after.replace("<DEVICEID>vm-", f"<DEVICEID>{name}-").replace(
            "<NAME>vda</NAME>", f"<NAME>vda</NAME>\n      <SERIALNUMBER>{serial}D</SERIALNUMBER>"
        )
        return (before + "".join(rows) + after).encode()
