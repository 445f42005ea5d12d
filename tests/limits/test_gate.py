"""How much may come: rates, places, memory, and bodies that must end."""

import gzip
from contextlib import AsyncExitStack

import pytest

from exporter.limits import LimitsOptions, gate
from tests.support.clock import settle
from tests.support.listening import listening, request

pytestmark = pytest.mark.fast


async def test_a_client_may_send_a_burst_and_then_as_many_as_its_rate(clock):
    async with listening(clock, rate=2, burst=3) as it:
        burst = [await it.ask(body=b"x") for _ in range(4)]
        await clock.advance(0.5)
        later = [await it.ask(body=b"x") for _ in range(2)]
        rejected = await it.rejected("rate")

    assert [answer.status for answer in burst] == [200, 200, 200, 429]
    assert burst[3].text == "more than 2 requests a second from one client\n"
    assert burst[3].headers["retry-after"] == "1"
    assert [answer.status for answer in later] == [200, 429]
    assert rejected == 2


async def test_who_may_come_back_later_is_told_when(clock):
    async with listening(clock, rate=0.1, burst=1) as it:
        answers = [await it.ask(body=b"x") for _ in range(2)]

    assert (answers[1].status, answers[1].headers["retry-after"]) == (429, "10")


async def test_a_pause_gives_no_more_than_a_burst(clock):
    async with listening(clock, rate=10, burst=2) as it:
        await clock.advance(1000)
        answers = [await it.ask(body=b"x") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]


async def test_what_is_small_to_send_and_large_to_read_is_paid_for(clock):
    bomb = gzip.compress(bytes(10 * gate.CHARGED))
    async with listening(clock, rate=1, burst=5) as it:
        first = await it.ask(body=bomb)
        at_once = await it.ask(body=b"x")
        await clock.advance(5)
        too_early = await it.ask(body=b"x")
        await clock.advance(2)
        later = await it.ask(body=b"x")

    assert [answer.status for answer in (first, at_once, too_early, later)] == [200, 429, 429, 200]
    assert at_once.headers["retry-after"] == "7"


async def test_who_sends_all_headers_first_does_not_get_round_it(clock):
    bomb = gzip.compress(bytes(10 * gate.CHARGED))
    async with listening(clock, rate=1, burst=5) as it, AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(it.connection()) for _ in range(3)]
        for peer in peers:
            await peer.send(request("POST", "/v1/echo", bomb)[: -len(bomb)])
        await settle()
        answers = []
        for peer in peers:
            await peer.send(bomb)
            answers.append(await peer.answer())

    assert [answer.status for answer in answers] == [200, 429, 429]
    assert answers[1].text == "more than 16384 bytes a second from one client\n"


async def test_behind_a_proxy_each_client_has_its_own_rate_and_lies_do_not_help(clock):
    async with listening(clock, rate=1, burst=1, proxies=1) as it:
        answers = [
            await it.ask(body=b"x", X_Forwarded_For=said)
            for said in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "6.6.6.6, 192.0.2.1", "192.0.2.3")
        ]

    assert [answer.status for answer in answers] == [200, 200, 429, 429, 200]


async def test_without_proxies_a_header_makes_nobody_another_client(clock):
    async with listening(clock, rate=1, burst=1) as it:
        answers = [await it.ask(body=b"x", X_Forwarded_For=f"192.0.2.{n}") for n in range(2)]

    assert [answer.status for answer in answers] == [200, 429]


async def test_all_together_may_send_no_more_than_the_total_rate(clock):
    async with listening(clock, total_rate=2, proxies=1) as it:
        answers = [await it.ask(body=b"x", X_Forwarded_For=f"192.0.2.{n}") for n in range(3)]
        await clock.advance(0.5)
        later = await it.ask(body=b"x", X_Forwarded_For="192.0.2.9")

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].text == "more than 2 requests a second\n"
    assert later.status == 200


async def test_a_total_rate_of_less_than_one_lets_one_through(clock):
    async with listening(clock, total_rate=0.5) as it:
        answers = [await it.ask(body=b"x") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 429]


async def test_of_ever_new_clients_the_quietest_are_forgotten(clock):
    request = type("Request", (), {"remote": "192.0.2.1", "headers": {}})
    it = gate.Gate(LimitsOptions(rate=1, burst=1, total_rate=1e6), clock)
    it.pace(request())

    for number in range(gate.REMEMBERED):
        it.pace(type("Request", (), {"remote": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"})())

    assert it.pace(request()) == "192.0.2.1"


async def test_one_client_has_a_quarter_of_the_places_and_the_others_the_rest(clock):
    async with listening(clock, at_once=8, proxies=1) as it:
        it.echo.open.clear()
        async with it.connection() as one, it.connection() as two, it.connection() as three:
            for peer in (one, two):
                await peer.send(request("POST", "/v1/echo", b"x", X_Forwarded_For="192.0.2.1"))
                await it.echo.inside.acquire()
            refused = await it.ask(body=b"x", X_Forwarded_For="192.0.2.1")
            await three.send(request("POST", "/v1/echo", b"x", X_Forwarded_For="192.0.2.2"))
            await it.echo.inside.acquire()
            it.echo.open.set()
            answers = [await peer.answer() for peer in (one, two, three)]
        again = await it.ask(body=b"x", X_Forwarded_For="192.0.2.1")
        rejected = await it.rejected("busy")

    assert (refused.status, refused.text) == (503, "2 requests of one client are under way already\n")
    assert refused.headers["retry-after"] == "1"
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert (again.status, rejected) == (200, 1)


async def test_all_clients_together_have_so_many_places(clock):
    async with listening(clock, at_once=1, proxies=1) as it:
        it.echo.open.clear()
        async with it.connection() as peer:
            await peer.send(request("POST", "/v1/echo", b"x", X_Forwarded_For="192.0.2.1"))
            await it.echo.inside.acquire()
            refused = await it.ask(body=b"x", X_Forwarded_For="192.0.2.2")
            it.echo.open.set()
            answer = await peer.answer()

    assert (answer.status, refused.status) == (200, 503)
    assert refused.text == "1 requests are under way already\n"


async def test_bodies_under_way_have_so_much_memory_and_it_is_given_back(clock):
    body = gzip.compress(b"x" * 60)

    async with listening(clock, body="64B", inflated="64B", memory="256B") as it:
        it.echo.open.clear()
        async with it.connection() as peer:
            await peer.send(request("POST", "/v1/echo", body))
            await it.echo.inside.acquire()
            refused = await it.ask(body=b"x" * 64)
            it.echo.open.set()
            answer = await peer.answer()
        again = [await it.ask(body=body) for _ in range(3)]

    assert (answer.status, answer.text) == (200, "x" * 60)
    assert (refused.status, refused.text) == (503, "too many bytes are under way already\n")
    assert [answer.status for answer in again] == [200, 200, 200]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_may_be_as_long_as_the_limit_and_no_longer(clock, announced):
    def bodies(size: int) -> bytes:
        if announced:
            return request("POST", "/v1/echo", b"x" * size)
        return request("POST", "/v1/echo", Transfer_Encoding="chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)

    async with listening(clock, body="1KiB") as it:
        async with it.connection() as peer:
            await peer.send(bodies(1024))
            fits = await peer.answer()
            await peer.send(bodies(1025))
            too_long = await peer.answer()
            left = await peer.end()
        rejected = await it.rejected("size")

    assert (fits.status, len(fits.text)) == (200, 1024)
    assert (too_long.status, too_long.text) == (413, "the body is longer than 1024 bytes\n")
    assert (too_long.headers["connection"], left, rejected) == ("close", b"", 1)


async def test_a_body_without_an_announced_length_is_cut_off_where_it_is_too_long(clock):
    async with listening(clock, body="1KiB") as it, it.connection() as peer:
        await peer.send(request("POST", "/v1/echo", Transfer_Encoding="chunked"))
        for _ in range(1000):
            await peer.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
        answer = await peer.answer()

    assert answer.status == 413
    assert it.echo.came == []


async def test_a_body_that_trickles_is_given_up_in_time(clock):
    async with listening(clock, time="10s") as it:
        async with it.connection() as peer:
            await peer.send(request("POST", "/v1/echo", Content_Length="100"))
            for _ in range(9):
                await peer.send(b"x")
                await clock.advance(1)
            await settled(it)
            await clock.advance(1.5)
            answer = await peer.answer()
        rejected = await it.rejected("slow")

    assert (answer.status, answer.text) == (408, "the body did not come within 10 s\n")
    assert (answer.headers["connection"], rejected) == ("close", 1)
    assert it.echo.came == []


async def settled(it):
    """Lets the listener see what was sent."""
    assert (await it.ask(body=b"x")).status == 200
    it.echo.came.clear()
    await settle()


@pytest.mark.parametrize(
    "rest",
    [b"zz\r\n", b"-1\r\n", b"1\r\nxy\r\n", b"1\r\nx", b"ffffffffffffffffff\r\n", b"1;" + b"a" * 20_000 + b"\r\nx\r\n"],
)
async def test_a_body_that_is_malformed_or_ends_early_is_refused_once_and_nothing_is_logged(clock, rest, capsys):
    async with listening(clock) as it:
        async with it.connection() as peer:
            await peer.send(request("POST", "/v1/echo", Transfer_Encoding="chunked") + b"1\r\nx\r\n")
            await settled(it)
            await peer.send(rest)
            peer.writer.write_eof()
            came = await peer.end()
        rejected = await it.rejected("body")
        page = await it.page()

    assert came.count(b"HTTP/1.1 ") <= 1
    assert rejected == 1, page
    assert it.echo.came == []
    assert capsys.readouterr() == ("", "")
