"""Program: one server for each kind of probe, those of the demo; writes the configuration that watches them all."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import cast

import yaml

from exporter.clock import SystemClock
from exporter.demo.world import World


class Names(asyncio.DatagramProtocol):
    """A name server that answers every question with 127.0.0.1."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to answer."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """The question comes back as a response with one A record (RFC 1035, 4.1)."""
        question = data[12 : data.index(b"\0", 12) + 5]
        counts = b"\0\1\0\1\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1"
        self._transport.sendto(data[:2] + b"\x81\x80" + counts + question + record, addr)


async def main(folder: Path, port: int) -> None:
    """Prints the configuration's path and the environment that it names; serves until SIGTERM."""
    loop = asyncio.get_running_loop()
    names, _ = await loop.create_datagram_endpoint(Names, ("127.0.0.1", 0))
    world = World(SystemClock(), port=port)
    try:
        await asyncio.gather(*(site.start() for site in world.sites), world.database.start())
        document = yaml.safe_load(world.config)
        del document["alerts"], document["ingest"]
        host, name_port = names.get_extra_info("sockname")
        document["probes"]["names"] = {"kind": "dns", "name": "chatterfy.test", "server": f"{host}:{name_port}"}
        for options in document["probes"].values():
            options |= {"interval": "2s", "timeout": "1s"}
        path = folder / "all-kinds.yml"
        path.write_text(yaml.safe_dump(document))
        print(json.dumps({"path": str(path), "environ": world.environment}), flush=True)
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()
    finally:
        await world.close()
        names.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
