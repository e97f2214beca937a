# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes documents from the spool into the database, many in a transaction; one that fails is tried alone, and a bad one is put aside.

The database gone: what is claimed goes back to the spool. Killed before the commit: the same. Killed after it, before the document left the
spool: it is claimed again, found in the database by its id, and only moved.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from ..registry.models import MacAddress, Station
from . import document
from .errors import ReportError
from .formats import Document, Memory, Reported, read
from .identity import Evidence, Known, Note, evidence, free_name, names_like, new_cards
from .models import Report, Unplaced
from .placing import Places
from .spool import Claim, Spool
from .store import Taken, describe, introduce, known_software, number_software, store

log = logging.getLogger(__name__)

AT_ONCE = 50
"""Documents of a batch."""

BYTES_AT_ONCE = 64 << 20
"""Bytes of a batch's documents, from which on no other is added: fifty of the largest would take gigabytes."""

_AHEAD = timedelta(minutes=5)
"""How far a station's clock may be ahead before it counts as wrong."""

_BEHIND = timedelta(days=90)
"""How old a report may be that a station kept while it was offline; beyond, its clock is wrong."""

_TRIES = 5


class DatabaseGone(Exception):
    """The database does not answer; what was claimed is back in the spool."""


@dataclass
class Counts:
    """What became of documents."""

    taken: int = 0
    refused: int = 0
    unplaced: int = 0
    repeated: int = 0
    """Taken in before."""

    def __iadd__(self, other: Counts) -> Counts:
        self.taken += other.taken
        self.refused += other.refused
        self.unplaced += other.unplaced
        self.repeated += other.repeated
        return self


@dataclass(eq=False)
class _Document:
    """A claimed document on its way."""

    claim: Claim
    report: Reported
    asked: Evidence
    notes: list[str | Note] = field(default_factory=list)
    taken: Taken | None = None


class Worker:
    """One of the processes that empty a spool. It remembers the software that it met."""

    def __init__(self, spool: Spool | None = None) -> None:
        self.spool = spool or Spool()
        self.memory = Memory()

    def run(self, stop: threading.Event | None = None) -> Counts:
        """Take all that waits, or until told to stop. DatabaseGone when the database does not answer."""
        counts = Counts()
        waiting = iter(self.spool.ids())
        while (stop is None or not stop.is_set()) and (claims := self._claims(waiting)):
            try:
                counts += self._batch(claims)
            except (OperationalError, InterfaceError) as error:
                connection.close()
                raise DatabaseGone(str(error).strip()) from error
            finally:
                for claim in claims:
                    claim.release()
        return counts

    def _claims(self, waiting: Iterator[str]) -> list[Claim]:
        """The documents of the next batch; none when nothing waits any more."""
        claims: list[Claim] = []
        size = 0
        for each in waiting:
            if claim := self.spool.claim(each):
                claims.append(claim)
                size += len(claim.data)
                if len(claims) == AT_ONCE or size >= BYTES_AT_ONCE:
                    break
        return claims

    def _batch(self, claims: Sequence[Claim]) -> Counts:
        """Take documents, in as many transactions as their size when decompressed makes it."""
        counts = Counts()
        self.memory.forget()
        texts: list[tuple[Claim, Document]] = []
        size = 0
        for claim in claims:
            try:
                text = Document(document.plain(claim.data))
            except ReportError as error:
                self._refuse(claim, str(error), counts)
                continue
            texts.append((claim, text))
            size += len(text.text)
            if size >= BYTES_AT_ONCE:
                counts += self._read(texts)
                texts, size = [], 0
        counts += self._read(texts)
        return counts

    def _read(self, texts: Sequence[tuple[Claim, Document]]) -> Counts:
        """Read documents and take them, together if none of them fails."""
        counts = Counts()
        known = known_software([text.software_digest for _claim, text in texts])
        documents = []
        for claim, text in texts:
            try:
                report = read(text, self.memory, known)
                documents.append(_Document(claim, report, evidence(report, claim.envelope)))
            except ReportError as error:
                self._refuse(claim, str(error), counts)
        try:
            done = self._take(documents)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.info("A batch of %s reports is taken one by one, since one of them fails.", len(documents), exc_info=True)
            done = Counts()
            for each in documents:
                done += self._alone(each)
        counts += done
        return counts

    def _alone(self, each: _Document) -> Counts:
        counts = Counts()
        for attempt in range(_TRIES):
            each.notes.clear()
            try:
                # A fresh reading: the failed try may have changed the one at hand.
                each.report = read(document.plain(each.claim.data), self.memory)
                return self._take([each])
            except (OperationalError, InterfaceError):
                raise
            except ReportError as error:
                self._refuse(each.claim, str(error), counts)
                return counts
            except IntegrityError as error:  # another worker made the same station meanwhile
                if attempt == _TRIES - 1:
                    self._refuse(each.claim, f"The database refuses it: {error}", counts)
            except DatabaseError as error:
                self._refuse(each.claim, f"The database refuses it: {error}", counts)
                return counts
            except Exception as error:
                log.exception("Report %s cannot be taken in.", each.claim.envelope.id)
                self._refuse(each.claim, f"It cannot be taken in ({type(error).__name__}: {error}). This is a fault of the server.", counts)
                return counts
        return counts

    @staticmethod
    def _refuse(claim: Claim, reason: str, counts: Counts) -> None:
        log.warning("Report %s from %s is refused: %s", claim.envelope.id, claim.envelope.station or claim.envelope.address, reason)
        claim.refuse(reason)
        counts.refused += 1

    def _take(self, documents: Sequence[_Document]) -> Counts:
        """Take documents in one transaction, and only then out of the spool. ReportError when one may not be sent by its sender."""
        if not documents:
            return Counts()
        number_software(each.report for each in documents)
        with transaction.atomic():
            ids = [each.claim.envelope.uuid for each in documents]
            before = set(Report.objects.filter(pk__in=ids).values_list("pk", flat=True))
            left = [each for each in documents if each.claim.envelope.uuid not in before]
            unplaced: list[_Document] = []
            while left:
                left = self._round(left, unplaced)
        for each in documents:
            if each in unplaced:
                each.claim.wait()
            elif each.taken and each.taken.changed:
                each.claim.keep(each.report.cleaned)
            else:
                each.claim.forget()
        return Counts(len(documents) - len(before) - len(unplaced), 0, len(unplaced), len(before))

    def _round(self, documents: Sequence[_Document], unplaced: list[_Document]) -> list[_Document]:
        """Take those that cannot be of the same station; the others are left for the next round."""
        now: list[_Document] = []
        later: list[_Document] = []
        marks = set[object]()
        for each in documents:
            own = each.asked.marks()
            (later if own & marks else now).append(each)
            marks |= own
        known = Known([each.asked for each in now])
        places: Places | None = None
        new: list[_Document] = []
        owners: dict[int, _Document] = {}
        for each in list(now):
            station = known.find(each.asked, each.notes)
            sites = each.claim.envelope.sites
            if station is None:
                places = places or Places()
                site = places.site_of(each.asked.addresses)
                if site is None:
                    _wait(each, self.spool)
                    unplaced.append(each)
                    continue
                station = Station(site_id=site, state=Station.State.NEW, uuid=each.asked.uuid, serial=each.asked.serial)
                new.append(each)
            elif station.pk in owners:  # two reports without common marks, one station
                later.append(each)
                continue
            else:
                owners[station.pk] = each
            if sites is not None and station.site_id not in sites:
                raise ReportError(
                    f"The sender may not report stations of the site of {station.name or each.asked.name or 'this new station'}.",
                    "Give its user the right reports.send for that site.",
                )
            each.taken = Taken(station, each.report, each.claim.envelope.moment)
        batch = [each for each in now if each.taken and each not in later]
        fresh = [each for each in batch if _is_newest(each)]
        _create(new)
        _cards(batch, known)
        if waited := list(Unplaced.objects.filter(identity__in={each.asked.key for each in batch}).values_list("pk", flat=True)):
            Unplaced.objects.filter(pk__in=waited).delete()
        store([each.taken for each in fresh if each.taken])
        describe([each.taken for each in fresh if each.taken])
        Report.objects.bulk_create([_record(each) for each in batch])
        return later


def _wait(each: _Document, spool: Spool) -> None:
    """Write down a report of a station without a site; an earlier one of the same station is forgotten."""
    asked, envelope = each.asked, each.claim.envelope
    for pk in Unplaced.objects.filter(identity=asked.key).exclude(pk=envelope.uuid).values_list("pk", flat=True):
        spool.forget_waiting(pk.hex)
    Unplaced.objects.filter(identity=asked.key).delete()
    Unplaced.objects.create(
        pk=envelope.uuid,
        identity=asked.key,
        received=envelope.moment,
        name=asked.vouched or asked.name,
        address=(asked.addresses[0] if asked.addresses else "")[:45],
        macs=" ".join(asked.macs)[:400],
        serial=asked.serial,
        agent=each.report.agent[:100],
    )


def _create(new: Sequence[_Document]) -> None:
    """Make the stations that nobody knew."""
    if not new:
        return
    taken = names_like([each.asked for each in new])
    stations = []
    for each in new:
        assert each.taken is not None
        station = each.taken.station
        station.name = free_name(each.asked, taken)
        introduce(each.taken)
        taken.add(station.name.lower())
        stations.append(station)
        each.notes.append("A station that was not known.")
    Station.objects.bulk_create(stations)


def _cards(batch: Sequence[_Document], known: Known) -> None:
    """Write which cards the stations have, taking those that moved from where they were, and what else tells stations apart."""
    added: list[MacAddress] = []
    for each in batch:
        assert each.taken is not None
        station = each.taken.station
        new, moved = new_cards(each.asked, known.by_mac, station)
        added += [MacAddress(station=station, mac=mac) for mac in new]
        if (sites := each.claim.envelope.sites) is not None:
            # Who may not report a station takes no card from it either.
            if others := [mac for mac in moved if known.by_mac[mac].site_id not in sites]:
                each.notes.append(f"Network card {', '.join(others)} is another station's, of which the sender may not report.")
            moved = [mac for mac in moved if mac not in others]
        if moved:
            MacAddress.objects.filter(mac__in=moved).update(station=station)
            each.notes.append(Note(f"Network card {', '.join(moved)} came from {{}}.", known.by_mac[moved[0]]))
        different: dict[str, object] = {}
        if each.asked.uuid and station.uuid != each.asked.uuid:
            different["uuid"] = each.asked.uuid
        if each.asked.serial and station.serial != each.asked.serial:
            if station.serial:
                each.notes.append(f"Its serial number was {station.serial}.")
            different["serial"] = each.asked.serial
        if different:
            Station.objects.filter(pk=station.pk).update(**different)
        if each.asked.name and station.reported_name and each.report.name != station.reported_name:
            each.notes.append(f"It called itself {station.reported_name} before.")
    if added:
        MacAddress.objects.bulk_create(added)


def _is_newest(each: _Document) -> bool:
    """Whether a report is not older than what is known; sets its moment."""
    assert each.taken is not None
    received = each.claim.envelope.moment
    created: datetime | None = each.report.created
    if created and created > received + _AHEAD:
        each.notes.append(f"The station's clock is ahead: it says {created:%Y-%m-%d %H:%M} UTC.")
    elif created and created < received - _BEHIND:
        each.notes.append(f"The station's clock is behind: it says {created:%Y-%m-%d %H:%M} UTC.")
    elif created:
        each.taken.moment = min(created, received)
    seen = each.taken.station.last_seen
    if seen and each.taken.moment < seen:
        each.notes.append("It is older than what was known, and changed nothing.")
        return False
    return True


def _record(each: _Document) -> Report:
    assert each.taken is not None
    envelope = each.claim.envelope
    return Report(
        id=envelope.uuid,
        station=each.taken.station,
        received=envelope.moment,
        taken=each.taken.moment,
        format=each.report.format,
        agent=(envelope.agent if each.report.agent in ("OCS", "GLPI") and envelope.agent else each.report.agent)[:100],
        way=envelope.way,
        address=envelope.address[:45],
        changed=" ".join(sorted(each.taken.changed))[:400],
        note=" ".join(note if isinstance(note, str) else note.told(each.taken.station) for note in each.notes)[:400],
    )
