# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from stationdb.accounts.models import Role, Token, User
from stationdb.accounts.perimeter import Perimeter
from stationdb.registry.models import Site

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(settings, db):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def run(monkeypatch):
    def command(*words: str, typed: str = "") -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        out = io.StringIO()
        call_command(*words, stdout=out, stderr=io.StringIO())
        return out.getvalue()

    return command


def test_users_are_added_with_roles_listed_and_disabled(run):
    north = Site.objects.create(slug="north", name="North")
    Role.objects.create(name="reader", rights=["stations.view"])
    run("user", "add", "root", "--administrator", typed=f"{GOOD}\n")
    run("user", "add", "alice", "--role", "reader@north", typed=f"{GOOD}\n")
    run("user", "add", "ansible", "--role", "reader", "--program")
    alice = User.objects.get(username="alice")
    assert alice.check_password(GOOD) and Perimeter.of_user(alice).covers(north.pk, "stations.view")
    assert not User.objects.get(username="ansible").has_usable_password()
    assert run("user", "list").splitlines() == ["alice\treader@north\t-", "ansible\treader\t-", "root\tadministrator\t-"]
    run("user", "disable", "alice")
    assert "alice\treader@north\tdisabled" in run("user", "list")
    run("user", "enable", "alice")
    assert User.objects.get(username="alice").is_active


@pytest.mark.parametrize(
    ("words", "typed", "message"),
    [
        (("add", "bob"), "short\n", "too short"),
        (("add", "bob"), "", "too short"),
        (("add", "alice"), f"{GOOD}\n", "cannot be the name of a user"),
        (("add", "a b;c"), f"{GOOD}\n", "cannot be the name of a user"),
        (
            ("add", "bob", "--role", "king"),
            f"{GOOD}\n",
            "There is no role 'king'. There are: none yet; make one on the site, under Users and roles.",
        ),
        (("passwd", "bob"), f"{GOOD}\n", "There is no user 'bob'"),
        (("disable", "alice"), "", "the last administrator"),
    ],
)
def test_what_is_wrong_changes_nothing(run, words, typed, message):
    User.objects.create_superuser("alice", password="old password")
    with pytest.raises(CommandError, match=message):
        run("user", *words, typed=typed)
    assert User.objects.count() == 1 and User.objects.get().check_password("old password") and User.objects.get().is_active


def test_a_forgotten_password_is_set(run):
    User.objects.create_user("alice", password="old password", must_change_password=True)
    run("user", "passwd", "alice", typed=f"{GOOD}\n")
    assert User.objects.get().check_password(GOOD) and not User.objects.get().must_change_password
    User.objects.create_user("bob", directory="uid=bob")
    with pytest.raises(CommandError, match="signs in through the directory"):
        run("user", "passwd", "bob", typed=f"{GOOD}\n")


def test_no_command_takes_a_password_as_a_word(run):
    for words in (("add", "bob", GOOD), ("passwd", "bob", GOOD), ("add", "bob", "--password", GOOD)):
        with pytest.raises(CommandError, match="unrecognized arguments"):
            run("user", *words)


def test_tokens_are_issued_once_listed_and_revoked(run):
    user = User.objects.create_superuser("ci")
    secret = run("token", "issue", "--user", "ci", "--scope", "stations.view", "--scope", "export", "--days", "3").strip()
    token = Token.find(secret)
    assert token is not None and token.user == user and token.scopes == ["export", "stations.view"]
    listed = run("token", "list")
    assert listed.startswith("ci\ttoken\texport stations.view\tuntil ") and listed.endswith("never used\n") and secret not in listed
    with pytest.raises(CommandError, match="Choose another --name"):
        run("token", "issue", "--user", "ci", "--scope", "export")
    run("token", "revoke", "--user", "ci", "--name", "token")
    assert Token.find(secret) is None and run("token", "list", "--user", "ci") == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("issue", "--user", "nobody", "--scope", "export"), "There is no user 'nobody'"),
        (("issue", "--user", "gone", "--scope", "export"), "is disabled"),
        (("issue", "--user", "ci", "--scope", "everything"), "invalid choice"),
        (("issue", "--user", "ci"), "required: --scope"),
        (("issue", "--user", "ci", "--scope", "export", "--days", "0"), "1 to 3650 days"),
        (("revoke", "--user", "ci", "--name", "x"), "has no token 'x'"),
    ],
)
def test_tokens_that_cannot_be(run, words, message):
    User.objects.create_superuser("ci")
    User.objects.create_user("gone", is_active=False)
    with pytest.raises(CommandError, match=message):
        run("token", *words)
    assert not Token.objects.exists()


def test_at_a_terminal_the_password_is_asked_for_and_not_shown(tmp_path):
    environment = {**os.environ, "STATIONDB_HOME": str(tmp_path), "STATIONDB_DATABASE_URL": ""}
    stationdb = [sys.executable, "-m", "stationdb"]
    subprocess.run([*stationdb, "migrate", "--verbosity", "0"], env=environment, check=True)
    terminal, end = pty.openpty()
    with subprocess.Popen([*stationdb, "user", "add", "alice"], env=environment, stdin=end, stdout=end, stderr=end, start_new_session=True):
        os.close(end)
        shown = b""
        for question in (b"Password of alice: ", b"The same again: "):
            while not shown.endswith(question):
                shown += os.read(terminal, 1000)
            os.write(terminal, f"{GOOD}\n".encode())
            shown += b"\n"
        while b"was added" not in shown:
            shown += os.read(terminal, 1000)
    os.close(terminal)
    assert GOOD.encode() not in shown
