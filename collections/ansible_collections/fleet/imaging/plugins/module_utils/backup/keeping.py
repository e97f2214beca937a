# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions stay in a local backup: by count and by age, as content_prune has them, and always the one being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ansible_collections.fleet.core.plugins.module_utils.content.manifest import Manifest, ManifestError
from ansible_collections.fleet.core.plugins.module_utils.content.prune import Retention, prune
from ansible_collections.fleet.core.plugins.module_utils.content.store import ChunkStore, ManifestRef


@dataclass
class Gone:
    """What went."""

    versions: list[str] = field(default_factory=list)
    chunks: int = 0


@dataclass(frozen=True)
class Keeping:
    """What stays: what any rule keeps; all, without a rule."""

    last: Optional[int] = None
    """The newest versions of each image, the one being written among them."""
    days: Optional[float] = None
    """Those captured within so many days."""

    def prune(self, store: ChunkStore, ref: ManifestRef, manifest: Manifest) -> Gone:
        """Remove the rest. ref, listed or on its way: the version that stays in any case. StoreError when the store is in use."""
        gone = Gone()
        known = [(ref, manifest)]
        for other in list(store.manifests()):
            try:
                known += [(other, store.load(other))] if other != ref else []
            except ManifestError:  # nobody can restore it, and while it is there nothing can be pruned
                Path(store.root / other.path()).unlink()
                gone.versions.append(str(other))
        stays = Retention(last=self.last, days=self.days).kept(known) | {ref}
        done = prune(store, Retention(keep=[f"{each.kind}/{each.name}/{each.version}" for each in sorted(stays)]), allow_empty=True)
        gone.versions += done.manifests
        gone.chunks = done.chunks
        return gone
