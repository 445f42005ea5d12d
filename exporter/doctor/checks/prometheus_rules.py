"""Are the shipped rules loaded, and can they be evaluated?"""

from collections.abc import AsyncIterator, Iterator
from importlib.resources import files

import yaml
from pydantic import BaseModel, Field, TypeAdapter

from exporter.doctor.checks.answers import PROMETHEUS
from exporter.doctor.finding import Finding, good, some, wrong
from exporter.doctor.prometheus import Data
from exporter.doctor.stack import Stack, check


class _Rule(BaseModel):
    name: str
    type: str
    health: str
    last_error: str = Field("", alias="lastError")


class _Group(BaseModel):
    rules: list[_Rule]


class _Groups(BaseModel):
    groups: list[_Group]


_RULES = TypeAdapter(Data[_Groups])


@check("prometheus", PROMETHEUS)
async def prometheus_rules(stack: Stack) -> AsyncIterator[Finding]:
    """Rules of your own are welcome, and have to work too."""
    found = (await stack["prometheus"].read("/api/v1/rules", _RULES)).data
    rules = [rule for group in found.groups for rule in group.rules]
    shipped = set(_shipped())
    missing = shipped - {(rule.type, rule.name) for rule in rules}
    if missing:
        how_many = "none" if missing == shipped else f"{len(shipped - missing)}"
        yield wrong(
            f"has {how_many} of the {len(shipped)} shipped rules; missing: {some({name for _, name in missing})}",
            "mount prometheus/rules where `rule_files` looks for it, and reload",
        )
    else:
        yield good(f"has all {len(shipped)} shipped rules")
    broken = {rule.name: rule.last_error for rule in rules if rule.health == "err"}
    if broken:
        name = min(broken)
        yield wrong(
            f"cannot evaluate {some(broken)}: {name}: {broken[name]}",
            "take the rules of the version that the exporter has; /rules shows each error",
        )


def _shipped() -> Iterator[tuple[str, str]]:
    """Type, as Prometheus calls it, and name of every rule. The folder is a link; a wheel has the files themselves."""
    for file in (files("exporter.demo") / "prometheus/rules").iterdir():
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield ("alerting", rule["alert"]) if "alert" in rule else ("recording", rule["record"])
