"""Rules and templates are found in a wheel, in an editable install and in a checkout, and the distributions are complete."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.name for path in (ROOT / "rules").glob("*.md"))
FOLDERS = ("guardrails", "rules", "templates", "examples", "tests", "tools")
PARTS = (*FOLDERS, "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile")
PROBE = """
import json, guardrails
from guardrails import assets, rulebook
print(json.dumps({
    "package": guardrails.__file__,
    "rules": sorted(path.name for path in assets.folder("rules").glob("*.md")),
    "loaded": len(rulebook.load()),
    "templates": assets.folder("templates").is_dir(),
}))
"""

pytestmark = pytest.mark.packaging


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, apart from this one."""
    copy = tmp_path_factory.mktemp("checkout") / "src"
    copy.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
        else:
            shutil.copy2(source, copy / part)
    return copy


@pytest.fixture(scope="module")
def dist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, checkout, cwd=out)
    return out


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of an environment that has our dependencies, borrowed from this one, but not us."""
    venv.create(tmp_path / "env")
    interpreter = tmp_path / "env" / "bin" / "python"
    site = run(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    Path(site, "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return interpreter


def install(python: Path, *what: str | Path, cwd: Path) -> None:
    options = ["--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed", "-q"]
    run(python, "-m", "pip", "install", *options, *what, cwd=cwd)


def probe(python: Path, cwd: Path, env: dict[str, str] | None = None) -> dict[str, object]:
    answer: dict[str, object] = json.loads(run(python, "-c", PROBE, cwd=cwd, env=env))
    return answer


def test_a_wheel_carries_its_rules_and_templates(dist: Path, python: Path, tmp_path: Path) -> None:
    install(python, next(dist.glob("*.whl")), cwd=tmp_path)
    found = probe(python, tmp_path)
    assert Path(str(found["package"])).is_relative_to(tmp_path / "env")
    assert found["rules"] == PAGES
    assert found["loaded"] == len(PAGES)
    assert found["templates"]


def test_both_commands_of_a_wheel_run(dist: Path, python: Path, tmp_path: Path) -> None:
    install(python, next(dist.glob("*.whl")), cwd=tmp_path)
    for command in ("guardrails", "worker-guardrails"):
        assert "untimed-job" in run(python.parent / command, "rules", cwd=tmp_path)


def test_an_editable_install_reads_the_checkout(checkout: Path, python: Path, tmp_path: Path) -> None:
    install(python, "--editable", checkout, cwd=tmp_path)
    found = probe(python, tmp_path)
    assert Path(str(found["package"])).is_relative_to(checkout)
    assert found["rules"] == PAGES
    assert found["loaded"] == len(PAGES)
    assert found["templates"]


def test_a_checkout_that_is_not_installed_works(checkout: Path, tmp_path: Path) -> None:
    found = probe(Path(sys.executable), tmp_path, {"PYTHONPATH": str(checkout)})
    assert Path(str(found["package"])).is_relative_to(checkout)
    assert found["rules"] == PAGES


def test_a_wheel_holds_models_schemas_and_nothing_else_of_the_tree(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    models = {f"guardrails/frameworks/{path.name}" for path in (ROOT / "guardrails" / "frameworks").glob("*.yml")}
    schemas = {f"guardrails/schemas/{path.name}" for path in (ROOT / "guardrails" / "schemas").glob("*.json")}
    assert models
    assert schemas
    assert models | schemas | {f"guardrails/_assets/rules/{name}" for name in PAGES} <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"guardrails"}


def test_an_sdist_is_complete(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "README.md", "LICENSE", "CHANGELOG.md", "tests/test_packaging.py", "tools/generate.py"} <= names
    assert {f"rules/{name}" for name in PAGES} <= names
    assert "examples/unsafe-shop/shop/celery.py" in names
