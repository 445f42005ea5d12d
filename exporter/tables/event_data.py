r"""JSON that may be none: an expression that is the object, or NULL, and never an error.

PostgreSQL 15 has neither `IS JSON` nor `pg_input_is_valid`, and a reader may create no function, so a regular
expression tells what may be cast. It takes less than JSON allows, and all that is left out would be an error:
`\u0000`, half a surrogate pair, numbers beyond `numeric`. Objects and lists may stand in one another three deep.
"""

from exporter.tables.quoting import literal

_SPACE = r"[ \t\n\r]*"
_HEX = "[0-9a-fA-F]"
_PAIR = rf"[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
_ASCII = f"00(?:0[1-9a-fA-F]|[1-7]{_HEX})"
_ANY = rf"00[89a-fA-F]{_HEX}|0[1-9a-fA-F]{_HEX}{{2}}|[1-9a-cA-CefEF]{_HEX}{{3}}|[dD][0-7]{_HEX}{{2}}|{_PAIR}"
_STRING = rf'"(?:[^"\\\x01-\x1f]|\\(?:["\\/bfnrt]|u(?:{_ASCII}|{_ANY})))*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]{1,3})?"
_SCALAR = f"(?:{_STRING}|{_NUMBER}|true|false|null)"


def _object(value: str) -> str:
    # What follows a comma is looked at ahead: so `value` stands here once, and the whole stays short.
    member = f"{_STRING}{_SPACE}:{_SPACE}{value}{_SPACE}"
    return rf'\{{{_SPACE}(?:{member}(?:,{_SPACE}(?=")|(?=\}})))*\}}'


def _list(value: str) -> str:
    return rf"\[{_SPACE}(?:{value}{_SPACE}(?:,{_SPACE}(?=[^] \t\n\r])|(?=\])))*\]"


def _value(depth: int) -> str:
    if depth == 0:
        return _SCALAR
    inner = _value(depth - 1)
    return f"(?:{_SCALAR}|{_list(inner)}|{_object(inner)})"


def _whole(pattern: str) -> str:
    return literal(f"^{_SPACE}{pattern}{_SPACE}$")


_IS_STRING = _whole(_STRING)
_IS_FLAT = _whole(_object(_value(0)))
_IS_OBJECT = _whole(_object(_value(2)))
_ESCAPE = literal(r"\\u")


def _fits(text: str) -> str:
    """Whether no number is longer than `numeric` takes, and no escape is one that the database's encoding lacks."""
    return (
        f"(octet_length({text}) < 15000 OR {text} !~ '[0-9]{{255}}')"
        f" AND (getdatabaseencoding() = 'UTF8' OR {text} !~ {_ESCAPE})"
    )


def parsed(column: str) -> str:
    """SQL for the object that a (quoted) column holds, as jsonb: as text, json or jsonb, or as JSON in a JSON string.

    Most are flat; the shorter pattern, which sees that at a third of the cost, is tried first. OFFSET 0 keeps the
    planner from working a step out anew wherever the next one names it.
    """
    text = f'SELECT ({column})::text COLLATE "C" AS text OFFSET 0'
    is_string = f"text NOT LIKE '{{%' AND text ~ {_IS_STRING} AND {_fits('text')}"
    inner = f"CASE WHEN {is_string} THEN text::jsonb #>> '{{}}' ELSE text END"
    is_object = f"(text ~ {_IS_FLAT} OR text ~ {_IS_OBJECT}) AND {_fits('text')}"
    source = f"(SELECT {inner} AS text FROM ({text}) AS outside OFFSET 0)"
    value = f"SELECT CASE WHEN {is_object} THEN text::jsonb END FROM {source} AS inside"
    is_jsonb = f"pg_typeof({column}) = 'jsonb'::regtype AND jsonb_typeof(to_jsonb({column})) = 'object'"
    return f"CASE WHEN {is_jsonb} THEN to_jsonb({column}) ELSE ({value}) END"
