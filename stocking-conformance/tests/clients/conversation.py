"""The conversation of every client here, with Python's `websockets`: python3 conversation.py ws://127.0.0.1:12345/ws"""

import asyncio
import json
import re
import sys

import websockets

URL = sys.argv[1]


async def connect():
    # What the server does not negotiate is not used: compression is offered, as everybody does.
    client = await websockets.connect(URL)
    assert await client.recv() == "0"
    return client


async def ask(client, text):
    await client.send(text)
    return await client.recv()


async def close_code(client):
    try:
        received = await client.recv()
    except websockets.ConnectionClosed as closed:
        return closed.rcvd.code
    raise AssertionError(f"not a close: {received!r}")


async def main():
    one, other = await connect(), await connect()

    assert await ask(one, '4,7,{"e":"echo","p":"doge"}') == '4,7,{"c":-1,"p":"doge"}'
    assert await ask(one, '4,8,{"e":"greet","p":{"name":"doge"}}') == '4,8,{"c":-1,"p":"Hello doge"}'
    assert await ask(one, '4,9,{"e":"fail"}') == '4,9,{"c":401,"p":"who are you?"}'
    assert await ask(one, '4,0,{"e":"fail"}') == "1,401,who are you?"
    assert await ask(one, '4,9,{"e":"panic"}') == '4,9,{"c":-32603,"p":"internal error"}'
    assert await ask(one, "5,nobody,hi") == '1,0,Channel "nobody" not found'
    assert re.match("1,-32600,.", await ask(one, "hello"))
    assert await ask(one, "3") == "3"

    await one.send("6,1,news")
    assert await ask(one, "3") == "3"
    for content in ["", "a,b\r\n\0", "größe 🧦", "x" * 65_000]:
        await other.send(f"5,news,{content}")
        assert await one.recv() == f"5,news,{content}"

    identity = json.loads((await ask(one, '4,1,{"e":"id"}')).removeprefix("4,1,"))["p"]
    assert re.fullmatch("@[0-9A-Za-z]{22}", identity)
    await other.send(f"5,{identity},psst")
    assert await one.recv() == f"5,{identity},psst"

    # In fragments.
    await one.send(['4,1,{"e":"echo",', '"p":"in', ' pieces"}'])
    assert await one.recv() == '4,1,{"c":-1,"p":"in pieces"}'
    await (await other.ping("are you there?"))

    # Several at once, answered in order.
    for number in range(1, 101):
        await one.send(f'4,{number},{{"e":"echo","p":{number}}}')
    for number in range(1, 101):
        assert await one.recv() == f'4,{number},{{"c":-1,"p":{number}}}'

    await one.send("2")
    assert await close_code(one) == 1000
    await other.close(1000, "goodbye")
    assert other.close_code == 1000

    late = await connect()
    await late.send("5,news," + "x" * 65_536)
    assert await close_code(late) == 1009

    binary = await connect()
    await binary.send(b"3")
    assert await close_code(binary) == 1003

    agreed = await websockets.connect(URL, subprotocols=["a-token", "chat", "stocking"])
    assert agreed.subprotocol == "chat"
    await agreed.close()

    try:
        await websockets.connect(URL.removesuffix("/ws") + "/elsewhere")
    except websockets.InvalidStatus as refused:
        assert refused.response.status_code == 404
    else:
        raise AssertionError("somebody serves there")
    print("done")


asyncio.run(main())
