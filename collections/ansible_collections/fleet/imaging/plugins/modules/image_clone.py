#!/usr/bin/python
# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore an image to all stations of a play together: the documentation of the action plugin, which does it on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_clone
short_description: Restore an image to all stations of a play together
version_added: "0.1.0"
description:
  - Runs M(fleet.imaging.multicast_send) on one host and M(fleet.imaging.multicast_receive) on the stations, all at the same time,
    whatever C(forks) and C(serial) say, with a secret that only this session knows.
  - With O(senders) there is a session for each of them, as for the relays of several sites, side by side. A relay that lacks some of the
    image gets it first, by M(fleet.core.content_replicate), each for itself. What goes wrong with one of them concerns its stations only.
  - A station that fails has a result that says so, and the task does not fail. Look at RV(stations) in the tasks that follow.
  - A station that refuses (its disk is too small, the image is signed by a stranger) or cannot be reached does so before the session
    begins, and is not waited for. Neither is one that lacks nothing.
  - The stations of a sender that cannot get the image fail untouched. A sender that fails later is not the end, its stations go on by
    unicast unless O(transport=multicast).
  - With O(transport=unicast) and in check mode there is no session; M(fleet.imaging.image_restore) runs on the stations.
  - Templates in O(send), O(receive), O(session) and O(replicate) find the inventory name of their session's sender in the variable
    C(fleet_session_sender).
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
    description: Who may sign images; lines as in the ALLOWED SIGNERS section of ssh-keygen(1). Sender and stations check it each.
    type: str
    required: true
  transport:
    description:
      - V(auto) sends by multicast, and leaves stations that cannot hear it or keep up to unicast.
      - V(multicast) lets such stations fail; V(unicast) is for networks without multicast, such as wireless ones.
    type: str
    choices: [auto, multicast, unicast]
    default: auto
  sender:
    description: Inventory name of the only host that sends; this or O(senders) is needed unless O(transport=unicast).
    type: str
  stations:
    description: Inventory names of its stations; those of the play that have not failed, the sender excepted, by default.
    type: list
    elements: str
  senders:
    description:
      - The hosts that send, by their inventory names, instead of O(sender), O(stations) and O(control).
      - Of each C(stations), its stations, a list of inventory names; C(control), see O(control); and C(replicate), whether it may lack
        some of the image, which is then brought to it as O(replicate) says.
    type: dict
  start:
    description:
      - When a session begins, as O(fleet.imaging.multicast_send#module:start).
      - Templates in it are evaluated for the first of its stations.
    type: dict
    default: {}
  control:
    description:
      - The file on the sender that says when the session begins, as O(fleet.imaging.multicast_send#module:control). What an admin writes
        there stays, whichever stations refuse afterwards.
      - It is evaluated for the host that runs this task, and must be another one for each session.
      - Without it a station that refuses, or lacks nothing, is waited for like one that is late.
    type: path
  send:
    description: Options of M(fleet.imaging.multicast_send). Templates in it are evaluated for the sender.
    type: dict
    default: {}
  receive:
    description:
      - Options of M(fleet.imaging.multicast_receive), or of M(fleet.imaging.image_restore) when there is no session. Templates in it are
        evaluated for each station.
    type: dict
    required: true
  replicate:
    description:
      - Options of M(fleet.core.content_replicate), but for the image, its version and its signers, which are known. Templates in it are
        evaluated for the sender.
    type: dict
    default: {}
  session:
    description: Options of the session that both have, such as C(address). Templates in it are evaluated for each host.
    type: dict
    default: {}
extends_documentation_fragment:
  - fleet.core.attributes
  - fleet.core.attributes.progress
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
author:
  - Fleet contributors (@fleet)
seealso:
  - module: fleet.imaging.multicast_send
  - module: fleet.imaging.multicast_receive
"""

EXAMPLES = r"""
- name: Restore a room together
  fleet.imaging.image_clone:
    sender: relay12
    image: room12
    version: 20261121T083000Z
    allowed_signers: "{{ signers }}"
    session:
      address: 10.12.0.2
    send:
      store: /srv/fleet/content
    receive:
      sources: [https://relay12.example.org/content]
      disk: "{{ fleet_disk_identity }}"
      erase: "{{ fleet_disk_identity }}"
  run_once: true
  register: cloned

- name: Restore the stations of two sites, each by its relay, which gets first what it lacks
  fleet.imaging.image_clone:
    senders:
      relay-paris:
        stations: [pc01, pc02]
        control: /run/fleet/clone-paris.json
        replicate: true
      relay-lyon:
        stations: [pc11, pc12]
        control: /run/fleet/clone-lyon.json
        replicate: true
    image: room12
    version: 20261121T083000Z
    allowed_signers: "{{ signers }}"
    replicate:
      path: /srv/fleet/content
      sources: [https://centre.example.org/content]
    session:
      address: "{{ hostvars[fleet_session_sender].ansible_host }}"
    send:
      store: /srv/fleet/content
    receive:
      sources: "{{ fleet_content_sources }}"
      disk: "{{ fleet_disk_identity }}"
      erase: "{{ fleet_disk_identity }}"
  run_once: true
  register: cloned

- name: Fail for the stations that failed
  ansible.builtin.fail:
    msg: "{{ cloned.stations[inventory_hostname].msg }}"
  when: cloned.stations[inventory_hostname].failed
"""

RETURN = r"""
stations:
  description: By station, the result of its module; C(failed) and C(msg) when it failed.
  returned: always
  type: dict
  sample: {"pc01": {"changed": true, "failed": false, "verified": true, "seconds": 41.4, "sources": {"multicast": 412}}}
senders:
  description:
    - By sender, C(stations), the names of its stations; C(replicated), the result of M(fleet.core.content_replicate), and C(sent), that
      of M(fleet.imaging.multicast_send), either empty when there was none; C(failed), and C(msg) that says why.
  returned: always
  type: dict
  sample:
    relay-paris:
      stations: [pc01, pc02]
      replicated: {"bytes": 412345678}
      sent: {"packets": 291200, "bytes_sent": 419345678, "bytes_unique": 412345678}
      failed: false
      msg: ""
sender:
  description:
    - Of the only sender, the result of M(fleet.imaging.multicast_send); empty when there was no session, when it had to be ended, or when
      there were several.
  returned: always
  type: dict
  sample: {"packets": 291200, "bytes_sent": 419345678, "bytes_unique": 412345678}
sender_name:
  description: Inventory name of the only host that sent; empty when there was no session, or several.
  returned: always
  type: str
  sample: relay12
"""
