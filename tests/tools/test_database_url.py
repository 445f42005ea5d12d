"""Database URLs: Prisma's and node-postgres' are taken, and a bad one shows nothing of itself."""

import pytest

from exporter.tools.database_url import parse_database_url

pytestmark = pytest.mark.fast


def test_parameters_of_the_app_s_own_libraries_are_left_out():
    url = parse_database_url(
        "postgresql://u:p@db:6432/app?schema=chat&connection_limit=5&pgbouncer=true&sslaccept=strict"
    )

    assert url.dsn == "postgresql://u:p@/app"
    assert (url.host, url.port, url.schema) == ("db", 6432, "chat")


def test_without_a_port_and_a_schema_the_usual_ones_are_meant():
    url = parse_database_url("postgres://u:p@db/app")

    assert (url.port, url.schema, url.is_socket, url.needs_tls) == (5432, "public", False, False)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("postgresql://u:p@localhost/app?host=/Run/Pg", "/Run/Pg", 5432),
        ("postgresql://u:p@%2FRun%2FPg:6432/app", "/Run/Pg", 6432),
        ("postgresql:///app?host=/Run/Pg&port=6432", "/Run/Pg", 6432),
    ],
)
def test_a_socket_s_folder_is_a_host_in_upper_and_lower_case(text, host, port):
    url = parse_database_url(text)

    assert (url.host, url.port, url.is_socket) == (host, port, True)


@pytest.mark.parametrize("text", ["postgresql://u:p@[::1]/app", "postgresql://u:p@[::1]:5432/app"])
def test_an_ipv6_address_loses_its_brackets(text):
    url = parse_database_url(text)

    assert (url.host, url.port) == ("::1", 5432)


def test_a_bare_at_sign_belongs_to_the_password():
    url = parse_database_url("postgresql://u:p@ss@db/app")

    assert (url.host, url.dsn) == ("db", "postgresql://u:p%40ss@/app")


def test_a_url_prints_without_its_password():
    assert "planted" not in repr(parse_database_url("postgresql://u:planted@db/app"))


@pytest.mark.parametrize(
    ("mode", "needs"),
    [("disable", False), ("prefer", False), ("require", True), ("no-verify", True), ("verify-full", True)],
)
def test_tls_is_a_must_from_require_on(mode, needs):
    assert parse_database_url(f"postgresql://u:p@db/app?sslmode={mode}").needs_tls is needs


def test_verification_trusts_the_system_s_authorities_unless_a_file_is_named(ca_file):
    system = parse_database_url("postgresql://u:p@db/app?sslmode=verify-full")
    own = parse_database_url(f"postgresql://u:p@db/app?sslmode=verify-full&sslrootcert={ca_file}")

    assert "sslrootcert=" in system.dsn
    assert ca_file.name not in system.dsn
    assert ca_file.name in own.dsn


def test_sslcert_without_a_key_is_prisma_s_and_is_left_out(ca_file):
    prisma = parse_database_url("postgresql://u:p@db/app?sslcert=server-ca.pem")
    client = parse_database_url(f"postgresql://u:p@db/app?sslcert={ca_file}&sslkey={ca_file}")

    assert "sslcert" not in prisma.dsn
    assert "sslcert" in client.dsn


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("planted", "expected a URL such as postgresql://user:password@host:5432/database"),
        ("mysql://u:planted@db/app", "expected a URL such as postgresql://user:password@host:5432/database"),
        ("postgresql://u:planted@/app", "the host is missing"),
        ("postgresql://u:planted[@db/app", "percent-encode"),
        ("postgresql://u:1#planted@db/app", "percent-encode"),
        ("postgresql://u:1/planted@db/app", "percent-encode"),
        ("postgresql://u:1?planted@db/app", "percent-encode"),
        ("postgresql://u:p@db:planted/app", "percent-encode"),
        ("postgresql://u:p@db/app?port=planted", "percent-encode"),
        ("postgresql://u:planted@db:0/app?port=0", "the port is not one from 1 to 65535"),
        ("postgresql://u:planted@db/app?sslmode=planted", "expected an sslmode among disable, allow, prefer, require"),
        ("postgresql://u:p@db/app?sslrootcert=planted", "the file that sslrootcert names cannot be found"),
    ],
)
def test_a_bad_url_is_refused_without_showing_it(text, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_database_url(text)

    assert "planted" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:p@db/the%20app?schema=chat",
        "postgresql://u:p@db?dbname=the+app",
        "postgresql://the%20app:p@db",
    ],
)
def test_the_database_is_the_one_that_the_server_will_open(text):
    assert parse_database_url(text).database == "the app"
