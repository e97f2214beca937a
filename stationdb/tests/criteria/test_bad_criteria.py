# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stationdb.accounts.perimeter import Perimeter
from stationdb.content.models import Image
from stationdb.criteria import CriteriaError, compile, pointed
from stationdb.criteria.membership import stations_of
from stationdb.criteria.syntax import MAX_LENGTH, parse
from stationdb.registry.models import Group, Station

from .conftest import within

EVERYTHING = Perimeter.everything()

# The wrong part is between ‹ and ›; both are removed before the text is used.
WRONG = [
    ("‹nome› = pc1", "There is no field “nome”. Did you mean name?"),
    ("ram < 8 GiB and ‹sofware› = x", "Did you mean software"),
    ("‹xyzzy› = 1", "There are: name, site,"),
    ("‹xyzzy› = 1", "user, software, variables.NAME."),
    ("‹variables.é› = 1", "Write variables.NAME"),
    ("ram < ‹8›", "A unit is missing after “8”. Write one of KB, MB"),
    ("ram < ‹8 iB›", "“8 iB” is not a size"),
    ("ram < ‹lots›", "“lots” is not a size"),
    ("ram < ‹999999999999999 TiB›", "too large"),
    ("cores > ‹four›", "“four” is not a whole number"),
    ("cores > ‹-1›", "is not a whole number"),
    ("cores > ‹99999999999›", "is not a whole number"),
    ("tag ‹<› ALPHA", "“<” does not go with tag. Use one of = != ~ !~ in not in."),
    ("last_seen ‹~› 2026", "does not go with last_seen"),
    ("state = ‹broken›", "“broken” is no state. It is one of new, ready, repair, retired."),
    ("kind = ‹pc›", "It is one of station, model, relay, store."),
    ("uuid = ‹12›", "“12” is not a UUID"),
    ("mac = ‹52:54›", "is not the MAC address"),
    ("address = ‹10.1.2›", "neither an address nor a network"),
    ("address in ‹10.1.2.3/8›", "neither an address nor a network"),
    ("address in ‹2001:db8::1/32›", "neither an address nor a network"),
    ("model = ‹golde›", "There is no station “golde” that you may see. Did you mean golden?"),
    ('image = ‹"debian13 2026.11"›', "There is no image “debian13 2026.11” that you may see."),
    ("last_seen < ‹soon›", "“soon” is not a time. Write it as 30 days ago"),
    ("last_seen < ‹2026-02-30›", "is not a time"),
    ("last_seen < ‹999999 years ago›", "is not a time"),
    ("last_seen > ‹9999-12-31›", "is not a time"),
    ("last_seen = ‹3 hours ago›", "Use < or >"),
    ("last_seen < ‹never›", "“never” goes with ="),
    ("site = ‹nort›", "There is no site “nort” that you may see. Did you mean north"),
    ("group(small, ‹smal›)", "There is no group “smal” that you may see. Did you mean small"),
    ("‹tag›(x)", "is not followed by parentheses"),
    ("has ‹state›", "Every station has state"),
    ("‹ram›", "“ram” is a field; its operator is missing"),
    ("tag = a and ‹variables.room›", "its operator is missing. Write variables.room = … or has variables.room, or quote it"),
    ("pc1 ‹variables.room› B12", "is a field; its operator is missing"),
    ("‹variables.é›", "There is no field “variables.é”. Write variables.NAME"),
    ("tag ‹==› ALPHA", "“==” is no operator. Write =."),
    ("ram ‹=<› 8 GiB", "“=<” is no operator. Write <=."),
    ("ram ‹=>› 8 GiB", "Write >=."),
    ("tag ‹<>› ALPHA", "Write !=."),
    ('software "x" ‹=~› 3', "Write ~."),
    ('tag = "a == b" and ram ‹==› 8 GiB', "“==” is no operator"),
    ("software‹›", "The name of a software is missing after “software”. Write it as software “libreoffice” < 24.2."),
    ("software ~‹›", "The name of a software is missing after “~”."),
    ("software ‹and› tag = a", "The name of a software is missing after “software”."),
    ("has‹›", "A field is missing after “has”. Write it as has serial."),
    ("‹name› pc1", "is a field; its operator is missing"),
    ("pc1 tag ‹=› ALPHA", "“and” or “or” is missing before “=”"),
    ("manufacturer = Dell ‹Inc.›", 'Or put quotes around a text with spaces: "Dell Inc.".'),
    ('tag = "a" ‹b›', "“and” or “or” is missing before “b”"),
    ('tag = ‹"›abc', "This quote is not closed"),
    ("tag = l‹'›agence", "This quote is not closed"),
    ("‹(›tag = a or (tag = b)", "This parenthesis is not closed"),
    ("tag = a‹)›", "This parenthesis closes none"),
    ("tag =‹›", "A value is missing after “=”"),
    ("tag = ‹and› state = new", "A value is missing after “=”"),
    ("tag = a and‹›  ", "A condition is missing after “and”"),
    ("‹or› tag = a", "Criteria cannot begin with “or”"),
    ("name ‹not› pc1", "“in” is missing"),
    ("group(‹)›", "A value is missing"),
    ("‹!›", "has no meaning here"),
    ("name = a‹,› b", "missing before “,”"),
    ("software ‹<› 3", "A software's name comes before this"),
    ('software ‹""› < 3', "The name of the software is missing"),
    ("a‹\x00›b", "control character"),
    ("a‹\ud800›b", "control character"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_pointed_at(stations, text, message):
    plain = text.replace("‹", "").replace("›", "")
    with pytest.raises(CriteriaError) as caught:
        compile(plain, EVERYTHING)
    position, end = text.index("‹"), text.index("›") - 1
    if "“in” is missing" in message:
        position, end = plain.index("pc1"), plain.index("pc1") + 3
    assert message in str(caught.value)
    assert (caught.value.position, caught.value.length) == (position, end - position)
    assert [fault.position for fault in caught.value.faults] == [position]


def test_a_caret_shows_the_place():
    with pytest.raises(CriteriaError) as caught:
        compile("tag = ALPHA and\nram < 8 and x", EVERYTHING)
    first, second, third = pointed("tag = ALPHA and\nram < 8 and x", caught.value).split("\n")
    assert (first, second) == ("ram < 8 and x", "      ^")
    assert third.startswith("A unit is missing")
    long = "tag = A and " * 30 + "ram < 8" + " and tag = B" * 20
    with pytest.raises(CriteriaError) as caught:
        compile(long, EVERYTHING)
    line, carets, _message = pointed(long, caught.value).split("\n")
    assert len(line) < 110 and line[carets.index("^")] == "8"
    with pytest.raises(CriteriaError) as caught:
        compile("tag =", EVERYTHING)
    assert pointed("tag =", caught.value).split("\n")[1] == "     ^"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000,
        "(" * 1000 + "a" + ")" * 1000,
        "not " * 900 + "a",
        "not (" * 20 + "not not not " * 20 + "a" + ")" * 20,
        "a " * 1900,
        "name in (" + "a," * 1900 + "a)",
        "a or " * 700 + "a",
        "x" * (MAX_LENGTH + 1),
        " " * 10_000 + "a",
        "1" * 3999 + "=1",
        "ram < " + "9" * 3900 + " GB",
        "ram < 0." + "9" * 3900 + " GB",
        '"' * 3999,
        "group(" * 500,
        "variables" + ".a" * 900 + " = 1",
        "address in (" + "0.0.0.0/1," * 300 + "1.1.1.1)",
    ],
)
def test_hostile_lengths_and_depths_are_refused_quickly(stations, text):
    with pytest.raises(CriteriaError):
        compile(text, EVERYTHING)


def test_what_is_outside_the_perimeter_is_told_like_what_does_not_exist(stations, sites):
    Group.objects.create(name="secret_south", site=sites["south"])
    north = within(sites["north"])
    for text in ("site(south)", "group(secret_south)"):
        with pytest.raises(CriteriaError) as hidden:
            compile(text, north)
        with pytest.raises(CriteriaError) as missing:
            compile(text.replace("south", "zouth"), north)
        assert str(hidden.value).replace("south", "zouth") == str(missing.value)
        compile(text, EVERYTHING)
    with pytest.raises(CriteriaError, match="that you may see.$"):
        compile("site(sout)", north)
    hidden = Image.objects.create(name="hidden", version="1", site=sites["south"])
    Station.objects.create(name="pc9", site=sites["north"], image=hidden, model=stations["srv1"])
    for field, there, seen in (("model", "srv1", "pc1"), ("image", "hidden", "debian13"), ("image", '"hidden 1"', '"debian13 2026.10"')):
        with pytest.raises(CriteriaError) as outside:
            compile(f"{field} = {there}", north)
        with pytest.raises(CriteriaError) as nowhere:
            compile(f"{field} = {there.replace('hidden', 'nobody').replace('srv1', 'srv2')}", north)
        assert str(outside.value).replace("hidden", "nobody").replace("srv1", "srv2") == str(nowhere.value)
        assert compile(f"{field} = {seen}", north)


def test_a_group_tells_its_writer_nothing_of_what_they_do_not_see(stations, sites):
    """It is followed for every site, so that a pattern in it would be a way to ask for names."""
    north = within(sites["north"])
    for text in ("model ~ srv*", "image ~ hid*", "site ~ All"):
        with pytest.raises(CriteriaError, match="could match what you do not see"):
            compile(text, north, group="mine")
        assert compile(text, north) is not None and compile(text, EVERYTHING, group="mine") is not None


def test_what_a_group_names_may_go_without_breaking_it(stations):
    group = Group.objects.create(name="others", criteria='not image = "debian13 2026.10" and not model = golden')
    Image.objects.all().delete()
    Station.objects.filter(name="golden").delete()
    assert set(stations_of(group, EVERYTHING).values_list("name", flat=True)) == {"pc1", "pc2", "srv1", "fresh"}


def test_messages_are_in_the_language_of_the_reader():
    with translation.override("fr"), pytest.raises(CriteriaError) as caught:
        compile("ram < 8", EVERYTHING)
    assert "“8”" in str(caught.value) or "« 8 »" in str(caught.value)


HOSTILE = st.lists(st.sampled_from([*"abAZ09 %_\\'\"*?;-(){}$é😀:", "--", "/*", "$1", "%s", "';", " or 1=1"]), max_size=12).map("".join)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOSTILE, min_size=2, max_size=4, unique=True), HOSTILE)
def test_values_are_never_sql(sites, tags, asked):
    Station.objects.all().delete()
    Station.objects.bulk_create(Station(name=f"pc{number}", site=sites["root"], tag=tag) for number, tag in enumerate(tags))

    def fold(text: str) -> str:
        return "".join(letter.upper() if letter.isascii() else letter for letter in text)

    def tags_found(criteria: str) -> list[str]:
        return sorted(Station.objects.filter(compile(criteria, EVERYTHING)).values_list("tag", flat=True))

    assert tags_found(f"tag = {quoted(asked)}") == sorted(tag for tag in tags if fold(tag) == fold(asked))
    assert tags_found(f"tag != {quoted(asked)}") == sorted(tag for tag in tags if fold(tag) != fold(asked))
    if not set(asked) & set("*?"):
        assert tags_found(f"tag ~ {quoted(asked)}") == sorted(tag for tag in tags if fold(asked) in fold(tag))
    literal = asked.replace("*", "").replace("?", "")
    assert tags_found(f"tag ~ {quoted(literal + '*')}") == sorted(tag for tag in tags if fold(tag).startswith(fold(literal)))
    for criteria in (
        "name = {0} or {0}",
        "software {0} < {0}",
        "software ~ {0}",
        "variables.x = {0}",
        "comment ~ {0} and os.version > {0}",
    ):
        try:
            tags_found(criteria.format(quoted(asked)))
        except CriteriaError:
            assert not asked.strip(), "only a name that is missing is an error"


SOME_WORDS = """
name tag ram site group software has not and or in ( ) , = != < > ~ 8 GiB north small 10.0.0.0/8 never 30 days ago
* ? ' . " "x" """
WORDS = st.lists(st.sampled_from([*SOME_WORDS.split(), '"x y"']), max_size=14).map(" ".join)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(WORDS, st.text(max_size=40)))
def test_any_text_is_criteria_or_an_error_inside_the_text(stations, text):
    try:
        Station.objects.filter(compile(text, EVERYTHING)).count()
    except CriteriaError as error:
        assert 0 <= error.position <= len(text) and error.position + error.length <= len(text) and error.message
        assert pointed(text, error)


def test_nodes_are_values():
    assert parse("a and b") == parse("a and b")
