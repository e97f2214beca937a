# SPDX-License-Identifier: GPL-3.0-or-later
"""The house is in order: every plugin is documented, every module and role is used by a test, every file has its licence."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FLEET = ROOT / "collections/ansible_collections/fleet"
COLLECTIONS = sorted(path.parent.name for path in FLEET.glob("*/galaxy.yml"))
MODULES = sorted(FLEET.glob("*/plugins/modules/[a-z]*.py"))
ROLES = sorted([*FLEET.glob("*/roles/*/"), *(ROOT / "roles").glob("*/")])
DOCUMENTED = ("callback", "connection", "filter", "inventory", "lookup", "module", "strategy", "test")


def name_of(path: Path) -> str:
    """Return the full name of a module or role: fleet.core.content_info, or classroom_station for a role of the site."""
    if FLEET not in path.parents:
        return path.name
    return f"fleet.{path.relative_to(FLEET).parts[0]}.{path.stem if path.suffix else path.name}"


def tracked(*suffixes: str) -> list[Path]:
    """Return the files that belong to the project."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [ROOT / name for name in listing.split("\0") if name.endswith(suffixes) and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def scenarios() -> dict[Path, str]:
    """Everything that runs modules and roles, by path: playbooks, roles, scenarios, tests."""
    places = re.compile(r"(^|/)(playbooks|roles|molecule|tests)/")
    files = [path for path in tracked(".yml", ".yaml", ".py") if places.search(str(path.relative_to(ROOT)))]
    return {path: path.read_text(encoding="utf-8") for path in files if path != Path(__file__)}


@pytest.mark.parametrize("path", [*MODULES, *ROLES], ids=name_of)
def test_every_module_and_role_is_run_by_a_playbook_a_scenario_or_a_test(path: Path, scenarios: dict[Path, str]) -> None:
    name = re.compile(rf"(?<![\w.]){re.escape(name_of(path))}\b")
    users = [user for user, text in scenarios.items() if path not in user.parents and name.search(text)]
    assert users, f"nothing runs {name_of(path)}"


@pytest.mark.parametrize("path", ROLES, ids=name_of)
def test_every_role_says_what_its_arguments_are(path: Path) -> None:
    specs = yaml.safe_load((path / "meta/argument_specs.yml").read_text())["argument_specs"]
    assert specs["main"]["short_description"]
    foreign = [option for option in specs["main"].get("options", {}) if not option.startswith(path.name)]
    assert not foreign, f"a variable of a role carries the role's name: {foreign}"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_plugin_is_documented(collection: str) -> None:
    for kind in DOCUMENTED:
        folder = FLEET / collection / "plugins" / ("modules" if kind == "module" else kind)
        names = [f"fleet.{collection}.{path.stem}" for path in sorted(folder.glob("[a-z]*.py"))]
        if not names:
            continue
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-doc"), "--json", f"--type={kind}", *names],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        pages = json.loads(done.stdout)
        for name in names:
            assert pages[name]["doc"]["short_description"], name
            if kind == "module":
                assert pages[name]["examples"], f"{name} has no EXAMPLES"
                assert pages[name]["return"], f"{name} has no RETURN"
                assert {"check_mode", "diff_mode"} <= set(pages[name]["doc"]["attributes"]), f"{name} lacks attributes"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_modules_main_is_short(path: Path) -> None:
    functions = {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    if not functions and (path.parents[1] / "action" / path.name).exists():
        return  # the documentation of what an action plugin does alone
    main = functions["main"]
    assert main.end_lineno is not None
    assert main.end_lineno - main.lineno < 40, "the work belongs into module_utils"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_belongs_to_its_action_group(path: Path) -> None:
    runtime = yaml.safe_load((path.parents[2] / "meta/runtime.yml").read_text())
    assert path.stem in runtime["action_groups"]["all"]


def test_the_floors_of_the_house_stand_on_core_only() -> None:
    for path in tracked(".py"):
        if FLEET not in path.parents:
            continue
        collection = path.relative_to(FLEET).parts[0]
        used = set(re.findall(r"ansible_collections\.fleet\.([a-z]+)\.", path.read_text(encoding="utf-8")))
        # A virtual room boots the imaging environment.
        allowed = {collection, "core", *(["imaging"] if collection == "lab" else [])}
        assert used <= allowed, f"{path.relative_to(ROOT)} uses {used - allowed}"


def test_every_python_file_names_its_licence() -> None:
    bare = [str(path.relative_to(ROOT)) for path in tracked(".py") if "SPDX-License-Identifier: GPL-3.0-or-later" not in path.read_text()]
    assert bare == []


def test_every_debian_package_has_a_reason() -> None:
    lines = (ROOT / "scripts/debian-packages.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in packages if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+ +# \S.*", line)] == []
    names = [line.split()[0] for line in packages]
    assert len(names) == len(set(names))


def test_every_python_dependency_has_a_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    record = (ROOT / "docs/decisions/0002-dependencies.md").read_text().lower()
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = re.split(r"[<>=\[ ]", requirement)[0].lower()
        assert f"| {name} |" in record, f"docs/decisions/0002-dependencies.md does not say why {name} is there"


def imported_by(path: Path) -> set[str]:
    """The modules that a file imports, with relative names made absolute."""
    package = ".".join(path.relative_to(ROOT).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            module = f"{above}.{node.module or ''}".rstrip(".") if node.level else node.module or ""
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def test_the_station_database_and_the_collections_meet_at_the_api_only() -> None:
    for path in tracked(".py"):
        forbidden = {"stationdb": "ansible", "collections": "stationdb."}.get(path.relative_to(ROOT).parts[0])
        if forbidden and "tests" not in path.parts:
            used = {name for name in imported_by(path) if f"{name}.".startswith(forbidden)}
            assert not used, f"{path.relative_to(ROOT)} imports {used}"


def test_nothing_of_the_station_database_imports_what_shows_it() -> None:
    for path in tracked(".py"):
        parts = path.relative_to(ROOT).parts
        if parts[0] == "stationdb" and parts[1] in {"accounts", "content", "criteria", "registry", "reports"} and "tests" not in parts:
            used = {name for name in imported_by(path) if name.startswith(("stationdb.api", "stationdb.console"))}
            assert not used, f"{path.relative_to(ROOT)} imports {used}"
