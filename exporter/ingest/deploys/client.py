"""The other end: telling a running exporter of a deploy, as `chatterfy-exporter deploy` does."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from exporter.clock import Clock
from exporter.config.secret import Secret, redactor
from exporter.errors import ConfigError, ExporterError, Failed, Problem
from exporter.ingest.deploys.deploy import LONGEST
from exporter.ingest.deploys.telling import FAILED
from exporter.tools import Tools
from exporter.tools.http import http_failures, read_body

ANSWER = 16 * 1024
"""Bytes of an answer."""
TOKEN = "DEPLOYS_TOKEN"  # noqa: S105  (the name of the variable that has it)


def token_of(path: Path | None, environ: Mapping[str, str]) -> Secret:
    """The token from the file, or from the environment where none is named; raises ConfigError."""
    if path is None:
        found, where = environ.get(TOKEN, ""), f"{TOKEN}, or --token-file"
    else:
        where = f"--token-file {path}"
        try:
            found = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ConfigError([Problem("", where, f"cannot be read: {reason}")]) from None
    token = found.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise ConfigError([Problem("", where, "expected the token of the exporter's section ingest.deploys")])
    return Secret(token)


def deploy_of(told: Mapping[str, str | None]) -> dict[str, str]:
    """What is posted: without what was not said, and with texts that are not too long."""
    deploy = {name: value for name, value in told.items() if value}
    for name in ("reason", "rollback"):
        if len(deploy.get(name, "")) > LONGEST:
            deploy[name] = f"{deploy[name][: LONGEST - 1]}…"
    return deploy


async def tell(  # noqa: PLR0913  (what is told whom, and how)
    url: str, token: Secret, deploy: Mapping[str, str], deadline: float, clock: Clock, *, say: Callable[[str], None]
) -> bool:
    """Whether all who are configured know of it now; says each one's outcome.

    Raises ConfigError where the exporter does not take it so, and ExporterError where it does not answer as it should.
    """
    redact = redactor([token.reveal()])
    headers = {"Authorization": f"Bearer {token.reveal()}"}
    try:
        with http_failures():
            async with (
                clock.timeout(deadline),
                Tools(clock, redact).session() as session,
                session.post(f"{url}/v1/deploys", json=deploy, headers=headers, allow_redirects=False) as response,
            ):
                status, body = response.status, await read_body(response, ANSWER)
    except TimeoutError:
        raise ExporterError(f"{url}: no answer within {deadline:g} s") from None
    except Failed as failed:
        raise ExporterError(f"{url}: no answer ({failed})") from None
    if status in (400, 401):
        raise ConfigError([Problem(url, "", redact(_line(body.decode(errors="replace"))))])
    outcomes = _outcomes(body) if status in (200, 502) else {}
    if not outcomes:
        hint = ": is there a section ingest.deploys?" if status == 404 else ""
        raise ExporterError(f"{url}: the deploy was not taken: status {status}{hint}")
    for receiver, outcome in outcomes.items():
        say(redact(_line(f"{receiver}: {outcome}")))
    return not any(outcome.startswith(FAILED) for outcome in outcomes.values())


def _outcomes(body: bytes) -> dict[str, str]:
    """By receiver; empty where the answer is not the exporter's."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {name: str(outcome) for name, outcome in found.items()} if isinstance(found, dict) else {}


def _line(text: str) -> str:
    """The first line, of what can be printed."""
    return "".join(sign for sign in text.strip().partition("\n")[0][:LONGEST] if sign.isprintable())
