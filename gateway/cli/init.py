"""`gateway init`: what does a new project need?

A configuration that works as printed, starter policies, keys. Nothing that exists is touched.
"""

import argparse
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.cli.screen import Screen
from gateway.cli.templates import CONFIG, FIRST_TRY, LEVEL, PLAIN, STARTER_API, TESTS, filled
from gateway.cli.texts import Language

SHIPPED = ("civil", "health", "market")
"""The first segments of what the starter catalog lists."""

ODD = {"secret_in_url": "init.secret", "path": "init.query", "match_form": "init.path", "match_reserved": "init.taken"}
"""What is wrong with an address; everything else is no address at all."""


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("init", help="init.help", description="init.help")
    parser.add_argument("dir", nargs="?", default=".", metavar="DIR", help="init.dir")
    parser.add_argument("--api", metavar="URL", default="", help="init.api")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the project; 0 when it is there, 2 for an address that cannot be, 3 when it cannot be written."""
    from gateway.config.units import Odd
    from gateway.crypto.keys import KeyFault
    from gateway.crypto.sm2 import Sm2Missing
    from gateway.document import Faulty

    screen = Screen(args)
    try:
        url, prefix = _apart(args.api)
    except Odd as odd:
        screen.warn(ODD.get(odd.kind, "init.odd"), "error", value=args.api)
        return 2
    try:
        return _make(Path(args.dir), url, prefix, screen)
    except Faulty as faulty:
        screen.faults(faulty.faults)
    except FileExistsError as error:
        screen.warn("init.in_the_way", "error", path=error.filename)
    except (OSError, KeyFault, Sm2Missing) as error:
        screen.warn("cannot_write", "error", why=error)
    return 3


def _apart(address: str) -> tuple[str, str]:
    """Scheme, host and port of a service, and the prefix that its address names. Raises Odd."""
    from gateway.config.units import Odd, match, upstream_url

    if not address:
        return "", ""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise Odd("upstream_url") from None
    service = upstream_url(f"{parts.scheme}://{parts.netloc}")
    if "?" in address or "#" in address:
        raise Odd("path")
    return service, match(parts.path.rstrip("/") + "/**")


def _make(folder: Path, url: str, prefix: str, screen: Screen) -> int:
    from gateway.config import places
    from gateway.config.state import prepare

    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "gateway.yaml"
    late = bool(url) and config.exists()
    made = _files(folder, config, url, prefix, screen.language)
    where = places(config, os.environ)
    prepared = prepare(where.state, where.origin, where.crypto)
    made += [os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path) for path in prepared.made]
    for path in made:
        screen.say("init.made", path=path)
    if not made:
        screen.say("init.nothing")
    verifiers = [key for key in (prepared.verifier, prepared.sm2_verifier) if key]
    if late:
        screen.warn("init.late", "warning", config=config, url=url + prefix)
    elif url:
        name, path = _named(url, prefix)
        screen.say("init.first_try", name=name, path=path, url=url, level=LEVEL)
    screen.say("init.auditor", "bold", key=verifiers[0])
    for key in verifiers[1:]:
        screen.line(f"  {key}", "bold")
    screen.say("init.next", config=config)
    screen.result({"made": made, "verifier": prepared.verifier, "verifiers": verifiers, "config": str(config)})
    return 0


def _files(folder: Path, config: Path, url: str, prefix: str, language: Language) -> list[str]:
    """Write what is missing; the names of what was written."""
    from gateway.cli.check import schema_text

    made = []
    first_try = bool(url) and not config.exists()
    for path, content in (
        (config, _config(url, prefix, language)),
        (folder / "gateway.schema.json", schema_text()),
        (folder / ".gitignore", "/state/\n"),
    ):
        if not path.exists():
            with path.open("x", encoding="utf-8") as file:  # x: never over a file that came meanwhile
                file.write(content)
            made.append(str(path))
    policies = folder / "policies"
    if not policies.exists():
        shutil.copytree(starter(), policies)
        made.append(str(policies))
        if first_try:
            name, match = _named(url, prefix)
            tests = filled(TESTS, language, name=name, path=match)
            (policies / "tests" / f"50-{name}.yaml").write_text(tests, encoding="utf-8")
    return made


def starter() -> Path:
    """The starter policies that come with the gateway."""
    return Path(__file__).resolve().parent.parent / "starter"


def _named(url: str, prefix: str) -> tuple[str, str]:
    """The name of the API and the path under which callers reach it: from its path, its host name, or just `api`."""
    host = urlsplit(url).hostname or ""
    spoken = prefix.strip("/") or (host if any(c.isalpha() for c in host) and ":" not in host else "")
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in spoken.lower()).strip("-")[:64]
    name = "api" if name in ("", "localhost") else name
    taken = prefix.split("/", 2)[1:2]
    if taken and taken[0] in SHIPPED:  # the starter policies and their tests speak of this path themselves
        return f"api-{name}", f"/api{prefix}"
    return name, prefix or f"/{name}"


def _config(url: str, prefix: str, language: Language) -> str:
    """The configuration for this service, under the prefix of its address or else its name."""
    from gateway.config.units import is_loopback

    if not url:
        return filled(CONFIG, language, api=filled(STARTER_API, language))
    name, path = _named(url, prefix)
    strip = "" if path == prefix else f"    strip_prefix: {path.removesuffix(prefix)}\n"
    api = filled(FIRST_TRY, language, name=name, url=url, prefix=path, strip=strip)
    text = filled(CONFIG, language, api=api)
    plain = url.startswith("http://") and not is_loopback(urlsplit(url).hostname or "")
    return text + (filled(PLAIN, language) if plain else "")
