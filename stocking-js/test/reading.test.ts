// What waits in a room until somebody reads it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gather, join } from "./support/rooms.js";
import { openWorld, settle } from "./support/world.js";

test("a message costs no more to read where twenty times as many wait", async () => {
    using world = await openWorld();
    let rooms = 0;
    /** Milliseconds for reading what waits in a room, all of it. */
    const read = async (count: number): Promise<number> => {
        const name = `news-${rooms++}`;
        const room = await join(world, name);
        for (let number = 0; number < count; number++) world.socket.say(`5,${name},${number}`);
        await settle();
        const begun = performance.now();
        const heard = gather(room);
        await settle();
        const took = performance.now() - begun;
        assert.equal(heard.length, count);
        room.leave();
        return took;
    };
    /** The same 60,000 messages from twenty rooms and from one: a cost that grows with what waits makes it twenty times as much. */
    const round = async (): Promise<[twenty: number, one: number]> => {
        let twenty = 0;
        for (let time = 0; time < 20; time++) twenty += await read(3000);
        return [twenty, await read(60_000)];
    };
    const rounds = [await round(), await round(), await round(), await round(), await round()];
    const ratios = rounds.map(([twenty, one]) => one / twenty).sort((a, b) => a - b);
    assert.ok(ratios[2]! < 8, `one room's time by twenty rooms', in five rounds: ${ratios}`);
});

test("empty messages that nobody reads do not grow for ever either", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    for (let count = 0; count < 70_000; count++) world.socket.say("5,news,");
    assert.deepEqual((await world.heard("error")).map(([, error]: any) => error.message), ["Unread: news"]);
    assert.ok(gather(room).length < 5000);
});

test("a loop that waits can be given up, and what comes then is for the next one", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    const loop = room[Symbol.asyncIterator]();
    const waiting = [loop.next(), loop.next()];
    const given = loop.return!();
    const end = { done: true, value: undefined };
    assert.deepEqual([await given, await waiting[0], await waiting[1], await loop.next()], [end, end, end, end]);
    await world.say("5,news,1");
    assert.deepEqual(await loop.next(), end);
    for await (const text of room) {
        assert.equal(text, "1");
        break;
    }
});

test("who asks several times before an answer gets as many, in order", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    const loop = room[Symbol.asyncIterator]();
    const asked = [loop.next(), loop.next(), loop.next()];
    await world.say("5,news,1", "5,news,2", "6,2,news");
    assert.deepEqual((await Promise.all(asked)).map(({ value }) => value), ["1", "2", undefined]);
});

test("what came before the client was taken out is read before the end", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    const loop = room[Symbol.asyncIterator]();
    world.socket.say("5,news,1", "5,news,2", "6,2,news");
    const read = [];
    for (let next; !(next = await loop.next()).done; ) read.push(next.value);
    assert.deepEqual(read, ["1", "2"]);
});

test("a loop ends with the client's goodbye, whatever waits", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    await world.say("5,news,1", "5,news,2");
    const read = [];
    for await (const text of room) {
        read.push(text);
        void world.client.close();
    }
    assert.deepEqual(read, ["1"]);
});
