"""With which certificate do we answer, and whose client certificates do we look at?

One TLS context per listener, never a fallback to another (CVE-2026-32305 and its siblings:
mutual TLS silently off after a fragmented ClientHello or an unexpected server name).
A certificate is replaced in the living context: new handshakes use it, open connections stay.
"""

import ssl
from pathlib import Path

from msgspec import Struct


class Tls(Struct, frozen=True):
    """Files of one listener; `client_authorities` are asked of, never demanded: policy decides."""

    certificate: Path
    key: Path
    client_authorities: tuple[Path, ...] = ()


def server_context(tls: Tls) -> ssl.SSLContext:
    """The context of a listener. Raises OSError (ssl.SSLError included) when the files do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    if tls.client_authorities:
        # optional: a caller without one is judged by policy; a bad one fails the handshake
        context.verify_mode = ssl.CERT_OPTIONAL
        for authority in tls.client_authorities:
            context.load_verify_locations(authority)
        # a resumed session would arrive without its certificate (RFC 9440 section 3.3)
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


class Renewal:
    """Watches the certificate files of a living context and loads them when they change."""

    def __init__(self, context: ssl.SSLContext, tls: Tls) -> None:
        self._context = context
        self._tls = tls
        self._seen = _stamp(tls)

    def check(self) -> str | None:
        """None when nothing changed, "" after a renewal, else why the new files cannot be used."""
        stamp = _stamp(self._tls)
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            server_context(self._tls)  # a trial: a half-written pair must not reach the living context
            self._context.load_cert_chain(self._tls.certificate, self._tls.key, password=_no_password)
        except (OSError, ValueError) as error:
            return str(error)
        return ""


def _no_password() -> str:
    """An encrypted key must not make a worker wait at a prompt, with all its callers."""
    return ""


def _stamp(tls: Tls) -> tuple[object, ...]:
    stamps: list[object] = []
    for path in (tls.certificate, tls.key):
        try:
            state = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(stamps)
