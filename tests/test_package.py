# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which the collections leave this tree: pip and ansible-galaxy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
COLLECTIONS = sorted(path.parent for path in (ROOT / "collections/ansible_collections/fleet").glob("*/galaxy.yml"))


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(command, cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install .` puts into site-packages, without the dependencies."""
    target = tmp_path_factory.mktemp("site-packages")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-build-isolation"]
    run(*pip, "--target", target, ".", cwd=ROOT)
    return target


def test_pip_installs_collections_that_need_no_configuration(installed: Path, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(installed), "ANSIBLE_HOME": str(tmp_path / "home")}
    listing = run(BIN / "ansible-doc", "--type=callback", "--list", "fleet.core", cwd=tmp_path, **environment)
    assert "fleet.core.progress" in listing


def test_pip_installs_no_tests(installed: Path) -> None:
    fleet = installed / "ansible_collections/fleet"
    assert {path.name for path in fleet.iterdir()} == {collection.name for collection in COLLECTIONS}
    assert list(fleet.glob("*/tests")) == []


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda path: path.name)
def test_galaxy_builds_and_installs_the_collection(collection: Path, tmp_path: Path) -> None:
    galaxy = [BIN / "ansible-galaxy", "collection"]
    environment = {"ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path)}
    run(*galaxy, "build", "--output-path", tmp_path, cwd=collection, **environment)
    (archive,) = tmp_path.glob("*.tar.gz")
    run(*galaxy, "install", "--offline", "--no-deps", "--collections-path", tmp_path, archive, cwd=tmp_path, **environment)
    manifest = tmp_path / "ansible_collections/fleet" / collection.name / "MANIFEST.json"
    assert manifest.exists()
    assert not any(path.suffix == ".pyc" for path in manifest.parent.rglob("*"))


def test_all_versions_are_the_same() -> None:
    import tomllib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for collection in COLLECTIONS:
        galaxy = yaml.safe_load((collection / "galaxy.yml").read_text())
        assert galaxy["version"] == version, collection
        assert set(galaxy["dependencies"].values()) <= {version}, collection
