"""The embedded database by itself."""

from pathlib import Path

import pytest

from exporter.demo.database import Database
from exporter.errors import ExporterError


async def test_a_stopped_database_closes_and_deletes_its_files(short_folder):
    database = Database(short_folder)
    await database.start()
    await database.stop()

    await database.close()

    assert list(short_folder.iterdir()) == []


async def test_a_database_that_stands_still_closes_all_the_same(short_folder):
    database = Database(short_folder)
    await database.start()
    await database.freeze()

    await database.close()

    assert list(short_folder.iterdir()) == []


async def test_a_database_that_never_started_can_be_stopped_and_closed():
    database = Database(Path("/nowhere"))

    await database.stop()
    await database.close()


async def test_a_database_that_cannot_start_says_why():
    database = Database(Path("/nowhere"))
    with pytest.raises(ExporterError, match=r"the embedded PostgreSQL does not start: .*No such file or directory"):
        await database.start()

    await database.close()
