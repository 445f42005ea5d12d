"""A certificate of our own for the toy sites, and the authority that the exporter is told to trust."""

import ssl
from pathlib import Path

import trustme


def issue(authority_file: Path) -> ssl.SSLContext:
    """Makes a new authority, writes its certificate to the file, and has it vouch for this machine."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(authority_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context
