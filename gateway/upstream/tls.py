"""With whom does an encrypted connection to a service end?

The service's certificate is verified against the given authorities and its own name; a client
certificate is shown where one is given. The private key is never written to a disk for it.
"""

import os
import ssl

from gateway.upstream.settings import Service


def context(service: Service) -> ssl.SSLContext:
    """What connections to this service use. Raises ValueError when certificate or key cannot be read."""
    try:
        made = ssl.create_default_context(cadata=service.ca.decode("ascii") if service.ca else None)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise ValueError(f"service `{service.name}`: the authorities are not PEM certificates") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if "unverified-upstream" in service.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if service.client_cert:
        _show(made, service)
    return made


def _show(made: ssl.SSLContext, service: Service) -> None:
    """OpenSSL reads a chain only from a file: give it one that exists in memory alone."""
    handle = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    try:
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(service.client_cert.rstrip() + b"\n" + service.client_key)
        made.load_cert_chain(f"/proc/self/fd/{handle}", password=_no_password)
    except ssl.SSLError as error:
        raise ValueError(f"service `{service.name}`: client certificate and key do not fit or are not PEM") from error
    finally:
        os.close(handle)


def _no_password() -> str:
    """Instead of a prompt on the terminal for an encrypted key."""
    return ""
