"""`python -m grafana.past`: fills a folder, and serves it where that is asked for."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import click

from grafana.past.filling import fill
from grafana.past.memory import END, EXTERNAL
from grafana.past.rules import FOLDER
from grafana.past.server import Programs, serving


@click.command()
@click.option("--end", default=END, show_default=True, help="The last moment, in seconds since 1970.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder to fill; one that is there is kept as it is.",
)
@click.option("--serve", is_flag=True, help="Serve it until Ctrl-C.")
@click.option("--port", default=19190, show_default=True, help="Where.")
def main(end: float, data: Path, *, serve: bool, port: int) -> None:
    """Fills DATA with thirty days up to END."""
    programs = Programs.found()
    if not data.exists():
        begin = time.monotonic()
        asyncio.run(fill(data, end, programs))
        click.echo(f"filled {data} in {time.monotonic() - begin:.0f} s")
    if serve:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(programs, data, port))


async def _serve(programs: Programs, data: Path, port: int) -> None:
    async with serving(programs.prometheus, data, rules=FOLDER, port=port, labels=EXTERNAL) as server:
        click.echo(f"{server.url}; Ctrl-C stops it")
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
