# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the imaging modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments by name: fleet.imaging.options.disk, .image, .restore, .sources, .transfer, .backup, .session and .installed."""

    DISK = r"""
options:
  disk:
    description:
      - The disk, as a path such as V(/dev/sda) or V(/dev/disk/by-id/…), or as an identity such as V(serial:S4EVNX0M) or
        V(wwn:0x5002538e40). An identity that means no disk or several disks of the station is refused.
    type: str
    required: true
"""

    IMAGE = r"""
options:
  image:
    description: Name of the image.
    type: str
    required: true
  version:
    description: Version of the image.
    type: str
    required: true
  allowed_signers:
    description: Who may sign images; lines as in the ALLOWED SIGNERS section of ssh-keygen(1).
    type: str
    required: true
"""

    RESTORE = r"""
options:
  ca:
    description: Certificates of the authority of the content stores, as text, instead of O(ca_file).
    type: str
    default: ""
  erase:
    description:
      - Identity of the disk whose contents may be replaced, as M(fleet.imaging.disk_info) says it, such as V(serial:S4EVNX0M) or
        V(size:256060514304). It must match, whatever O(disk) says.
    type: str
    required: true
  partitions:
    description: Numbers of the partitions to restore into the table that the disk has; all, with the image's table, when not given.
    type: list
    elements: int
  keep:
    description: Numbers of the disk's partitions that stay as they are, contents included.
    type: list
    elements: int
  grow:
    description: Whether the last partition and its filesystem take the room of a larger disk.
    type: bool
    default: true
  verify:
    description: Whether what was written is read back from the disk and compared. Chunks are verified before they are written in any case.
    type: bool
    default: true
"""

    SOURCES = r"""
options:
  sources:
    description:
      - Base URLs of content stores, nearest first, such as V(https://relay/content). The next one is asked when one fails.
    type: list
    elements: str
    required: true
"""

    TRANSFER = r"""
options:
  ca_file:
    description: File on the station with the certificate authority of the content stores; the system's authorities by default.
    type: path
  connections:
    description: Connections at a time.
    type: int
    default: 4
  rate:
    description: Bytes a second over all connections; V(0) for no limit.
    type: int
    default: 0
  work_dir:
    description:
      - Folder on the station for what must be held for a while, such as the archive of an image made with
        O(fleet.imaging.image_capture#module:method=files).
    type: path
    default: /var/tmp
"""

    BACKUP = r"""
options:
  backup:
    description:
      - What becomes of the station's local backup, a content store in a partition named C(fleet-backup) at the end of its disk.
      - V(keep) leaves it as it is, with whatever table the image has. V(write) makes it when it is not there, and puts the image into it
        once the disk is restored and verified - from the disk itself, and from O(sources) what the disk does not hold as it was captured.
      - V(erase) takes its room for the image's partitions.
    type: str
    choices: [keep, write, erase]
    default: keep
  backup_size:
    description:
      - Size of a partition that has to be made for it, in bytes or as a share of the disk such as V(25%). One that is there keeps its size.
      - Room for all chunks of the image, uncompressed, and an eighth more, when not given.
    type: str
    default: ""
  backup_keep:
    description:
      - How many versions of each image stay in it, the one just written among them. Older ones are removed once that is complete, and
        before that only when it does not fit.
      - What either this or O(backup_days) keeps stays; without both all versions stay.
    type: int
  backup_days:
    description: Versions captured within so many days stay in it.
    type: float
"""

    SESSION = r"""
options:
  secret:
    description:
      - Secret of the session, 32 hexadecimal digits or more, that nobody but its sender and receivers knows. M(fleet.imaging.image_clone)
        makes one for each session.
    type: str
    required: true
  address:
    description: IPv4 or IPv6 address of the sender, by which its receivers reach it.
    type: str
    required: true
  group:
    description:
      - Multicast address, of the same family as O(address). Default is one of V(239.255.77.1) to V(239.255.77.254), or of V(ff12::4d01) to
        V(ff12::4dfe) for IPv6, by the session's secret, so that sessions side by side seldom share one.
    type: str
  ports:
    description:
      - Range of ports as V(7700-7731); a session takes a free one, for TCP (control) and UDP (data). So many sessions fit on one sender.
    type: str
    default: 7700-7731
  interface:
    description: Network interface for multicast; the one that has or reaches O(address) by default.
    type: str
    default: ""
  ttl:
    description: Hops that a multicast packet may take; V(1) stays on the segment.
    type: int
    default: 1
  mtu:
    description: Bytes of the largest packet that the network passes.
    type: int
    default: 1500
  patience:
    description:
      - Seconds of silence after which a station is given up by the sender. After twice that, a station gives up looking for its sender.
    type: float
    default: 30
"""

    INSTALLED = r"""
options:
  disk:
    description: Path of the disk, such as C(/dev/sda), or its identity. The one named in O(disk_identity) when not given.
    type: str
  disk_identity:
    description:
      - Identity of the disk that may be changed, as M(fleet.imaging.disk_info) says it, such as V(serial:S4EWNX0N123456). It must match,
        whatever O(disk) says.
    type: str
    required: true
  root:
    description:
      - Which filesystem is the system's root, when the disk holds several systems - the number of its partition, its UUID, or
        C(group/volume). With one system on the disk it is found.
    type: str
    default: ''
  require:
    description: Whether a disk without a Linux system is an error. With V(false), it is a note, and nothing is done.
    type: bool
    default: true
"""
