# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of an installed system are read and changed without ever leaving its root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.fleet.imaging.plugins.module_utils.installed.tree import Tree, TreeError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("model\n")
    (tmp_path / "secret").write_text("outside\n")
    return root


@pytest.mark.parametrize(
    "target, resolved",
    [
        ("/etc/hostname", "etc/hostname"),
        ("hostname", "etc/hostname"),
        ("../../../../../../etc/hostname", "etc/hostname"),
        ("/../../secret", "secret"),
        ("./x/../hostname", "etc/hostname"),
    ],
)
def test_links_are_followed_as_the_system_itself_would(target: str, resolved: str, root: Path) -> None:
    (root / "etc/link").symlink_to(target)
    assert Tree(root).resolve("/etc/link") == resolved


def test_a_linked_folder_leads_nowhere_outside(root: Path, tmp_path: Path) -> None:
    (root / "etc/away").symlink_to(tmp_path)
    tree = Tree(root)
    assert tree.read("etc/away/secret") is None and tree.names("etc/away") == []
    tree.write("etc/away/secret", b"x")
    tree.apply()
    assert (tmp_path / "secret").read_text() == "outside\n"


def test_circles_and_what_is_no_folder_are_refused(root: Path) -> None:
    (root / "etc/a").symlink_to("b")
    (root / "etc/b").symlink_to("a")
    with pytest.raises(TreeError, match="circle of links"):
        Tree(root).read("etc/a")
    with pytest.raises(TreeError, match="is not a folder"):
        Tree(root).read("etc/hostname/x")


def test_what_is_staged_is_read_back_and_nothing_is_written_before_apply(root: Path) -> None:
    tree = Tree(root)
    tree.write("etc/hostname", b"pc07\n")
    tree.write("etc/new/file", b"x", mode=0o600)
    tree.remove("etc/absent")
    assert tree.read("etc/hostname") == b"pc07\n" and (root / "etc/hostname").read_text() == "model\n"
    assert [change.path for change in tree.changes()] == ["etc/hostname", "etc/new/file"]
    tree.apply()
    assert (root / "etc/hostname").read_text() == "pc07\n" and (root / "etc/new/file").stat().st_mode & 0o777 == 0o600
    assert tree.changes() == []


def test_a_change_back_is_no_change_and_owner_mode_and_attributes_stay(root: Path) -> None:
    path = root / "etc/hostname"
    os.chmod(path, 0o640)
    os.chown(path, 7, 8)
    os.setxattr(path, "user.label", b"system_u")
    tree = Tree(root)
    tree.write("etc/hostname", b"pc07\n")
    tree.write("etc/hostname", b"model\n")
    assert tree.changes() == []
    tree.write("etc/hostname", b"pc07\n")
    tree.apply()
    status = path.stat()
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, 7, 8)
    assert os.getxattr(path, "user.label") == b"system_u"


def test_a_link_to_nothing_or_to_what_does_not_last_is_replaced_itself(root: Path) -> None:
    (root / "run").mkdir()
    (root / "run/machine-id").write_text("x")
    (root / "etc/machine-id").symlink_to("/run/machine-id")
    (root / "etc/dangling").symlink_to("/nowhere/at/all")
    tree = Tree(root)
    tree.write("etc/machine-id", b"new")
    tree.write("etc/dangling", b"new")
    tree.apply()
    assert not (root / "etc/machine-id").is_symlink() and (root / "run/machine-id").read_text() == "x"
    assert not (root / "etc/dangling").is_symlink() and not (root / "nowhere").exists()


def test_files_that_not_everybody_may_read_are_not_shown_in_a_diff(root: Path) -> None:
    (root / "etc/wifi").write_text("psk=hunter2\n")
    (root / "etc/wifi").chmod(0o600)
    tree = Tree(root)
    tree.write("etc/wifi", b"psk=hunter2\nmac=\n")
    tree.write("etc/hostname", b"pc07\n")
    assert "hunter2" not in repr([change.diff() for change in tree.changes()])
    assert "pc07" in repr([change.diff() for change in tree.changes()])


def test_what_a_cut_left_beside_a_file_does_no_harm(root: Path) -> None:
    os.mkfifo(root / "etc/hostname.fleet-new")
    tree = Tree(root)
    tree.write("etc/hostname", b"pc07\n")
    tree.apply()
    assert (root / "etc/hostname").read_text() == "pc07\n" and not (root / "etc/hostname.fleet-new").exists()
    assert tree.files("etc") == ["etc/hostname"]


CUT = """
import os, sys
from pathlib import Path
from ansible_collections.fleet.imaging.plugins.module_utils.installed.tree import Tree
root, stop = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def counted(real):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == stop:
            os._exit(99)
        return real(*arguments, **options)
    return call
os.fsync, os.replace, os.rename, os.fchmod = (counted(each) for each in (os.fsync, os.replace, os.rename, os.fchmod))
tree = Tree(root)
tree.write("etc/hostname", b"pc07\\n" * 1000)
tree.write("etc/other", b"other\\n")
tree.apply()
"""


def test_a_cut_anywhere_leaves_each_file_old_or_new(root: Path) -> None:
    (root / "etc/hostname").write_text("model\n" * 1000)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[7])}
    for stop in range(1, 20):
        done = subprocess.run([sys.executable, "-c", CUT, str(root), str(stop)], env=environment, check=False)
        assert (root / "etc/hostname").read_text() in ("model\n" * 1000, "pc07\n" * 1000)
        other = root / "etc/other"
        assert not other.exists() or other.read_text() == "other\n"
        if done.returncode == 0:
            break
        (root / "etc/hostname").write_text("model\n" * 1000)
        other.unlink(missing_ok=True)
    assert done.returncode == 0 and stop > 4
    assert (root / "etc/hostname").read_text() == "pc07\n" * 1000
