"""Names and texts of others, in the form that SQL takes them: whatever they hold, they stay names and texts."""


def quoted(*name: str) -> str:
    """A name as SQL has it, each part in quotes: `"public"."Message"`."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)


def literal(text: str) -> str:
    """A text as SQL has it, with the same meaning whether or not `standard_conforming_strings` is on."""
    body = text.replace("'", "''")
    return "E'" + body.replace("\\", "\\\\") + "'" if "\\" in text else f"'{body}'"
