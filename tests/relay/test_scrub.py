"""With `scrub` events go on without bodies, headers, cookies and prompts, and all else as it was."""

import gzip
import json

from tests.support.relay import KEY

PATH = f"/api/42/envelope/?sentry_key={KEY}"
SECRET = "tell nobody"
EVENT = {
    "event_id": "0" * 32,
    "level": "error",
    "message": "it broke",
    "request": {
        "url": "https://api.example.com/v1/chat",
        "method": "POST",
        "data": {"prompt": SECRET},
        "cookies": SECRET,
        "headers": {"Authorization": SECRET},
        "query_string": f"key={SECRET}",
        "env": {"REMOTE_ADDR": SECRET},
    },
    "extra": {"body": {"a": SECRET}, "headers": SECRET, "query": SECRET, "attempt": 2, "list": [{"api_key": SECRET}]},
    "contexts": {
        "trace": {"trace_id": "1", "data": {"gen_ai.request.messages": SECRET, "gen_ai.usage.input_tokens": 7}}
    },
    "exception": {"values": [{"value": "boom", "stacktrace": {"frames": [{"function": "f", "vars": {"x": SECRET}}]}}]},
    "half": "\ud83d",
}
ATTRIBUTES = {
    "url.full": {"type": "string", "value": f"http://127.0.0.1/v1/chat?key={SECRET}"},
    "url.path": {"type": "string", "value": "/v1/chat"},
    "url.query": {"type": "string", "value": SECRET},
    "http.request.header.cookie": {"type": "string[]", "value": [SECRET]},
    "http.request.body.data": {"type": "string", "value": SECRET},
    "http.target": {"type": "string", "value": f"/v1/chat?key={SECRET}"},
    "http.response.status_code": {"type": "integer", "value": 200},
}
SPAN = {"trace_id": "1", "name": "POST /v1/chat", "attributes": ATTRIBUTES}
ATTACHMENT = b'{"type":"attachment","length":12}\nraw\n\x00\xffbytes.\n'


async def send(sentry, upstream, body: bytes, path: str = PATH, **options: object) -> bytes:
    async with sentry(scrub=True, **options) as it:
        status, _, text = await it.post(path, gzip.compress(body), Content_Encoding="gzip")
        assert status == 200, text
    assert "Content-Encoding" not in upstream.came[0].headers
    went: bytes = upstream.came[0].body
    return went


async def test_events_go_on_without_what_should_not_leave(sentry, upstream):
    text = json.dumps(EVENT).encode()
    head = json.dumps({"type": "event", "content_type": "application/json", "length": len(text)}).encode()

    went = await send(sentry, upstream, b'{"event_id":"x"}\n' + head + b"\n" + text + b"\n" + ATTACHMENT)

    header, item, payload, rest = went.split(b"\n", 3)
    assert SECRET not in went.decode(errors="replace")
    assert header == b'{"event_id":"x"}'
    assert json.loads(item) == {"type": "event", "content_type": "application/json", "length": len(payload)}
    event = json.loads(payload)
    assert event["request"] == {"url": "https://api.example.com/v1/chat", "method": "POST"}
    assert event["extra"] == {
        "body": "[Filtered]", "headers": "[Filtered]", "query": "[Filtered]", "attempt": 2,
        "list": [{"api_key": "[Filtered]"}],
    }  # fmt: skip
    assert event["contexts"]["trace"]["data"] == {
        "gen_ai.request.messages": "[Filtered]",
        "gen_ai.usage.input_tokens": 7,
    }
    assert event["exception"]["values"][0]["value"] == "boom"
    assert (event["message"], event["half"]) == ("it broke", "\ud83d")
    assert rest == ATTACHMENT


async def test_what_is_no_event_goes_on_to_the_byte(sentry, upstream):
    body = b'{}\n{"type":"session"}\n{"init":true, "headers":1}\n' + ATTACHMENT + b'{"type":"empty"}\n\n'

    assert await send(sentry, upstream, body) == body


async def test_an_envelope_without_items_goes_on(sentry, upstream):
    assert await send(sentry, upstream, b"{}") == b"{}\n"


async def test_a_bare_event_is_scrubbed_too(sentry, upstream):
    went = await send(
        sentry,
        upstream,
        b'{"level":"error","request":"odd","extra":{"prompt":"x"}}',
        f"/api/42/store/?sentry_key={KEY}",
    )

    assert json.loads(went) == {"level": "error", "request": "odd", "extra": {"prompt": "[Filtered]"}}


async def test_an_event_that_is_too_large_to_be_scrubbed_is_refused(sentry, upstream):
    event = json.dumps({"message": "x" * 1_100_000}).encode()

    async with sentry(scrub=True) as it:
        status, _, text = await it.post(PATH, gzip.compress(b'{}\n{"type":"event"}\n' + event))

    assert (status, text) == (413, "a payload is longer than 1048576 bytes\n")
    assert upstream.came == []


async def test_spans_go_on_without_it_too(sentry, upstream):
    text = json.dumps({"version": 2, "items": [SPAN]}).encode()
    head = b'{"type":"span","item_count":1,"content_type":"application/vnd.sentry.items.span.v2+json"}'

    went = await send(sentry, upstream, b"{}\n" + head + b"\n" + text + b"\n")

    _, item, payload, _ = went.split(b"\n", 3)
    assert SECRET not in went.decode()
    assert json.loads(item) == {**json.loads(head), "length": len(payload)}
    attributes = json.loads(payload)["items"][0]["attributes"]
    assert attributes["http.request.header.cookie"] == {"type": "string", "value": "[Filtered]"}
    kept = ("url.path", "http.response.status_code")
    assert {name: attributes[name] for name in kept} == {name: ATTRIBUTES[name] for name in kept}
