"""A mailbox on this machine: speaks SMTP with STARTTLS, lets anyone log in, and keeps what it is sent."""

import asyncio
import logging
import ssl
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from exporter.clock import Clock
from exporter.demo.site import HOST
from exporter.demo.slack import KEPT

# It warns of a name that it uses itself, at every login.
logging.getLogger("mail.log").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Mail:
    """A mail, for whom it came, as whom its sender had logged in, and when it came (seconds since 1970)."""

    at: float
    recipients: tuple[str, ...]
    login: str
    message: EmailMessage

    def body(self, kind: str) -> str:
        """The part that is `plain` or `html`; empty where there is none."""
        part = self.message.get_body((kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""


class Mailbox:
    """The server; the first start picks a free port. `mails` are oldest first."""

    def __init__(self, clock: Clock, certificate: ssl.SSLContext) -> None:
        self.mails: deque[Mail] = deque(maxlen=KEPT)
        self.port = 0
        self._clock = clock
        self._certificate = certificate
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Host and port, by the name in the certificate."""
        return f"localhost:{self.port}"

    async def start(self) -> None:
        """Starts to listen."""
        self._server = await asyncio.get_running_loop().create_server(self._connect, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Closes the port and every connection. Does nothing where it is not open."""
        server, self._server = self._server, None
        if server:
            server.close()
            await asyncio.gather(*(connection.end() for connection in set(self._connections)))
            await server.wait_closed()

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        """Takes a mail."""
        assert isinstance(envelope.content, bytes)  # noqa: S101  (it is text only where the server is told to decode)
        message = message_from_bytes(envelope.content, policy=policy.default)
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else ""
        self.mails.append(Mail(self._clock.now(), tuple(envelope.rcpt_tos), login, message))
        return "250 OK"

    def _connect(self) -> "_Connection":
        return _Connection(self, self._certificate, self._connections)


class _Connection(SMTP):
    """One client."""

    def __init__(self, mailbox: Mailbox, certificate: ssl.SSLContext, all_of_them: "set[_Connection]") -> None:
        super().__init__(
            mailbox,
            hostname="localhost",
            tls_context=certificate,
            authenticator=_let_in,
            auth_exclude_mechanism=["LOGIN"],  # its prompts are not those that Go's clients know
            loop=asyncio.get_running_loop(),
        )
        self._all = all_of_them

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come, or has gone over to TLS."""
        super().connection_made(transport)
        self._all.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The client has gone."""
        super().connection_lost(error)
        self._all.discard(self)

    async def end(self) -> None:
        """Breaks the connection, and waits until nothing of it is left."""
        assert isinstance(self.transport, asyncio.Transport)  # noqa: S101  (as the server makes it)
        assert self._handler_coroutine  # noqa: S101  (it began with the connection)
        self.transport.abort()
        await asyncio.wait([self._handler_coroutine])


def _let_in(_: SMTP, __: Session, ___: Envelope, ____: str, login: LoginPassword) -> AuthResult:
    return AuthResult(success=True, auth_data=login)
