"""What the database lacks is told, with what to do, and doing it cures it."""

import pytest

from exporter.tables import LOGICAL, Tables, TablesOptions, used
from tests.tables.conftest import DATA, DDL

GROWING = [("message", "created_at"), ("business_event", "created_at"), ("api_request", "created_at")]
LOG = [("api_request", "created_at")]


def tables(**options) -> Tables:
    return Tables.of(TablesOptions.model_validate(options), "public")


@pytest.mark.parametrize(("preset", "table"), [("prisma", "Metric"), ("snake_case", "metrics")])
async def test_a_preset_fits_its_schema_and_the_advice_gives_the_one_index_that_it_lacks(empty, preset, table):
    await empty.execute((DATA / DDL[preset]).read_text())
    mapping = tables(preset=preset)

    (problem,) = await mapping.problems(empty, LOGICAL, GROWING)

    assert (problem.table, problem.column, problem.fatal) == ("api_request", "created_at", False)
    assert problem.message == f'"public"."{table}" has no index on "timestamp": every refresh reads the whole table'
    assert problem.advice == (f'CREATE INDEX CONCURRENTLY "{table}_timestamp_idx" ON "public"."{table}" ("timestamp");')
    assert not problem.hits(LOGICAL)
    await empty.execute(problem.advice)
    assert await mapping.problems(empty, LOGICAL, GROWING) == []


async def test_the_other_preset_is_offered_where_it_fits(prisma):
    problems = await tables(preset="snake_case").problems(prisma, ["org", "message"])

    assert [(problem.message, problem.advice, problem.fatal) for problem in problems] == [
        (
            'the table "public"."orgs" does not exist (did you mean "Org"?)',
            "set tables.preset to the other naming, or tables.org.table to Org",
            True,
        ),
        (
            'the table "public"."messages" does not exist (did you mean "Message"?)',
            "set tables.preset to the other naming, or tables.message.table to Message",
            True,
        ),
    ]


async def test_a_missing_table_is_told_with_the_nearest_name(prisma):
    (problem,) = await tables(message={"table": "Massage"}).problems(prisma, LOGICAL)

    assert problem.message == 'the table "public"."Massage" does not exist (did you mean "Message"?)'
    assert problem.hits(["message"])
    assert problem.hits({"message": []})
    assert not problem.hits(["org"])


async def test_a_missing_schema_is_told_with_the_nearest_name(prisma):
    await prisma.execute("CREATE SCHEMA sales")

    (problem,) = await tables(org={"schema": "sale"}).problems(prisma, LOGICAL)

    assert problem.message == 'the schema "sale" does not exist (did you mean "sales"?)'
    assert problem.advice == "set tables.schema or tables.org.schema to the one that has the table"


async def test_a_table_unlike_any_other_is_told_without_a_guess(empty):
    (problem,) = await tables().problems(empty, ["org"])

    assert problem.message == 'the table "public"."Org" does not exist'
    assert problem.advice == "set tables.org.table, or tables.schema, to where it is"


async def test_a_missing_column_stops_the_queries_that_use_it_and_no_other(prisma):
    await prisma.execute(
        'ALTER TABLE "Message" DROP COLUMN tokens; ALTER TABLE "Message" RENAME "createdAt" TO created_at'
    )

    tokens, time = await tables().problems(prisma, ["message"])

    assert tokens.message == 'the column "tokens" of "public"."Message" does not exist'
    assert time.message == 'the column "createdAt" of "public"."Message" does not exist (did you mean "created_at"?)'
    assert time.advice == "set tables.message.columns.created_at to its name"
    assert tokens.hits(used("SELECT sum(tokens) FROM message", ["message"]))
    assert not tokens.hits(used("SELECT count(*) FROM message", ["message"]))
    assert await tables().problems(prisma, used("SELECT count(*) FROM message", ["message"])) == []


async def test_a_missing_time_column_is_told_once_and_needs_no_index(prisma):
    await prisma.execute('ALTER TABLE "Message" DROP COLUMN "createdAt"')
    counts = used("SELECT count(*) FROM message", ["message"], ("message", "created_at"))

    (problem,) = await tables().problems(prisma, {"message": ["id"]}, [("message", "created_at")])

    assert problem.message == 'the column "createdAt" of "public"."Message" does not exist'
    assert problem.hits(counts)


async def test_a_request_log_without_a_type_is_told_how_to_do_without(empty):
    await empty.execute(
        'CREATE TABLE log (id text, endpoint text, method text, duration float, status int, "timestamp" timestamp)'
    )

    (problem,) = await tables(api_request={"table": "log"}).problems(empty, ["api_request"])

    assert problem.message == 'the column "type" of "public"."log" does not exist'
    assert (
        problem.advice == "set tables.api_request.only to what tells its rows from others, or to {} if it has no others"
    )
    assert problem.hits({"api_request": ["status"]})
    assert await tables(api_request={"table": "log", "only": {}}).problems(empty, ["api_request"]) == []


async def test_no_rights_are_needed(server, prisma):
    role = await server.role("secret")
    await prisma.execute(f"SET ROLE {role}")

    problems = await tables().problems(prisma, LOGICAL, GROWING)

    assert [problem.table for problem in problems] == ["api_request"]
    await prisma.execute(f"RESET ROLE; DROP ROLE {role}")


@pytest.mark.parametrize(
    "index",
    [
        '("timestamp")',
        '("timestamp" DESC, endpoint)',
        '(type, "timestamp")',
        'USING brin ("timestamp")',
    ],
)
async def test_an_index_that_finds_the_time_serves(prisma, index):
    await prisma.execute(f'CREATE INDEX ON "Metric" {index}')

    assert await tables().problems(prisma, LOGICAL, LOG) == []


@pytest.mark.parametrize(
    "index",
    [
        '(endpoint, "timestamp")',
        '(date_trunc(\'day\', "timestamp"), "timestamp")',
        '(endpoint) INCLUDE ("timestamp")',
        '("timestamp") WHERE status = 500',
        'USING hash ("timestamp")',
    ],
)
async def test_an_index_that_does_not_find_the_time_does_not_serve(prisma, index):
    await prisma.execute(f'CREATE INDEX ON "Metric" {index}')

    (problem,) = await tables().problems(prisma, LOGICAL, LOG)

    assert problem.column == "created_at"


async def test_an_index_that_was_left_half_built_does_not_serve_and_the_advice_works_beside_it(prisma):
    await prisma.execute(
        'CREATE INDEX "Metric_timestamp_idx" ON "Metric" ("timestamp");'
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"Metric_timestamp_idx\"'::regclass"
    )

    (problem,) = await tables().problems(prisma, LOGICAL, LOG)

    assert problem.advice == 'CREATE INDEX CONCURRENTLY ON "public"."Metric" ("timestamp");'
    await prisma.execute(problem.advice)
    assert await tables().problems(prisma, LOGICAL, LOG) == []


async def test_a_long_name_is_shortened_between_characters(empty):
    name = "ä" * 31
    await empty.execute(f'CREATE TABLE "{name}" (sent timestamp)')
    mapping = tables(message={"table": name, "columns": {"created_at": "sent"}})

    (problem,) = await mapping.problems(empty, {"message": ["created_at"]}, [("message", "created_at")])

    assert problem.advice.startswith(f'CREATE INDEX CONCURRENTLY "{"ä" * 29}_idx" ON')
    await empty.execute(problem.advice)
    assert await mapping.problems(empty, {"message": ["created_at"]}, [("message", "created_at")]) == []


async def test_a_view_will_do_and_needs_no_index(prisma):
    await prisma.execute('CREATE VIEW requests AS SELECT * FROM "Metric"')

    assert await tables(api_request={"table": "requests"}).problems(prisma, ["api_request"], LOG) == []


async def test_a_missing_table_is_told_once(prisma):
    problems = await tables(api_request={"table": "requests"}).problems(prisma, ["api_request"], LOG * 2)

    assert len(problems) == 1


async def test_a_partitioned_table_will_do_and_each_partition_needs_the_index(empty):
    await empty.execute(
        "CREATE TABLE m (sent timestamp) PARTITION BY RANGE (sent);"
        "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
        "CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY RANGE (sent);"
        "CREATE TABLE m3 PARTITION OF m2 DEFAULT; CREATE INDEX ON m1 (sent)"
    )
    mapping = tables(message={"table": "m", "columns": {"created_at": "sent"}})
    asked = ({"message": ["created_at"]}, [("message", "created_at")])

    (problem,) = await mapping.problems(empty, *asked)

    assert problem.advice == 'CREATE INDEX "m_sent_idx" ON "public"."m" ("sent");'
    await empty.execute(problem.advice)
    assert await mapping.problems(empty, *asked) == []
