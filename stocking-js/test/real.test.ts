// The built client, with `ws` and with what Node has itself, and real servers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import type { Options } from "../src/types.js";
import { built, missing, Proxy, RealServer, SERVERS, until } from "./support/servers.js";

const { connect, StockingError } = await built();
const sockets: Record<string, Options["WebSocket"]> = { ws: WebSocket, "the global one": globalThis.WebSocket };

for (const [runtime, example] of Object.entries(SERVERS)) {
    const skip = missing(example);
    const timeout = 60_000;

    for (const [name, Socket] of Object.entries(sockets)) {
        test(`calls, channels and direct messages: ${runtime}, ${name}`, { skip: skip || (!Socket && "there is none"), timeout }, async () => {
            await using server = await new RealServer(example).start();
            const [one, two] = [0, 1].map(() => connect(server.url, { WebSocket: Socket! }));
            const errors: any[] = [];
            one!.on("error", (error) => errors.push(error));

            assert.equal(await one!.call("greet", { name: "doge" }), "Hello doge");
            assert.deepEqual(await one!.call("echo", { deep: [1, null, "🧦"] }), { deep: [1, null, "🧦"] });
            assert.equal(await one!.call("what?"), "oops");
            const error: any = await one!.call("greet", 7).catch((error) => error);
            assert.ok(error instanceof StockingError && error.code == -32602);
            one!.emit("greet", 7);
            one!.send("nowhere", "hello?");
            await until(() => errors.length == 2);
            assert.deepEqual(errors.map(({ code, message }) => [code, message.slice(0, 9)]), [[-32602, "the paylo"], [0, 'Channel "']]);

            const [mine, theirs] = await Promise.all([one!.join("news"), two!.join("news")]);
            for (let count = 0; count < 100; count++) mine.send(`${count}`);
            const heard: string[] = [];
            for await (const text of theirs) if (heard.push(text) == 100) break;
            assert.deepEqual(heard, Array.from({ length: 100 }, (_, count) => `${count}`));

            const direct = new Promise((resolve) => two!.on("message", (text, to) => resolve([text, to])));
            one!.send(two!.id!, "psst");
            assert.deepEqual(await direct, ["psst", two!.id]);

            theirs.leave();
            mine.send("alone");
            assert.deepEqual(await Promise.all([one!.close(), two!.close()]), [true, true]);
        });
    }

    test(`what is said while a client is cut off arrives, once and in order: ${runtime}`, { skip, timeout }, async () => {
        await using server = await new RealServer(example).start();
        await using proxy = await new Proxy(server.port).listen();
        const one = connect(proxy.url, { WebSocket, backoffMin: 50 });
        const two = connect(server.url, { WebSocket });
        const told: string[] = [];
        for (const kind of ["connect", "disconnect", "resumed", "reset"] as const) one.on(kind, () => told.push(kind));
        const [mine, theirs] = await Promise.all([one.join("news"), two.join("news")]);
        const heard: string[] = [];
        mine.on("message", (text) => heard.push(text));

        proxy.isUp = false;
        proxy.cut();
        await until(() => one.state == "waiting");
        for (let count = 0; count < 50; count++) theirs.send(`${count}`);
        mine.send("I am away");
        const call = one.call("echo", "later");
        const answers: string[] = [];
        theirs.on("message", (text) => answers.push(text));
        await two.call("echo");
        proxy.isUp = true;

        assert.equal(await call, "later");
        await until(() => heard.length >= 50);
        assert.deepEqual(heard, Array.from({ length: 50 }, (_, count) => `${count}`));
        await until(() => answers.length);
        assert.deepEqual([answers, told], [["I am away"], ["connect", "disconnect", "resumed"]]);
        assert.deepEqual(await Promise.all([one.close(), two.close()]), [true, true]);
    });

    test(`a server that was restarted is a reset, and channels are joined again: ${runtime}`, { skip, timeout }, async () => {
        await using server = await new RealServer(example).start();
        const clients = [0, 1].map(() => connect(server.url, { WebSocket, backoffMin: 50 }));
        const resets: any[] = [];
        for (const client of clients) client.on("reset", (what) => resets.push(what));
        const rooms = await Promise.all(clients.map((client) => client.join("news")));
        const before = clients[0]!.id;
        await server.stop();
        // What is written into a connection that has ended is unknown, rightly.
        await until(() => clients.every(({ state }) => state != "connected"));
        const call = clients[0]!.call("echo", "over there");
        await server.start();
        assert.equal(await call, "over there");
        assert.notEqual(clients[0]!.id, before);
        await until(() => resets.length == 2);
        assert.deepEqual(resets.map(({ rejoined }) => rejoined), [["news"], ["news"]]);
        // Who was asked for behind the join is answered behind it.
        await clients[1]!.call("echo");
        rooms[0]!.send("again");
        for await (const text of rooms[1]!) {
            assert.equal(text, "again");
            break;
        }
        assert.deepEqual(await Promise.all(clients.map((client) => client.close())), [true, true]);
    });

    test(`who says goodbye is gone at once: ${runtime}`, { skip, timeout }, async () => {
        await using server = await new RealServer(example).start();
        const [one, two] = [0, 1].map(() => connect(server.url, { WebSocket }));
        await Promise.all([one!.call("echo"), two!.call("echo")]);
        const { id } = two!;
        assert.equal(await two!.close(), true);
        const error = new Promise<any>((resolve) => one!.on("error", resolve));
        one!.send(id!, "still there?");
        assert.equal((await error).message, `Channel "${id}" not found`);
        await one!.close();
        const again = connect(server.url, { WebSocket });
        assert.equal(await again.call("echo", "again"), "again");
        await again.close();
    });
}
