import asyncio, struct, asyncpg, traceback, pytest
from tests.support.servers import raw_server
@pytest.mark.parametrize("data",[b"R\x00\x00\x00\x08\x00\x00\x00\xff", b"R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I"+b"K\x00\x00\x00\x04", b"x\x00\x00\x00\x05a", b"\x00"*40, b"Z\x00\x00\x00\x05I", b"R\x00\x00\x00\x02", b"HTTP/1.1 400 Bad\r\n\r\n", b"T\x00\x00\x00\x08\x00\x00\x00\xff"])
async def test_x(data):
    async def talk(r,w):
        print(await r.readexactly(8)); w.write(b"N"); print(await r.read(1000)); w.write(data); await r.read()
    async with raw_server(talk) as port:
        try:
            async with asyncio.timeout(1):
                c=await asyncpg.connect(f"postgresql://u:p@127.0.0.1:{port}/x")
                print("connected"); c.terminate()
        except BaseException as e:
            print("ERR",data,type(e).__mro__, repr(e))
