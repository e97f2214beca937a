# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initramfs of an installed system, made again by the system's own tools.

They run confined: only the system's own files, processes and network of their own (none), and no privilege that reaches out of a chroot.
The image is signed by somebody of the site, but what runs here runs beside the disks of the imaging environment.
"""

from __future__ import annotations

import sys

from ansible_collections.fleet.core.plugins.module_utils.command import run
from ansible_collections.fleet.core.plugins.module_utils.errors import ToolError

from .system import System
from .tree import Tree
from .volume import InstalledError

_TOOLS = {
    "usr/sbin/update-initramfs": ("/usr/sbin/update-initramfs", "-u", "-k", "all"),
    "usr/bin/dracut": ("/usr/bin/dracut", "--regenerate-all", "--force"),
}
_LIMIT = 1800
"""Seconds."""

_PREPARE = """\
set -e
root=$1; shift
mount -t tmpfs -o mode=755,nosuid,size=1m dev "$root/dev"
for node in null zero full random urandom tty; do
    : > "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t proc -o ro,nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sys "$root/sys" || true
mount -t tmpfs -o nosuid,nodev run "$root/run"
exec "$@"
"""
"""/proc can only be read: who is root needs no capability to write /proc/sys/kernel/core_pattern, which the host's kernel would run."""

_CONFINE = """\
import ctypes, os, sys
root, *argv = sys.argv[1:]
keep = {0, 1, 3, 4, 6, 7}  # CAP_CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID, SETUID (linux/capability.h)
libc = ctypes.CDLL(None, use_errno=True)
os.chroot(root)  # from here on nothing may be imported: it would come from the installed system, and still have all capabilities
os.chdir("/")
for number in range(64):
    if number not in keep and libc.prctl(24, number, 0, 0, 0) and number < 38:  # PR_CAPBSET_DROP
        sys.exit("cannot give up capability %d" % number)
if libc.prctl(38, 1, 0, 0, 0):  # PR_SET_NO_NEW_PRIVS
    sys.exit("cannot give up new privileges")
os.execve(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root", "TMPDIR": "/var/tmp"})
"""

_APART = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts", "--")


def is_there(tree: Tree) -> bool:
    """Whether the system has an initramfs at all, and not only a kernel that the outside starts."""
    return any(name.startswith(("initrd", "initramfs")) for name in tree.names("boot"))


def tool(tree: Tree) -> tuple[str, ...]:
    """The command that makes the system's initramfs; empty when it is of no kind that is known."""
    return next((argv for path, argv in _TOOLS.items() if tree.is_file(path)), ())


def make(system: System) -> None:
    """Make every initramfs of the system again. Raises InstalledError, with what the tool said."""
    tree = system.tree
    argv = tool(tree)
    if not argv:
        raise InstalledError(
            f"The initramfs of {system.installation.name} must be made again, but it has neither update-initramfs nor dracut",
            remedy="Do it in a hook of the site, or do not ask for new identifiers",
        )
    for folder in ("dev", "proc", "sys", "run"):
        if tree.resolve(folder) != folder or not tree.is_folder(folder):
            raise InstalledError(f"/{folder} of the installed system is not a folder", remedy="Correct the model and capture it again")
    root = str(tree.root)
    python = [sys.executable, "-I", "-c", _CONFINE, root, *argv]
    try:
        run([*_APART, "sh", "-c", _PREPARE, "sh", root, *python], timeout=_LIMIT, killable=True)
    except ToolError as error:
        raise InstalledError(f"The initramfs could not be made again: {error}", remedy="It is made at the next run") from error
