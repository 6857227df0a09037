import assert from "node:assert/strict";
import { test } from "node:test";
import { gather, join } from "./support/rooms.js";
import { opened, openWorld, settle } from "./support/world.js";

test("a room hears what the others say, byte for byte, and sends what one says", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    assert.deepEqual(await world.sent(), ["6,1,news"]);
    await world.say("6,1,news");
    const room = await joining;
    const heard = gather(room);
    await world.say("5,news,a,b\n🧦", "5,news,", "5,other,x");
    assert.deepEqual([room.name, heard], ["news", ["a,b\n🧦", ""]]);
    room.send("c,d");
    assert.deepEqual(await world.sent(), ["5,news,c,d"]);
});

test("what comes before anybody listens waits, and stays in order", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    world.socket.say("6,1,news", "5,news,1", "5,news,2");
    const room = await joining;
    await settle();
    room.on("leave", () => {});
    await settle();
    world.socket.say("5,news,3");
    const heard = gather(room);
    world.socket.say("5,news,4");
    await settle();
    assert.deepEqual(heard, ["1", "2", "3", "4"]);
});

test("a room is read by a loop, and by the next one from where that stopped", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    await world.say("5,news,1", "5,news,2", "5,news,3");
    const heard: string[] = [];
    for await (const text of room) if (heard.push(text) == 2) break;
    const rest = (async () => {
        for await (const text of room) heard.push(text);
        heard.push("end");
    })();
    await settle();
    await world.say("5,news,4", "5,news,5");
    assert.deepEqual(heard, ["1", "2", "3", "4", "5"]);
    room.leave();
    await rest;
    assert.equal(heard.at(-1), "end");
    assert.deepEqual(await world.sent(), ["6,0,news"]);
});

test("a room that was left is silent, and leaving twice is leaving once", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    const heard = gather(room);
    room.leave();
    room.leave();
    assert.deepEqual(await world.sent(), ["6,0,news"]);
    await world.say("5,news,x", "6,0,news");
    assert.deepEqual(heard, []);
});

test("a channel that is joined twice is left once", async () => {
    using world = await openWorld();
    const [one, two] = [world.client.join("news"), world.client.join("news")];
    assert.deepEqual(await world.sent(), ["6,1,news", "6,1,news"]);
    await world.say("6,1,news", "6,1,news");
    const heard = [gather(await one), gather(await two)];
    await world.say("5,news,1");
    (await one).leave();
    await world.say("5,news,2");
    assert.deepEqual(heard, [["1"], ["1", "2"]]);
    assert.deepEqual(await world.sent(), []);
    (await two).leave();
    assert.deepEqual(await world.sent(), ["6,0,news"]);
});

test("a refused join says why, and is no error besides", async () => {
    using world = await openWorld();
    const refused = assert.rejects(world.client.join("secret"), { code: 403, message: "members only" });
    const other = world.client.join("news");
    await world.say("1,403,members only", "6,0,secret", "6,1,news");
    await refused;
    assert.equal((await other).name, "news");
    assert.deepEqual(await world.heard("error"), []);
    // An error that is not directly before is not why.
    const unexplained = assert.rejects(world.client.join("void"), { code: 0 });
    await world.say("1,7,something else", "5,news,x", "6,0,void");
    await unexplained;
    assert.deepEqual((await world.heard("error")).map(([, error]: any) => error.code), [7]);
});

test("a room ends when the server takes the client out", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    const left: unknown[] = [];
    room.on("leave", (why) => left.push(why));
    await world.say("5,news,last", "6,2,news", "5,news,x");
    const heard: string[] = [];
    for await (const text of room) heard.push(text);
    assert.deepEqual([heard, left], [["last"], [undefined]]);
    // It is not in any more, so that there is nothing to leave.
    room.leave();
    assert.deepEqual(await world.sent(), []);
});

test("a room is told that it has ended behind all that waited for a listener", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    await world.say("5,news,1", "5,news,2", "5,news,3");
    const heard = gather(room);
    room.on("leave", () => heard.push("leave"));
    await world.say("6,2,news");
    assert.deepEqual(heard, ["1", "2", "3", "leave"]);
});

test("a room survives a reset, and ends where it is not let in again", async () => {
    using world = await openWorld();
    const rooms = [await join(world, "news"), await join(world, "secret")];
    const heard = gather(rooms[0]!);
    const left: any[] = [];
    rooms[1]!.on("leave", (why) => left.push(why?.code));
    world.socket.end();
    await world.accept();
    await world.say(opened("@1AAAAAAAAAAAAAAAAAAAAB", "L"));
    assert.deepEqual((await world.sent()).slice(1), ["6,1,news", "6,1,secret"]);
    await world.say("6,1,news", "1,403,not any more", "6,0,secret", "5,news,back");
    assert.deepEqual([heard, left], [["back"], [403]]);
    assert.deepEqual((await world.heard("error")).map(([, error]: any) => error.code), [403]);
    const [reset] = await world.heard("reset");
    assert.equal(reset, undefined);
});

test("joins that wait while the session is lost are answered in the next", async () => {
    using world = await openWorld();
    const written = world.client.join("a");
    await world.sent();
    world.socket.end();
    const unwritten = world.client.join("b");
    await world.accept();
    await world.say(opened("@1AAAAAAAAAAAAAAAAAAAAB", "L"));
    const [reset] = await world.heard("reset");
    assert.deepEqual(reset, ["reset", { unknown: ["6,1,a"], rejoined: ["a"], left: [] }]);
    assert.deepEqual((await world.sent()).slice(1), ["6,1,a", "6,1,b"]);
    await world.say("6,1,a", "6,1,b");
    assert.deepEqual([(await written).name, (await unwritten).name], ["a", "b"]);
});

test("a room that nobody reads does not grow for ever, and says so", async () => {
    using world = await openWorld();
    const room = await join(world, "news");
    for (let count = 0; count < 5; count++) await world.say(`5,news,${count}${"x".repeat(2 ** 20 - 65)}`);
    assert.deepEqual((await world.heard("error")).map(([, error]: any) => error.message), ["Unread: news"]);
    const heard = gather(room);
    await world.say("5,news,next");
    assert.deepEqual(heard.map((text) => text.slice(0, 4)), ["next"]);
});

test("a server cannot make a client remember channels without end", async () => {
    using world = await openWorld();
    for (let count = 0; count < 4096; count++) world.socket.say(`6,3,${count}`);
    await settle();
    assert.equal(world.client.state, "connected");
    await world.say("6,3,4096");
    assert.equal(world.client.state, "waiting");
    assert.equal((await world.heard("reset")).length, 1);
});
