"""The wheel serves when it is installed by itself, far from this project."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from config.settings import Settings
from metergraph.asgi.listening import listen
from metergraph.asgi.pages import PAGES
from metergraph.database.database_url import credentials

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PROJECT = Path(__file__).parents[2]
PACKAGES = (
    "billing",
    "config",
    "metergraph",
    "metering",
    "models",
    "resolvers",
    "schema",
    "transport",
    "waiting",
    "webhooks",
    "workers",
)
# Builds as pip does, with the backend that the lock has: nothing is fetched.
BUILD = "import sys; from setuptools import build_meta; build_meta.build_{}(sys.argv[1])"


def run(*command: object, cwd: Path, **variables: str) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith("METERGRAPH_")
    }
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd=cwd,
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the source distribution of this project unpacks to."""
    place = tmp_path_factory.mktemp("source")
    # A build leaves files beside its source.
    shutil.copytree(
        PROJECT,
        place / "project",
        ignore=shutil.ignore_patterns(
            ".*", "build", "node_modules", "__pycache__", "*.egg-info", "tests", "benchmarks"
        ),
    )
    run(sys.executable, "-c", BUILD.format("sdist"), place, cwd=place / "project")
    [archive] = place.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(place, filter="data")
    return place / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the source distribution."""
    place = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-c", BUILD.format("wheel"), place, cwd=source)
    [built] = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metergraph(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in an environment with this wheel and the packages that it depends on."""
    place = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", "environment", cwd=place)
    python = place / "environment" / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, *install, wheel, cwd=place)
    # What the lock names is here already. Editable projects, this one among them, are not seen:
    # Python reads .pth files in an environment's own folder only.
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place)
    Path(own.strip(), "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.with_name("metergraph")


def test_a_source_distribution_has_what_a_server_needs(source: Path) -> None:
    for name in ("LICENSE", "README.md", "requirements.txt", "docs/operations.md"):
        assert (source / name).read_bytes() == (PROJECT / name).read_bytes()


def test_a_wheel_has_every_file_of_the_packages_and_the_licence(wheel: Path) -> None:
    files = {
        str(path.relative_to(PROJECT))
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as opened:
        built = {name for name in opened.namelist() if ".dist-info/" not in name}
        licences = [name for name in opened.namelist() if name.endswith("licenses/LICENSE")]
        assert [opened.read(name) for name in licences] == [(PROJECT / "LICENSE").read_bytes()]
    assert built == files
    assert "metergraph/pages/assets/graphiql.js" in built
    assert "models/migrations/0001_initial.py" in built


@contextmanager
def serving(metergraph: Path, **variables: str) -> Iterator[str]:
    """The URL of the API that the installed command serves."""
    with listen("127.0.0.1", 0) as listening:
        descriptor = listening.fileno()
        os.set_inheritable(descriptor, True)  # its own signature
        process = subprocess.Popen(
            [str(metergraph), "api", "--fd", str(descriptor)],
            cwd="/",
            env={"PATH": os.defpath, **variables},
            pass_fds=[descriptor],
        )
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.kill()
            process.wait()


async def test_an_installed_wheel_migrates_a_database_and_serves(
    metergraph: Path, settings: Settings, fresh_database_url: str
) -> None:
    where = metergraph.parent
    found = run(where / "python", "-P", "-c", "import config; print(config.__file__)", cwd=where)
    assert Path(found.strip()).is_relative_to(where.parent)
    connection = await asyncpg.connect(**credentials(fresh_database_url))
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    servers = {
        "METERGRAPH_DATABASE_URL": fresh_database_url,
        "METERGRAPH_REDIS_URL": str(settings.redis_url),
    }
    run(metergraph, "migrate", cwd=where, **servers)
    run(metergraph, "organization", "create", "Acme", "--slug", "acme", cwd=where, **servers)
    printed = run(
        *(metergraph, "token", "create", "--organization", "acme", "--name", "test"),
        *("--scope", "ADMIN"),
        cwd=where,
        **servers,
    )
    token = next(word for word in printed.split() if word.startswith("mg_"))
    with serving(metergraph, **servers) as url, httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/readyz").status_code == 200
        page = client.get("/graphql", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        (address,) = re.findall(r'src="(.*graphiql\.js)"', page.text)
        script = client.get(f"/{address}")
        assert script.content == (PAGES / "assets" / "graphiql.js").read_bytes()
        answer = client.post(
            "/graphql",
            json={"query": "{ organization { name } }"},
            headers={"authorization": f"Bearer {token}"},
        )
        assert answer.json()["data"] == {"organization": {"name": "Acme"}}
