"""A WebSocket peer nobody here wrote: PyPI `websockets` against a station server that echoes every text message.

    websocket_peer.py PORT

Needs `websockets` 11 or newer. Ends with status 0 when everything held, otherwise with a traceback.
"""

import asyncio
import sys

import websockets


async def talk(url):
    async with websockets.connect(url, subprotocols=["ocpp2.0.1", "ocpp1.6"]) as link:
        assert link.subprotocol == "ocpp1.6", link.subprotocol
        for text in ["[]", "grün", "x" * 125, "x" * 126, "y" * 65536]:
            await link.send(text)
            assert await asyncio.wait_for(link.recv(), 5) == text
        await link.send(iter(["frag", "men", "ted"]))
        assert await asyncio.wait_for(link.recv(), 5) == "fragmented"
        await asyncio.wait_for(await link.ping(), 5)
        await link.close(1000, "bye")


async def closed_with(url, code, frame, **options):
    async with websockets.connect(url, **options) as link:
        if frame is not None:
            await link.send(frame)
        try:
            await asyncio.wait_for(link.recv(), 5)
        except websockets.ConnectionClosed as end:
            assert end.rcvd is not None and end.rcvd.code == code, (code, end)
        else:
            raise AssertionError(f"not closed with {code}")


async def refused_with(url, status):
    try:
        async with websockets.connect(url, subprotocols=["ocpp1.6"]):
            raise AssertionError(f"let in instead of {status}")
    except Exception as error:
        response = getattr(error, "response", None)
        found = getattr(response, "status_code", None) or getattr(error, "status_code", None)
        assert found == status, (found, error)


async def main(port):
    base = f"ws://127.0.0.1:{port}/ocpp/"
    await asyncio.gather(*(talk(f"{base}CP-{i}") for i in range(20)))
    await closed_with(base + "CP-1", 1002, None, subprotocols=["ocpp2.0.1"])
    await closed_with(base + "CP-1", 1003, b"\x01", subprotocols=["ocpp1.6"])
    await closed_with(base + "CP-1", 1009, "x" * 65537, subprotocols=["ocpp1.6"])
    await refused_with(base + "nobody", 404)
    await refused_with(base + "guarded", 401)


asyncio.run(main(int(sys.argv[1])))
