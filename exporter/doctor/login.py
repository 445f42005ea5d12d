"""How the doctor comes into Grafana."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from exporter.config.model import Options, build
from exporter.config.reader import Document
from exporter.config.secret import Secret, SecretField, Sources


@dataclass(frozen=True)
class Login:
    """What the header Authorization says."""

    header: Secret
    is_token: bool

    @classmethod
    def by_token(cls, token: Secret) -> "Login":
        """As a service account."""
        return cls(Secret(f"Bearer {token.reveal()}"), is_token=True)

    @classmethod
    def by_password(cls, user: str, password: Secret) -> "Login":
        """As a user; in UTF-8, as browsers send it and Go's servers take it."""
        both = f"{user}:{password.reveal()}".encode()
        return cls(Secret(f"Basic {b64encode(both).decode()}"), is_token=False)


class _Files(Options):
    password: SecretField | None = None
    token: SecretField | None = None


def login(user: str, password_file: Path | None, token_file: Path | None) -> Login | None:
    """By whichever file is named, None without one; raises ConfigError where it cannot be read."""
    named = {"password": password_file, "token": token_file}
    data = {key: {"file": str(path)} for key, path in named.items() if path}
    files = build(_Files, Document(data, "grafana"), Sources({}, Path()))
    if files.token:
        return Login.by_token(files.token)
    return Login.by_password(user, files.password) if files.password else None
