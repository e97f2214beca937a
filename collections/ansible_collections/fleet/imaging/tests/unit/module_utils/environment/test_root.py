# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cached root is named by its recipe, complete when it is there, and nothing when its building failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress
from ansible_collections.fleet.imaging.plugins.module_utils.environment import recipe as recipes
from ansible_collections.fleet.imaging.plugins.module_utils.environment import sources
from ansible_collections.fleet.imaging.plugins.module_utils.environment.recipe import Recipe
from ansible_collections.fleet.imaging.plugins.module_utils.environment.root import RootCache


def test_a_changed_recipe_is_another_root(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe()
    digests = {recipe.digest(), Recipe().digest()}
    assert len(digests) == 1
    digests |= {replace(recipe, packages=(*recipe.packages, "nano")).digest(), replace(recipe, suite="trixie").digest()}
    monkeypatch.setitem(recipes.FILES, "etc/motd", (0o644, "hello"))
    digests.add(recipe.digest())
    monkeypatch.setattr(recipes, "QUIET", ())
    digests.add(recipe.digest())
    assert len(digests) == 5


def test_a_root_that_is_there_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, recipe = RootCache(tmp_path), Recipe()
    cache.path(recipe).mkdir(parents=True)
    monkeypatch.setenv("PATH", "")
    assert cache.ensure(recipe, Progress()) == cache.path(recipe)


def test_a_build_that_fails_leaves_no_root_and_clears_the_build_that_was_killed_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, recipe = RootCache(tmp_path), Recipe()
    (cache.folder / "building-killed" / "root").mkdir(parents=True)
    monkeypatch.setattr(sources, "debian", lambda suite: [f"deb file:///no/such/mirror {suite} main"])
    with pytest.raises(ToolError, match=r"(?s)/no/such/mirror.*Check the package sources and the network"):
        cache.ensure(recipe, Progress())
    assert sorted(path.name for path in cache.folder.iterdir()) == [".lock", "packages"]


def test_stations_of_the_real_root_share_no_secret_and_start_nothing_unasked(cache: Path) -> None:
    built = RootCache(cache).ensure(Recipe(), Progress())
    assert not list(built.glob("etc/ssh/ssh_host_*"))
    wants = {path.name for path in built.glob("etc/systemd/system/*.wants/*")}
    assert "ssh.service" in wants and "partition-nodes.service" in wants
    assert not wants & set(recipes.QUIET)
    assert (built / "usr/sbin/nginx").exists() and (built / "usr/sbin/partclone.ext4").exists()
