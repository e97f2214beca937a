# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stationdb.accounts import ldap
from stationdb.accounts.models import Assignment, Role, User
from stationdb.registry.models import Site

from .directory import BASE, READER, SECRET, directory


@pytest.fixture(scope="module")
def server():
    with directory() as running:
        yield running


@pytest.fixture
def by_reader(server, monkeypatch, settings, db):
    """Users are looked for by a reader, over ldaps."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    (server.folder / "password").write_text(f"{SECRET}\n")
    configure(
        monkeypatch,
        URL=f"ldaps://localhost:{server.tls}",
        CA=str(server.ca),
        BASE=BASE,
        READER=READER,
        READER_PASSWORD_FILE=str(server.folder / "password"),
    )
    return monkeypatch


def configure(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"STATIONDB_LDAP_{name}", value)


def sign_in(name: str, password: str) -> User | None:
    number = abs(hash((name, password))) % 250
    return authenticate(RequestFactory().post("/", REMOTE_ADDR=f"192.0.2.{number}"), username=name, password=password)  # type: ignore[return-value]


def test_who_the_directory_knows_signs_in_and_has_an_account_without_a_password(by_reader):
    assert sign_in("alice", "wrong") is None
    assert not User.objects.exists()
    alice = sign_in("Alice", "alice's secret")
    assert alice is not None
    assert (alice.username, alice.last_name, alice.email) == ("alice", "Lidell", "alice@example.org")
    assert alice.directory == f"uid=alice,ou=people,{BASE}" and not alice.has_usable_password()
    assert sign_in("ALICE", "alice's secret") == alice
    assert User.objects.count() == 1


def test_whoever_is_disabled_there_or_here_stays_outside(by_reader):
    assert sign_in("carol", "carol's secret") is None
    bob = sign_in("bob", "bob's secret")
    assert bob is not None
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert sign_in("bob", "bob's secret") is None


def test_an_account_of_this_database_cannot_be_taken_over_through_the_directory(by_reader):
    User.objects.create_superuser("admin", password="of this database")
    User.objects.create_user("bob")  # a program, with tokens only
    assert sign_in("admin", "admin's secret") is None
    assert sign_in("ADMIN", "admin's secret") is None
    assert sign_in("bob", "bob's secret") is None
    assert sign_in("admin", "of this database") is not None


def test_an_empty_password_is_never_right(by_reader):
    assert sign_in("alice", "") is None
    assert ldap.user_of("alice", "") is None


@pytest.mark.parametrize(
    "name", ["*", "a*", "alice)(uid=*", "*)(|(uid=*", "alice\x00", "alice,ou=people", "(uid=alice)", "\\2a", "uid=alice"]
)
def test_a_name_is_no_filter(by_reader, name):
    assert ldap.user_of(name, "alice's secret") is None
    configure(by_reader, USER=f"uid={{name}},ou=people,{BASE}")
    assert ldap.user_of(name, "alice's secret") is None


def test_binding_as_the_user_needs_no_reader(server, monkeypatch, db):
    configure(monkeypatch, URL=f"ldap://localhost:{server.plain}", CA=str(server.ca), USER=f"uid={{name}},ou=people,{BASE}")
    alice = ldap.user_of("alice", "alice's secret")
    assert alice is not None and alice.first_name == "Alice"
    assert ldap.user_of("alice", "wrong") is None
    assert ldap.user_of("nobody", "wrong") is None


def test_a_server_without_the_right_certificate_is_told_no_password(by_reader, server, caplog):
    for wrong in ({"CA": str(server.other_ca)}, {"URL": f"ldaps://127.0.0.1:{server.tls}"}):
        with pytest.MonkeyPatch.context() as patch:
            configure(patch, **wrong)
            assert ldap.user_of("alice", "alice's secret") is None
    configure(by_reader, URL=f"ldap://localhost:{server.plain}", CA=str(server.other_ca))
    assert ldap.user_of("alice", "alice's secret") is None
    assert caplog.text.count("Nobody can sign in through LDAP") == 3
    configure(by_reader, CA=str(server.ca))
    assert ldap.user_of("alice", "alice's secret") is not None, "StartTLS with the right one"


def test_without_encryption_only_when_it_is_said(by_reader, server, caplog):
    configure(by_reader, URL=f"ldap://localhost:{server.plain}", TLS="off", CA="/nowhere")
    assert ldap.user_of("alice", "alice's secret") is not None
    configure(by_reader, TLS="no")
    assert ldap.user_of("alice", "alice's secret") is None
    assert "TLS is starttls, or off" in caplog.text


def test_a_directory_that_is_gone_leaves_local_accounts_alone(by_reader, caplog):
    User.objects.create_user("local", password="of this database")
    configure(by_reader, URL="ldaps://localhost:1")
    assert sign_in("alice", "alice's secret") is None
    assert sign_in("local", "of this database") is not None
    assert "Nobody can sign in through LDAP" in caplog.text
    configure(by_reader, READER_PASSWORD_FILE="/nowhere")
    assert sign_in("bob", "bob's secret") is None


def test_groups_of_the_directory_give_and_take_roles(by_reader, server):
    north = Site.objects.create(slug="north", name="North")
    for name in ("technician", "reader", "by_hand"):
        Role.objects.create(name=name, rights=["stations.view"])
    roles = server.folder / "roles.json"
    technicians, readers = f"cn=technicians,ou=groups,{BASE}", f"CN=Readers,ou=groups,{BASE}"
    roles.write_text(
        json.dumps({technicians: [{"role": "technician", "site": "north"}, {"role": "missing"}], readers: [{"role": "reader"}]})
    )
    configure(by_reader, ROLES=str(roles))

    def given(name: str) -> set[tuple[str, object]]:
        assert ldap.user_of(name, f"{name}'s secret") is not None
        return set(Assignment.objects.filter(user__username=name).values_list("role__name", "site"))

    assert given("alice") == {("technician", north.pk), ("reader", None)}
    assert given("bob") == {("reader", None)}
    Assignment.objects.create(user=User.objects.get(username="bob"), role=Role.objects.get(name="by_hand"))
    Assignment.objects.create(user=User.objects.get(username="bob"), role=Role.objects.get(name="technician"), site=north)
    assert given("bob") == {("reader", None), ("by_hand", None)}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"URL": "http://x", "BASE": BASE}, "URL is ldaps://server"),
        ({"URL": "ldaps://", "BASE": BASE}, "URL is ldaps://server"),
        ({"URL": "ldaps://[", "BASE": BASE}, "URL is ldaps://server"),
        ({"URL": "ldaps://x:99999", "BASE": BASE}, "URL is ldaps://server"),
        ({"URL": "ldaps://x"}, "Set STATIONDB_LDAP_BASE"),
        ({"URL": "ldaps://x", "BASE": BASE, "USER": "uid=x"}, "USER has no {name}"),
        ({"URL": "ldaps://x", "BASE": BASE, "FILTER": "(uid=x)"}, "FILTER has no {name}"),
        ({"URL": "ldap://x", "BASE": BASE, "TLS": "maybe"}, "TLS is starttls"),
        ({"URL": "ldaps://x", "BASE": BASE, "READER": "cn=x"}, "READER_PASSWORD_FILE"),
        ({"URL": "ldaps://x", "BASE": BASE, "ROLES": "/etc/hostname"}, "is not like"),
        ({"URL": "ldaps://x", "BASE": BASE, "ROLES": "/nowhere"}, "ROLES"),
    ],
)
def test_settings_that_are_wrong_say_what(environment, message):
    with pytest.raises(ImproperlyConfigured, match=message.replace("{", "\\{")):
        ldap.settings({f"STATIONDB_LDAP_{name}": value for name, value in environment.items()})


def test_without_an_url_there_is_no_directory():
    assert ldap.settings({"STATIONDB_LDAP_BASE": BASE}) is None


@hypothesis_settings(max_examples=50, deadline=None)
@given(st.text(max_size=20))
def test_settings_of_any_url_are_settings_or_an_error(text):
    try:
        ldap.settings({"STATIONDB_LDAP_URL": text, "STATIONDB_LDAP_BASE": BASE})
    except ImproperlyConfigured as error:
        assert "STATIONDB_LDAP_" in str(error)
