# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image to a room: what a multicast session needs to know of images and disks, and a restore of a session.

source     where a sender has its chunks from: a content store's folder, or the disk of a station that has the image
ahead      frames that are made before a session asks for them
receiver   a station's part: chunks of the session, and what the session left by unicast
control    when a session begins, and how that is changed while it waits
"""
