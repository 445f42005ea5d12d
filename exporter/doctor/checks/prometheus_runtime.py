"""Did Prometheus accept its configuration, and does it keep 30 days, which the objectives look back on?"""

import re
from collections.abc import AsyncIterator

from pydantic import BaseModel, Field, TypeAdapter

from exporter.doctor.checks.answers import PROMETHEUS
from exporter.doctor.durations import seconds
from exporter.doctor.finding import Finding, good, wrong
from exporter.doctor.prometheus import Data
from exporter.doctor.stack import Stack, check

WANTED = 30 * 86400.0


class _Runtime(BaseModel):
    reloaded: bool = Field(alias="reloadConfigSuccess")
    retention: str = Field(alias="storageRetention")


_RUNTIME = TypeAdapter(Data[_Runtime])


@check("prometheus", PROMETHEUS)
async def prometheus_runtime(stack: Stack) -> AsyncIterator[Finding]:
    """Retention is a time, a size, or `15d or 10GiB`; of a size alone nobody can say how long it lasts."""
    found = (await stack["prometheus"].read("/api/v1/status/runtimeinfo", _RUNTIME)).data
    if found.reloaded:
        yield good("accepted its configuration")
    else:
        yield wrong(
            "refused its new configuration or rules and goes on with the old ones",
            "`promtool check config` names the mistake",
        )
    kept = [time for part in re.split(r" or ", found.retention) if (time := seconds(part)) is not None]
    if kept and kept[0] < WANTED:
        yield wrong(
            f"keeps {found.retention}, and availability is told of 30 days",
            "start it with --storage.tsdb.retention.time=35d",
        )
    else:
        yield good(f"keeps {found.retention}")
