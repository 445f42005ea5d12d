"""May the doctor look into Grafana?"""

from collections.abc import AsyncIterator

from exporter.doctor.checks.answers import GRAFANA
from exporter.doctor.finding import Finding, good, skip, wrong
from exporter.doctor.stack import Stack, check

RESET = (
    "Grafana takes its admin password only at the first start of its volume, so an older one may hold: "
    "`docker compose -f docker-compose.monitoring.yml exec -T grafana grafana cli --homepath /usr/share/grafana "
    "admin reset-admin-password --password-from-stdin < secrets/grafana_admin_password` "
    "(after five wrong tries it refuses every one for five minutes)"
)


@check("grafana", GRAFANA)
async def grafana_login(stack: Stack) -> AsyncIterator[Finding]:
    """Shows what it has once: Grafana locks a user out who is wrong too often."""
    grafana = stack["grafana"]
    if grafana.login is None:
        yield skip("dashboards and datasources", "give --grafana-password-file or --grafana-token-file to look at them")
        return
    status = (await grafana.get("/api/datasources", 401, 403)).status
    if status == 200:
        yield good("lets us in")
    elif status == 403:
        yield wrong("may not list datasources with this login", "give the user or the service account the role Admin")
    elif grafana.login.is_token:
        yield wrong("refuses the token", "make another: Administration, Users and access, Service accounts")
    else:
        yield wrong("refuses the password", RESET)
