"""scripts/chromium, on a system that has nothing but what a test gives it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "chromium"
Run = Callable[..., "subprocess.CompletedProcess[str]"]

APT_GET = """#!/bin/sh
echo "apt-get $*"
case "$1" in
    install) printf '#!/bin/sh\\n' >"$HERE/chromium" && /bin/chmod +x "$HERE/chromium" ;;
esac
"""
FAILING_APT_GET = "#!/bin/sh\necho 'E: Unable to locate package chromium' >&2; exit 100\n"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder that commands are found in."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


@pytest.fixture
def chromium(programs: Path) -> Run:
    """Runs the script."""
    shell = shutil.which("sh") or "/bin/sh"

    def run(*arguments: str, user: int = 0, **variables: str) -> "subprocess.CompletedProcess[str]":
        make(programs / "id", f"#!{shell}\necho {user}\n")
        return subprocess.run(
            [shell, SCRIPT, *arguments],
            env={"PATH": str(programs), "HERE": str(programs), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def make(program: Path, text: str = "#!/bin/sh\n") -> str:
    program.write_text(text)
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_it_prints_the_browser_that_is_installed(chromium: Run, programs: Path, name: str) -> None:
    path = make(programs / name)
    for arguments in [(), ("--install",)]:
        done = chromium(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")


def test_a_variable_chooses_another(chromium: Run, programs: Path, tmp_path: Path) -> None:
    make(programs / "chromium")
    other = make(tmp_path / "other")
    assert chromium(CHROMIUM=other).stdout == f"{other}\n"
    wrong = chromium("--install", CHROMIUM="/nowhere/chromium")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "/nowhere/chromium" in wrong.stderr


def test_it_says_how_to_get_a_browser(chromium: Run, programs: Path) -> None:
    make(programs / "apt-get", APT_GET)
    done = chromium()
    assert (done.returncode, done.stdout) == (1, "")
    assert "apt install chromium" in done.stderr
    assert not (programs / "chromium").exists()


def test_root_installs_the_package(chromium: Run, programs: Path) -> None:
    make(programs / "apt-get", APT_GET)
    done = chromium("--install")
    assert (done.returncode, done.stdout) == (0, f"{programs / 'chromium'}\n")
    assert "apt-get update" in done.stderr
    assert "chromium fonts-liberation" in done.stderr


@pytest.mark.parametrize(
    ("user", "apt_get", "reason"),
    [
        (1000, APT_GET, "only root can install it"),
        (0, None, "this system has no apt-get"),
        (0, FAILING_APT_GET, "apt-get could not install it"),
        (0, "#!/bin/sh\n", "there is no command chromium"),
    ],
)
def test_it_says_why_it_cannot_install_one(
    chromium: Run, programs: Path, user: int, apt_get: str | None, reason: str
) -> None:
    if apt_get is not None:
        make(programs / "apt-get", apt_get)
    done = chromium("--install", user=user)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert "make web-test CHROMIUM=" in done.stderr
