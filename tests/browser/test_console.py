# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do in the console, in a real browser."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

PAGES = (
    "/",
    "/stations/",
    "/stations/1/",
    "/stations/1/hardware/",
    "/stations/1/software/",
    "/stations/1/history/",
    "/stations/1/edit/",
    "/stations/import/",
    "/sites/",
    "/sites/2/",
    "/groups/",
    "/groups/1/",
    "/software/",
    "/software/1/",
    "/groups/3/edit/",
    "/images/",
    "/images/1/",
    "/images/1/edit/",
    "/images/1/remove/",
    "/images/add/",
    "/packages/",
    "/packages/1/",
    "/packages/add/",
    "/reports/",
    "/?by=os",
    "/?by=seen",
    "/account/",
    "/users/",
    "/users/1/",
)


LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")


CUT = Path(__file__).with_name("cut.js").read_text(encoding="utf-8")


def rows(page):
    return page.locator("#found tbody tr")


def test_a_wrong_password_and_a_right_one(visit):
    visitor = visit()
    page = visitor.sign_in("admin", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    visitor.picture("sign-in")
    visitor.sign_in("admin", "admin-password-1")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_somebody_of_the_north_chooses_a_password_and_sees_the_north(visit):
    visitor = visit()
    page = visitor.sign_in("alice", "alice-password-1")
    expect(page.get_by_role("heading", name="New password")).to_be_visible()
    page.get_by_label("Old password").fill("alice-password-1")
    page.get_by_label("New password", exact=False).first.fill("a-horse-of-another-1")
    page.locator("#id_new_password2").fill("a-horse-of-another-1")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("30 stations").first).to_be_visible()
    page.goto("/stations/")
    expect(page.locator("#count")).to_have_text("30 stations")
    assert page.locator("#f-site option").all_inner_texts()[1].strip().startswith("North")
    assert page.goto("/stations/2/").status == 404
    visitor.complaints.clear()  # Chromium reports a 404 as an error
    assert page.get_by_role("link", name="New station").count() == 0


def test_search_filter_sort_and_page(admin):
    page = admin.page
    page.goto("/stations/")
    expect(rows(page)).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(rows(page)).to_have_count(10)
    page.get_by_role("link", name="Previous").click()
    expect(rows(page)).to_have_count(50)
    page.get_by_label("Site", exact=True).select_option("agency0001")
    expect(page.locator("#count")).to_have_text("10 stations")
    assert "site=agency0001" in page.url
    box = page.get_by_role("combobox", name="Search or criteria")
    box.fill("ram < 8 GiX")
    box.press("Enter")
    expect(page.locator("#found mark")).to_have_text("8 GiX")
    admin.picture("criteria-mistake")
    box.fill("name = pc00001")
    box.press("Enter")
    expect(page.locator("#count")).to_have_text("1 station")
    page.get_by_role("link", name="Last seen").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Last seen")
    page.get_by_role("link", name="Reset").click()
    expect(page.locator("#count")).to_have_text("60 stations")
    page.go_back()
    expect(page.locator("#count")).to_have_text("1 station")


def test_a_filter_is_saved_and_used_again(admin):
    page = admin.page
    page.goto("/stations/?q=ram+%3C+8+GiB&state=ready")
    number = page.locator("#count").inner_text()
    page.get_by_text("Save this filter, or remove one").click()
    page.get_by_label("Name of the filter").fill("Too little memory")
    page.get_by_role("button", name="Save").click()
    page.goto("/stations/")
    page.get_by_role("link", name="Too little memory").click()
    expect(page.locator("#count")).to_have_text(number)


def test_exports(admin):
    page = admin.page
    page.goto("/stations/?site=agency0001")
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    table = list(csv.DictReader(started.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert len(table) == 10 and {row["site"] for row in table} == {"agency0001"}
    with page.expect_download() as started:
        page.get_by_role("link", name="PDF").click()
    assert started.value.path().read_bytes().startswith(b"%PDF-")
    assert started.value.suggested_filename.startswith("stations-")


def test_french_and_dark_stay(admin):
    page = admin.page
    page.goto("/stations/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", name="Postes", exact=True)).to_be_visible()
    assert page.url.endswith("/stations/") and page.locator("html").get_attribute("lang") == "fr"
    page.goto("/account/")
    page.locator("#a-theme").select_option("dark")
    page.locator("form:has(#a-theme) button").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.locator("#a-theme").select_option("auto")
    page.locator("form:has(#a-theme) button").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Language and colours")).to_be_visible()


def test_a_secret_is_shown_where_it_was_asked_for(admin):
    page = admin.page
    page.goto("/stations/1/")
    assert "AAAA-BBBB" not in page.content()
    page.get_by_role("button", name="Show office_key").click()
    expect(page.locator(".revealed")).to_have_text("AAAA-BBBB")
    assert page.url.endswith("/stations/1/")


def test_who_has_a_software_below_a_version(admin):
    page = admin.page
    page.goto("/software/?q=fleet-editor&source=deb")
    page.get_by_role("link", name="fleet-editor").click()
    page.get_by_label("Who has it below version").fill("2.0")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#count")).to_contain_text("below 2.0")
    assert set(page.locator("#found tbody td.mono").all_inner_texts()) == {"1.2"}


def test_the_criteria_box_completes_by_keyboard(admin):
    page = admin.page
    page.goto("/stations/")
    box = page.get_by_role("combobox", name="Search or criteria")
    box.focus()
    box.press_sequentially("manuf")
    expect(page.locator("#options [role=option]").first).to_contain_text("manufacturer")
    box.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "option-1"
    box.press("Enter")
    assert box.input_value().startswith("manufacturer")
    box.press("Escape")
    expect(page.locator("#options [role=option]")).to_have_count(0)


def test_everything_works_by_keyboard(visit):
    visitor = visit()
    page = visitor.page
    page.goto("/sign-in/")
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("admin-password-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    seen = page.evaluate("(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.outlineWidth })()")
    assert seen.startswith("solid") and seen != "solid0px"


def test_it_works_without_scripts(visit):
    visitor = visit(java_script_enabled=False)
    page = visitor.sign_in("admin", "admin-password-1")
    page.goto("/stations/")
    page.get_by_label("Site", exact=True).select_option("agency0001")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#count")).to_have_text("10 stations")
    page.goto("/stations/1/")
    page.get_by_role("button", name="Show office_key").click()
    expect(page.locator(".revealed")).to_have_text("AAAA-BBBB")


def through(page, label: str) -> None:
    """Press Tab until the field of this label has the focus; it must be reached, be seen to have it, and say what it is."""
    for _press in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(label) => [...(document.activeElement.labels ?? [])].some((one) => one.innerText.startsWith(label))", label):
            break
    else:
        raise AssertionError(f"{label} is not reached with Tab")
    style = page.evaluate("(() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth] })()")
    assert style[0] == "solid" and style[1] != "0px", f"{label} does not show that it has the focus"


def test_an_image_is_registered_changed_and_retired_by_keyboard(admin):
    page = admin.page
    page.goto("/images/add/")
    for label, text in (("Name", "lab"), ("Version", "1.0"), ("Captured from", "pc00001"), ("Size", "a lot"), ("Description", "Physics")):
        through(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    field = page.get_by_label("Size")
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.get_attribute("aria-describedby").split()
    assert any("is not a size" in page.locator(f"#{each}").inner_text() for each in described), "the fault is read out with its field"
    admin.complaints.clear()  # Chromium reports the 400 as an error
    admin.picture("image-mistake")
    field.fill("12 GiB")
    field.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("lab 1.0 was saved.")
    admin.picture("image")
    page.get_by_role("link", name="Edit").press("Enter")
    expect(page.get_by_label("Name")).to_be_disabled()
    through(page, "Description")
    page.keyboard.type("Physics, ground floor")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Physics, ground floor")).to_be_visible()
    page.get_by_role("link", name="Retire").press("Enter")
    page.get_by_role("button", name="Retire").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("lab 1.0 was retired.")


def test_a_station_changes_its_groups_by_keyboard(admin):
    page = admin.page
    page.goto("/stations/1/")
    through(page, "Put into a static group")
    page.keyboard.type("teachers")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("pc00001 is in teachers now.")
    expect(page.get_by_role("link", name="teachers")).to_be_visible()
    admin.picture("station-groups")
    page.get_by_role("button", name="Take out of teachers").press("Enter")
    expect(page.get_by_role("link", name="teachers")).to_have_count(0)


def test_the_dashboard_divides_sites_and_leads_to_what_was_refused(admin):
    page = admin.page
    page.goto("/")
    expect(page.get_by_role("img", name="North: in service", exact=False)).to_be_visible()
    page.get_by_role("navigation", name="Divide sites by").get_by_role("link", name="System").press("Enter")
    expect(page.get_by_role("img", name="North: Microsoft Windows 11 Pro", exact=False)).to_be_visible()
    page.get_by_role("link", name="refused reports").press("Enter")
    expect(page.get_by_role("heading", name="Refused")).to_be_in_viewport()
    expect(page.get_by_role("cell", name="The XML is not well-formed", exact=False)).to_be_visible()


@pytest.mark.parametrize("width", [380, 768, 1280, 1920])
def test_nothing_is_cut_off_in_french(visit, width):
    visitor = visit(locale="fr-FR", viewport={"width": width, "height": 900})
    page = visitor.page
    page.goto("/sign-in/")
    page.locator("#id_username").fill("marie")
    page.locator("#id_password").fill("marie-password-1")
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    wrong = []
    for path in PAGES:
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{path} is wider than {width} pixels")
        wrong += [f"{path}: {what}" for what in page.evaluate(CUT)]
    visitor.picture(f"french-{width}")
    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(visit, theme):
    """Names, labels, headings, ids, contrast, and no sideways scrolling from 390 to 1440 pixels."""
    visitor = visit(color_scheme=theme)
    page = visitor.sign_in("admin", "admin-password-1")
    wrong = []
    for path in PAGES:
        page.goto(path)
        visitor.picture(f"{path.strip('/?').replace('/', '-').replace('=', '-') or 'dashboard'}-{theme}")
        wrong += [f"{path}: {what}" for what in page.evaluate(LOOK)]
        page.set_viewport_size({"width": 390, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{path}: wider than 390 pixels")
        if path in ("/", "/stations/", "/stations/1/"):
            visitor.picture(f"{path.strip('/').replace('/', '-') or 'dashboard'}-{theme}-narrow")
        page.set_viewport_size({"width": 1440, "height": 900})
    assert wrong == []
