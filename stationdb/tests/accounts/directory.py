# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real directory for tests: slapd of Debian's packages on loopback with a certificate of its own, gone afterwards."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

BASE = "dc=example,dc=org"
READER = f"cn=reader,{BASE}"
SECRET = "the reader's secret"


@dataclass(frozen=True)
class Directory:
    """A running server."""

    plain: int
    """Port of ldap://, which offers StartTLS."""
    tls: int
    """Port of ldaps://."""
    ca: Path
    other_ca: Path
    """Of a certificate that is not the server's."""
    folder: Path


def person(uid: str, name: str, password: str, **more: str) -> str:
    """An entry."""
    lines = {"sn": name, "cn": name, "givenName": uid.title(), "mail": f"{uid}@example.org", "userPassword": password, **more}
    return "\n".join(
        [
            f"dn: uid={uid},ou=people,{BASE}",
            "objectClass: inetOrgPerson",
            "objectClass: extensibleObject",
            f"uid: {uid}",
            *(f"{key}: {value}" for key, value in lines.items()),
            "",
            "",
        ]
    )


ENTRIES = (
    f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n"
    f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
    f"dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups\n\n"
    f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: {SECRET}\n\n"
    + person("alice", "Lidell", "alice's secret")
    + person("bob", "Builder", "bob's secret")
    + person("carol", "Gone", "carol's secret", description="x", nsAccountLock="TRUE")
    + person("admin", "Impostor", "admin's secret")
    + f"dn: cn=technicians,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: technicians\nmember: uid=alice,ou=people,{BASE}\n\n"
    f"dn: cn=readers,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: readers\nmember: uid=alice,ou=people,{BASE}\n"
    f"member: uid=bob,ou=people,{BASE}\n\n"
)

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'nsAccountLock' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
argsfile {folder}/args
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by self read by anonymous auth by * none
"""


@contextmanager
def directory() -> Iterator[Directory]:
    """Start it. RuntimeError when it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="stationdb-slapd-"))
    process = None
    try:
        (folder / "data").mkdir()
        _certificates(folder)
        (folder / "slapd.conf").write_text(CONFIGURATION.format(folder=folder, base=BASE, reader=READER))
        _run("slapadd", "-f", "slapd.conf", folder=folder, given=ENTRIES)
        plain, tls = free_port(), free_port()
        process = subprocess.Popen(
            ["/usr/sbin/slapd", "-f", "slapd.conf", "-d", "0", "-h", f"ldap://127.0.0.1:{plain}/ ldaps://127.0.0.1:{tls}/"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"),
        )
        deadline = time.monotonic() + 60
        while not (_listens(plain) and _listens(tls)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"slapd did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield Directory(plain, tls, folder / "ca.pem", folder / "other.pem", folder)
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _certificates(folder: Path) -> None:
    for name in ("ca", "other"):
        _run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=Tests {name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
            folder=folder,
        )
    _run(
        "openssl",
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
        folder=folder,
    )
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    _run(
        *("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"),
        *("-extfile", "names", "-out", "server.pem"),
        folder=folder,
    )


def _run(*argv: str, folder: Path, given: str = "") -> None:
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    done = subprocess.run(argv, cwd=folder, input=given, capture_output=True, text=True, check=False, env={"PATH": path, "LC_ALL": "C"})
    if done.returncode:
        raise RuntimeError(f"{argv[0]} failed: {done.stderr or done.stdout}")


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
