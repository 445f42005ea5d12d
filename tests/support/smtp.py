"""A mail server that keeps what it gets."""

import asyncio
import email.message
import email.policy
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    """What arrived, and who may send: `user` with `password`, or anybody where there is none."""

    user: str = ""
    password: str = ""
    port: int = 0
    messages: list[email.message.EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        message = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        self.messages.append(message)
        return "250 taken"

    def allows(self, _: SMTP, __: Session, ___: Envelope, ____: str, shown: object) -> AuthResult:
        wanted = LoginPassword(self.user.encode(), self.password.encode())
        return AuthResult(success=shown == wanted, handled=False)


@asynccontextmanager
async def mailbox(user: str = "", password: str = "", port: int = 0) -> AsyncIterator[Mailbox]:
    """Listens on 127.0.0.1, without TLS; with a password, only for who knows it."""
    it = Mailbox(user, password)

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
            # Alertmanager's LOGIN is not aiosmtpd's.
            return SMTP(
                it, authenticator=it.allows, auth_required=bool(password), auth_require_tls=False,
                auth_exclude_mechanism=["LOGIN"], loop=asyncio.get_running_loop(),
            )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()
        await server.wait_closed()
