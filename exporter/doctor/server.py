"""A server of the stack, asked within bounds."""

from typing import Any, TypeVar

import aiohttp
from pydantic import TypeAdapter, ValidationError

from exporter.clock import Clock
from exporter.doctor.login import Login
from exporter.errors import ExporterError
from exporter.tools.http import Answer, ask

Shape = TypeVar("Shape")


class Server:
    """The one at this URL; every method raises ExporterError where it does not answer as it should."""

    def __init__(
        self, name: str, url: str, session: aiohttp.ClientSession, clock: Clock, login: Login | None = None
    ) -> None:
        self.name = name
        self.url = url
        self.session = session
        self.clock = clock
        self.login = login

    async def get(self, path: str, *accepted: int, **params: Any) -> Answer:
        """The answer, where its status is 200 or one of those that are accepted."""
        headers = {"Authorization": self.login.header.reveal()} if self.login else {}
        answer = await ask(self.session, self.clock, "GET", self.url + path, params=params, headers=headers)
        if answer.status not in (200, *accepted):
            raise ExporterError(f"{self.url}{path}: the answer's status is {answer.status}")
        return answer

    async def read(self, path: str, shape: TypeAdapter[Shape], *accepted: int, **params: Any) -> Shape:
        """The answer's JSON."""
        return self.shaped(path, shape, await self.get(path, *accepted, **params))

    def shaped(self, path: str, shape: TypeAdapter[Shape], answer: Answer) -> Shape:
        """The JSON of an answer that this path gave."""
        try:
            return shape.validate_json(answer.body)
        except ValidationError as error:
            raise self.strange(path) from error

    def strange(self, path: str) -> ExporterError:
        """What to raise where an answer is not as this kind of server gives it."""
        return ExporterError(f"{self.url}{path}: this is not how {self.name} answers")
