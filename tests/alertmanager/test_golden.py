"""Messages as a whole, beside files that were reviewed; UPDATE_GOLDEN=1 writes them anew, but not where CI is set.

They show what a change of a template does to a message. What a message must say is asserted in test_slack, test_email.
"""

import os

import pytest

from tests.support.alertmanager import FOLDER
from tests.support.messages import email, slack

GOLDEN = FOLDER / "tests/golden"
CASES = ["critical", "warning", "resolved", "thirty", "mixed", "hostile", "bare"]
CHANNELS = {
    "slack.txt": lambda case: "\n".join(f"== {name}\n{text}" for name, text in slack(case).items()) + "\n",
    "email.txt": lambda case: f"Subject: {email(case)['subject']}\n\n{email(case)['text']}",
    "email.html": lambda case: email(case)["html"],
}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("case", CASES)
def test_a_message_is_the_one_that_was_read(case, channel):
    golden = GOLDEN / f"{case}.{channel}"
    message = CHANNELS[channel](case)
    if os.environ.get("UPDATE_GOLDEN"):
        assert not os.environ.get("CI"), "golden files are written by people, not by CI"
        golden.write_text(message)

    assert message == golden.read_text()


def test_every_golden_file_is_of_a_case():
    expected = {f"{case}.{channel}" for case in CASES for channel in CHANNELS}

    assert {path.name for path in GOLDEN.iterdir()} == expected
