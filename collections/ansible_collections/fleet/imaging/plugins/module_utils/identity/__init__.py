# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a restored system this station's own, and not a second model.

``request`` is what a station should be. ``names``, ``machine``, ``bindings``, ``address``, ``values`` and ``hostkeys`` each stage the
changes of one thing in the installed system's tree; ``identifiers`` and ``groups`` give filesystems, partitions and volume groups
identifiers of their own, ``hooks`` runs what the site adds. ``station`` does all of it in order: look, stage, apply, and say what changed.
"""
