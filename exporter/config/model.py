"""Data to models: pydantic checks, and its findings become problems in the user's words."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from exporter.config.reader import Document, Key, dotted
from exporter.config.secret import Sources
from exporter.errors import ConfigError, Problem


class Options(BaseModel):
    """The base of every configuration model: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)


Model = TypeVar("Model", bound=Options)


def build(model: type[Model], document: Document, sources: Sources) -> Model:
    """Checks a document against a model; raises ConfigError with every problem, in the order of the file."""
    try:
        return model.model_validate(document.data, context=sources)
    except ValidationError as error:
        schema = model.model_json_schema()
        found = [_problem(details, document, schema) for details in error.errors(include_url=False)]
        found.sort(key=lambda problem: _line(problem.where))
        raise ConfigError(dict.fromkeys(found)) from None


def _line(where: str) -> int:
    number = where.rpartition(":")[2]
    return int(number) if number.isdigit() else 0


def _problem(details: ErrorDetails, document: Document, schema: dict[str, Any]) -> Problem:
    at = _written(details["loc"], document.data, missing=details["type"] == "missing")
    value = details["input"]
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            at, name = at[:-1], str(at[-1])
            known = list(_keys(at, document.data, schema))
            message = f"unknown key '{name}'{_suggest(name, known) or _one_of(known)}"
            return Problem(document.where((*at, name)), dotted(at), message)
        case "missing":
            at, message = at[:-1], f"missing key '{details['loc'][-1]}'"
        case "union_tag_not_found":
            message = f"missing key 'kind', one of {', '.join(_kinds(schema))}"
        case "union_tag_invalid":
            at = (*at, "kind")
            kinds = list(_kinds(schema))
            message = f"unknown kind '{context['tag']}'{_suggest(str(context['tag']), kinds) or _one_of(kinds)}"
        case "value_error":
            message = str(context["error"])
        case "literal_error":
            message = f"expected {context['expected']}, got {value!r}"
        case "bool_type" | "bool_parsing":
            message = f"expected true or false, got {value!r}"
        case "int_type" | "int_parsing" | "int_from_float":
            message = f"expected a whole number, got {value!r}"
        case "string_type":
            message = f"expected text, got {value!r}"
        case "dict_type" | "model_type" | "model_attributes_type":
            message = f"expected a mapping of keys to values, got {_shape(value)}"
        case "list_type" | "tuple_type":
            message = f"expected a list, got {_shape(value)}"
        case _:
            message = details["msg"].replace("Input should be", "expected a value") + f", got {value!r}"
    return Problem(document.where(at), dotted(at), message)


def _written(loc: tuple[int | str, ...], data: Any, *, missing: bool) -> Key:
    """The location as the file has it.

    pydantic also names the chosen kind of a probe and each form that a value may have, and marks bad mapping keys.
    """
    at: Key = ()
    for place, part in enumerate(loc, 1):
        last = missing and place == len(loc)
        if isinstance(part, str) and not last and not (isinstance(data, dict) and part in data):
            continue
        at = (*at, part)
        data = _inside(data, part)
    return at


def _inside(data: Any, part: int | str) -> Any:
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return data.get(part) if isinstance(data, dict) else None


def _keys(at: Key, data: Any, schema: dict[str, Any]) -> Iterator[str]:
    """The keys that the schema allows at a place: of the whole model, or of the kind that stands there."""
    here: dict[str, Any] = schema
    for part in at:
        here = _resolved(here, schema)
        here = here.get("properties", {}).get(part) or here.get("additionalProperties") or here
        data = data[part]
    here = _resolved(here, schema)
    kind = data.get("kind") if isinstance(data, dict) else None
    if "discriminator" in here:
        here = _resolved({"$ref": here["discriminator"]["mapping"][kind]}, schema)
    yield from here.get("properties", {})


def _resolved(here: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follows a reference, also one that stands beside a default or inside `X or null`."""
    for option in here.get("anyOf", ()):
        if "$ref" in option:
            here = option
    name = here.get("$ref", "").rpartition("/")[2]
    return schema["$defs"][name] if name else here


def _kinds(schema: dict[str, Any]) -> Iterator[str]:
    yield from sorted(schema["properties"]["probes"]["additionalProperties"]["discriminator"]["mapping"])


def _suggest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _one_of(known: list[str]) -> str:
    return f", expected one of {', '.join(known)}"


def _shape(value: object) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "nothing"
        case _:
            return repr(value)
