# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import statistics
import threading
import time
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.db import close_old_connections, connection
from django.test import RequestFactory
from django.utils import timezone

from stationdb.accounts import slowing
from stationdb.accounts.forms import SignInForm
from stationdb.accounts.models import Attempts, User
from stationdb.accounts.slowing import FREE, MAX_WAIT, attempt, keys_of, wait_after

HOME, CAFE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def quick(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db) -> User:
    return User.objects.create_user("alice", password="a long enough secret")


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = timezone.now()

        def passes(self, span: timedelta) -> None:
            self.now += span

    clock = Clock()
    monkeypatch.setattr(slowing.timezone, "now", lambda: clock.now)
    return clock


def sign_in(name: str, password: str, address: str = HOME) -> User | None:
    return authenticate(RequestFactory().post("/", REMOTE_ADDR=address), username=name, password=password)  # type: ignore[return-value]


def test_a_right_password_signs_in_at_once_as_often_as_one_likes(alice):
    for _time in range(30):
        assert sign_in("alice", "a long enough secret") == alice
    assert sign_in("alice", "wrong") is None
    assert sign_in("alice", "") is None
    assert sign_in("alice", "a long enough secret") == alice


def test_each_failure_doubles_the_wait_and_the_right_password_waits_as_well(alice, clock):
    for _time in range(FREE["account"] + 1):
        assert sign_in("alice", "guess") is None
    assert sign_in("alice", "a long enough secret") is None, "not even looked at"
    clock.passes(timedelta(seconds=1))
    assert sign_in("alice", "guess") is None
    clock.passes(timedelta(seconds=1))
    assert sign_in("alice", "a long enough secret") is None
    clock.passes(timedelta(seconds=1))
    assert sign_in("alice", "a long enough secret") == alice
    assert sign_in("alice", "guess") is None
    assert sign_in("alice", "a long enough secret") == alice, "a success forgets the failures"


def test_guesses_from_many_addresses_slow_the_account(alice, clock):
    for number in range(FREE["account"] + 1):
        assert sign_in("alice", "guess", f"203.0.113.{number}") is None
    assert sign_in("Alice ", "a long enough secret", "203.0.113.99") is None


def test_many_accounts_from_one_address_slow_the_address(alice, clock):
    for number in range(FREE["address"] + 1):
        assert sign_in(f"user{number}", "guess", CAFE) is None
    assert sign_in("alice", "a long enough secret", CAFE) is None
    assert sign_in("alice", "a long enough secret", HOME) == alice
    ours = [f"2001:db8::{number:x}" for number in range(FREE["address"] + 1)]
    for number, address in enumerate(ours):
        assert sign_in(f"user{number}", "guess", address) is None
    assert sign_in("alice", "a long enough secret", "2001:db8::ffff") is None, "all addresses of a network are one"
    assert sign_in("alice", "a long enough secret", "2001:db8:0:1::1") == alice


def test_nobody_is_kept_out_of_where_they_always_sign_in(alice, clock):
    assert sign_in("alice", "a long enough secret", HOME) == alice
    for number in range(40):
        sign_in("alice", "guess", f"203.0.113.{number}")
        clock.passes(MAX_WAIT)
    assert sign_in("alice", "guess", "203.0.113.99") is None
    assert sign_in("alice", "a long enough secret", CAFE) is None
    assert sign_in("alice", "a long enough secret", HOME) == alice


def test_no_wait_is_longer_than_five_minutes_and_an_hour_without_attempts_ends_it(alice, clock):
    assert [wait_after(number).total_seconds() for number in (0, 1, 2, 5, 9, 10, 1000)] == [0, 1, 2, 16, 256, 300, 300]
    for _time in range(60):
        sign_in("alice", "guess")
        clock.passes(timedelta(minutes=6))
    sign_in("alice", "guess")
    clock.passes(MAX_WAIT)
    assert sign_in("alice", "a long enough secret") == alice
    for _time in range(FREE["account"] + 5):
        sign_in("alice", "guess")
    clock.passes(timedelta(hours=2))
    sign_in("alice", "guess")
    assert sign_in("alice", "a long enough secret") == alice


def test_the_form_says_how_long_to_wait(alice, clock):
    for _time in range(FREE["account"] + 1):
        sign_in("alice", "guess")
    form = SignInForm(RequestFactory().post("/", REMOTE_ADDR=HOME), {"username": "alice", "password": "a long enough secret"})
    assert not form.is_valid()
    assert "Try again in 1 second." in str(form.errors)
    assert "Please enter a correct" in str(SignInForm(RequestFactory().post("/"), {"username": "bob", "password": "x"}).errors)


def test_what_was_typed_cannot_be_read_in_the_database(alice):
    sign_in("my password typed as a name", "x")
    assert "password" not in str(list(Attempts.objects.values_list("key", flat=True)))
    assert keys_of("Alice", HOME) == keys_of("ａlice ", HOME) != keys_of("alicia", HOME)


def test_old_rows_go(alice, clock):
    for number in range(10):
        sign_in(f"user{number}", "x", f"203.0.113.{number}")
    clock.passes(timedelta(hours=3))
    sign_in("alice", "a long enough secret")
    assert Attempts.objects.count() <= 3


def test_unknown_disabled_and_known_users_take_as_long(settings, db):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
    User.objects.create_user("alice", password="a long enough secret")
    User.objects.create_user("gone", password="another long secret", is_active=False)
    User.objects.create_user("program")

    def seconds(name: str) -> float:
        Attempts.objects.all().delete()
        started = time.process_time()
        assert sign_in(name, "guess") is None
        return time.process_time() - started

    known = statistics.median(seconds("alice") for _time in range(3))
    for name in ("nobody", "gone", "program"):
        assert 0.6 * known < statistics.median(seconds(name) for _time in range(3)) < 1.6 * known


def test_a_name_of_any_characters_is_only_a_name(db):
    for name in ("x" * 10_000, "\x00", "é😀", "' or 1=1 --", "\ud800"):
        assert attempt(name, "no address").wait == timedelta()


def test_a_row_that_is_forgotten_at_this_moment_is_made_again(db, monkeypatch):
    made = Attempts.objects.get_or_create

    def forgotten_once(**given):
        found = made(**given)
        monkeypatch.undo()
        Attempts.objects.all().delete()
        return found

    monkeypatch.setattr(Attempts.objects, "get_or_create", forgotten_once)
    assert not attempt("alice", HOME).refused
    assert Attempts.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_many_attempts_at_once_count_as_many():
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads share the connection of a database in memory")
    allowed, barrier = [], threading.Barrier(12)

    def guess() -> None:
        barrier.wait()
        allowed.append(not attempt("alice", HOME).refused)
        close_old_connections()
        connection.close()

    threads = [threading.Thread(target=guess) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == FREE["account"] + 1
