"""Did Alertmanager accept its configuration, and does that send anything to anybody?"""

from collections.abc import AsyncIterator

from exporter.alertmanager import Alertmanager
from exporter.doctor.checks.answers import ALERTMANAGER
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.page import switch
from exporter.doctor.stack import Stack, check


@check("alertmanager", ALERTMANAGER)
async def alertmanager_configuration(stack: Stack) -> AsyncIterator[Finding]:
    """A receiver may be empty (so is `none`); not all of them."""
    server = stack["alertmanager"]
    if await switch(server, "alertmanager_config_last_reload_successful"):
        yield good("accepted its configuration")
    else:
        yield wrong(
            "refused its new configuration and goes on with the old one", "`amtool check-config` names the mistake"
        )
    found = await Alertmanager(server.url, server.session, server.clock).configuration()
    names = [str(receiver.get("name")) for receiver in found.receivers]
    sending = [name for name in names if found.integrations([name])]
    if sending:
        yield good(f"sends to {', '.join(sending)}")
    else:
        yield wrong(
            "has no receiver that sends anything: alerts reach nobody",
            "take the receivers of alertmanager/alertmanager.yml, and reload",
        )
