# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that are carried along come from Debian's signed lists, and what was tampered with is not taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.environment.debs import Debs
from ansible_collections.fleet.imaging.plugins.module_utils.environment.errors import BuildError
from ansible_collections.fleet.imaging.plugins.module_utils.environment.recipe import Recipe


@pytest.fixture(scope="module")
def debs(tmp_path_factory: pytest.TempPathFactory) -> Debs:
    found = Debs(tmp_path_factory.mktemp("packages"), Recipe().suite, "x86_64")
    found.update()
    return found


def test_a_package_is_fetched_once_checked_and_extracted(debs: Debs, tmp_path: Path) -> None:
    fetched = debs.fetch(["busybox-static"])["busybox-static"]
    assert fetched.version and fetched.path.is_file()
    fetched.extract(tmp_path)
    assert next(tmp_path.glob("**/bin/busybox")).stat().st_size > 1 << 20
    stamp = fetched.path.stat().st_mtime_ns
    assert debs.fetch(["busybox-static"])["busybox-static"].path.stat().st_mtime_ns == stamp
    fetched.path.write_bytes(b"tampered with")
    assert debs.fetch(["busybox-static"])["busybox-static"].path.stat().st_size > 1000


def test_the_kernel_of_a_meta_package_is_found(debs: Debs) -> None:
    assert debs.dependency("linux-image-amd64", "linux-image-").endswith("-amd64")
    with pytest.raises(BuildError, match="no kernel"):
        debs.dependency("linux-image-of-nobody", "linux-image-")


def test_a_package_that_is_not_there_is_named(debs: Debs) -> None:
    with pytest.raises(BuildError, match="no package firmware-of-nobody .*non-free-firmware"):
        debs.fetch(["busybox-static", "firmware-of-nobody"])
