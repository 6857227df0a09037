// Clients over a network that breaks all the time, and a real server.
// Daily in a small form; `TORN_CLIENTS=200 TORN_SECONDS=60 npm test torn` is the long one.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import { built, missing, Proxy, RealServer, SERVERS, until } from "./support/servers.js";

const CLIENTS = Number(process.env.TORN_CLIENTS ?? 10);
const SECONDS = Number(process.env.TORN_SECONDS ?? 8);
/** That all clients send together. */
const MESSAGES_A_SECOND = 100;
/** What a connection lives for at most; on average half of it, so that each is cut every 2 s. */
const LIFETIME = 4000;

const { connect } = await built();

// Both at once, since they wait for most of their time.
describe("a network that breaks all the time", { concurrency: true }, () => {
    for (const [runtime, example] of Object.entries(SERVERS)) {
        const timeout = (SECONDS * 3 + 120) * 1000;
        test(`${CLIENTS} clients, each cut every 2 s for ${SECONDS} s: ${runtime}`, { skip: missing(example), timeout }, async (context) => {
            await using server = await new RealServer(example).start();
            await using proxy = await new Proxy(server.port, (cut) => {
                // At once, or after it has passed nothing on for some time.
                const stall = Math.random() < 0.5 ? 0 : Math.random() * 1000;
                setTimeout(() => cut(stall), Math.random() * LIFETIME);
            }).listen();
            let resets = 0;
            // Whoever is cut is back at once: to be cut again, as the client for Rust is.
            const options = { WebSocket, timeout: 60_000, backoffMin: 10, backoffMax: 100 };
            const clients = Array.from({ length: CLIENTS }, () => connect(proxy.url, options));
            for (const client of clients) client.on("reset", () => resets++);
            const rooms = await Promise.all(clients.map((client) => client.join("news")));
            /** What each has heard of each: how many, since they are to come in order. */
            const heard = clients.map(() => new Uint32Array(CLIENTS));
            let [delivered, wrong] = [0, 0];
            for (const [to, room] of rooms.entries()) {
                room.on("message", (text) => {
                    const [from, number] = text.split(" ").map(Number);
                    if (heard[to]![from!]!++ != number) wrong++;
                    delivered++;
                });
            }
            const each = Math.ceil((MESSAGES_A_SECOND * SECONDS) / CLIENTS);
            const pause = (SECONDS * 1000) / each;
            await Promise.all(
                rooms.map(async (room, from) => {
                    for (let number = 0; number < each; number++) {
                        room.send(`${from} ${number}`);
                        await new Promise((resolve) => setTimeout(resolve, pause));
                    }
                }),
            );
            const expected = CLIENTS * (CLIENTS - 1) * each;
            await until(() => delivered >= expected);
            // An answer behind all that: nothing comes twice.
            await Promise.all(clients.map((client) => client.call("echo")));
            context.diagnostic(`${delivered} of ${expected} delivered, ${proxy.cuts} connections cut`);
            assert.deepEqual({ delivered, wrong, resets }, { delivered: expected, wrong: 0, resets: 0 });
            assert.ok(proxy.cuts >= (CLIENTS * SECONDS) / 5, `${proxy.cuts} cuts are too few`);
            await Promise.all(clients.map((client) => client.close()));
        });
    }
});
