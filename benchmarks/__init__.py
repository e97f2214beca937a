# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks: what a capture, a restore and a delta cost, beside the tools that admins use today.

capture, restore, delta   one benchmark each: methods, ratios, notes
data, drift               the disk that is captured, and what happens to it in use
disks, server             loop disks, and nginx in front of what was captured
ours, peers               the command of each method
measure                   what a command costs: CPU, wall time, memory
memory                    what our memory does on a disk of 200 GiB
bench                     the scratch folder of one run, and rounds in which all methods take turns
report                    medians, ratios, goals, the table, the JSON
"""
