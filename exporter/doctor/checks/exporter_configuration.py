"""Was the exporter's configuration accepted when it was last read?"""

from collections.abc import AsyncIterator

from exporter.app import RELOADED
from exporter.doctor.checks.answers import EXPORTER
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.page import switch
from exporter.doctor.stack import Stack, check


@check("exporter", EXPORTER)
async def exporter_configuration(stack: Stack) -> AsyncIterator[Finding]:
    """A refused one shows at the next start at the latest, when there is no old one to go on with."""
    if await switch(stack["exporter"], RELOADED.name):
        yield good("accepted its configuration")
    else:
        yield wrong(
            "refused its new configuration and goes on with the old one",
            "`chatterfy-exporter config check` names file, line and remedy",
        )
