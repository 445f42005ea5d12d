"""Secrets: where they come from, and that they are seen nowhere."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exporter.config.secret import Secret, redactor
from exporter.settings import load

pytestmark = pytest.mark.fast


def test_a_secret_prints_as_stars_wherever_it_is_printed():
    secret = Secret("planted")

    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"


def test_a_file_is_found_beside_the_configuration_and_its_line_end_is_no_part_of_the_secret(config):
    path = config("probes: {stripe: {kind: stripe, key: {file: keys/stripe}}}")
    (path.parent / "keys").mkdir()
    (path.parent / "keys/stripe").write_text("sk_live_planted\n")

    settings = load(path, {})

    assert vars(settings.probes["stripe"])["key"].reveal() == "sk_live_planted"
    assert settings.redact("with sk_live_planted inside") == "with *** inside"
    assert "planted" not in repr(settings)
    assert "planted" not in settings.model_dump_json()


def test_a_text_without_secrets_passes_as_it_is():
    assert redactor([])("nothing to hide") == "nothing to hide"


def test_a_urls_password_is_hidden_alone_encoded_and_decoded():
    hide = redactor(["postgresql://app:p%40ss-word@db/app"])

    assert hide("password p%40ss-word") == "password ***"
    assert hide("password p@ss-word") == "password ***"
    assert hide("at postgresql://app:p%40ss-word@db/app") == "at ***"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives(secret, before, after):
    assume("*" not in secret)

    assert secret not in redactor([secret])(before + secret + after)


def test_what_is_too_short_to_hide_anything_leaves_texts_readable():
    assert redactor(["db"])("the db is down") == "the db is down"
