"""What does a person see who is refused in a browser? A real one draws the page."""

import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import program
from tests.running import Gateway, running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("gateway")) as started:
        yield started


def browse(url: str, folder: Path, *words: str) -> bytes:
    """Headless chromium at this address; what it prints."""
    sandbox = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]  # root in a container has no namespaces
    quiet = ["--headless", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    command = [program("chromium"), *sandbox, *quiet, f"--user-data-dir={folder}/profile", "--lang=zh-CN", *words, url]
    run = subprocess.run(command, capture_output=True, cwd=folder, timeout=60, check=True)
    return run.stdout


def shades(png: bytes) -> int:
    """How many different bytes the pixels of a picture have."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += 12 + length
    return len(set(zlib.decompress(packed)))


def test_a_refusal_is_a_page_in_the_language_of_the_reader(gateway: Gateway, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{gateway.port}/civil/households/h-1"
    asked = gateway.get("/civil/households/h-1", accept="text/html", accept_language="zh-CN")
    assert asked.headers["content-type"].startswith("text/html")
    page = browse(url, tmp_path, "--accept-lang=zh-CN", "--dump-dom").decode()
    assert 'lang="zh' in page
    assert "credential_missing" in page
    assert gateway.witness.requests == []


def test_a_refusal_is_drawn(gateway: Gateway, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{gateway.port}/civil/households/h-1"
    browse(url, tmp_path, "--accept-lang=zh-CN", "--window-size=1000,700", f"--screenshot={tmp_path}/page.png")
    browse("about:blank", tmp_path, "--window-size=1000,700", f"--screenshot={tmp_path}/blank.png")
    drawn, blank = ((tmp_path / name).read_bytes() for name in ("page.png", "blank.png"))
    assert shades(blank) < 5 < 20 < shades(drawn)
