"""TLS contexts from :class:`dynclient.options.TLS`."""

from __future__ import annotations

import ssl
import warnings

from dynclient.exceptions import ArgumentError
from dynclient.options import TLS

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context_of(tls: TLS) -> ssl.SSLContext:
    """Make the context: the system's trust store, unless the options name another.

    Raises:
        ArgumentError: a file is not there, or is no PEM file of its kind.
    """
    try:
        context = _trusting(tls)
        context.minimum_version = _VERSIONS[tls.minimum_version]
        if tls.certificate is not None:
            pair = (tls.certificate,) if isinstance(tls.certificate, str) else tls.certificate
            context.load_cert_chain(*pair)
    except KeyError:
        raise ArgumentError(f"tls: minimum_version is one of {', '.join(_VERSIONS)}", argument="tls") from None
    except (OSError, ValueError) as error:
        raise ArgumentError(f"tls: a certificate can't be loaded ({type(error).__name__})", argument="tls") from None
    return context


def _trusting(tls: TLS) -> ssl.SSLContext:
    if tls.insecure_skip_verify:
        warnings.warn("TLS(insecure_skip_verify=True): servers need not prove who they are", stacklevel=2)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if tls.ca_file is not None:
        return ssl.create_default_context(cafile=tls.ca_file)
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
