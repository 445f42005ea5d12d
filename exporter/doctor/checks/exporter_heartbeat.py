"""Do alerts find their way back to the exporter? The Watchdog always fires, and is due every minute."""

from collections.abc import AsyncIterator

from exporter.alerts.webhook import LAST_SEEN, STALE
from exporter.doctor.checks.answers import EXPORTER
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.page import value
from exporter.doctor.stack import Stack, check


@check("exporter", EXPORTER)
async def exporter_heartbeat(stack: Stack) -> AsyncIterator[Finding]:
    """The time is that of the exporter's start until the first one has come."""
    server = stack["exporter"]
    seen = await value(server, LAST_SEEN.name)
    if seen is None:
        yield wrong(
            "takes no alerts: Sentry hears of none, and nothing shows that they find their way",
            "add the section `alerts` with a `token` to its configuration",
        )
    elif (age := server.clock.now() - seen) > STALE:
        yield wrong(
            f"has seen no Watchdog for {age / 60:.0f} minutes, and one is due every minute",
            "see what is wrong with Prometheus and Alertmanager below, and whether both sides have the same token",
        )
    else:
        yield good("was reached by the Watchdog, or started, within 10 minutes")
