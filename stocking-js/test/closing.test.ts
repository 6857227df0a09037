import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { connect } from "../src/index.js";
import { opened, openWorld, S, settle, Socket, World } from "./support/world.js";

test("goodbye comes behind all that was asked, and is answered", async () => {
    using world = await openWorld();
    world.client.emit("a");
    const closed = world.client.close();
    assert.deepEqual(await world.sent(), ['4,0,{"e":"a"}', "2"]);
    assert.equal(world.client.close(), closed);
    world.socket.end(1000);
    assert.equal(await closed, true);
    assert.equal(world.client.state, "closed");
});

test("after goodbye nothing is told, and nothing is left behind", async () => {
    using world = await openWorld();
    const { client } = world;
    const joining = client.join("news");
    await world.say("6,1,news");
    const room = await joining;
    room.on("message", () => world.told.push(["resumed"]));
    room.on("leave", () => world.told.push(["resumed"]));
    await world.heard();
    // Even what came before, and whose turn it was not yet.
    world.socket.say("5,news,x", "1,0,x", "5,@x,x");
    const closed = client.close();
    world.socket.say("5,news,y", "1,0,y", "5,@x,y", "6,2,news");
    await settle();
    world.socket.end(1000);
    assert.equal(await closed, true);
    room.leave();
    await world.clock.pass(3600 * S);
    assert.deepEqual(await world.heard(), []);
    assert.deepEqual([world.sockets.length, world.clock.pending], [1, 0]);
    for await (const text of room) assert.fail(text);
});

test("with goodbye rooms have ended, so that leaving them is nothing", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    await world.say("6,1,news");
    const room = await joining;
    const waiting = room[Symbol.asyncIterator]().next();
    const joinsAnother = assert.rejects(world.client.join("other"), { code: "SessionLost" });
    void world.client.close();
    room.leave();
    await joinsAnother;
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.deepEqual(await world.sent(), ["6,1,news", "6,1,other", "2"]);
});

test("after goodbye nothing is taken, and what waits has ended", async () => {
    using world = await openWorld();
    const { client } = world;
    const call = assert.rejects(client.call("a"), { code: "SessionLost" });
    const join = assert.rejects(client.join("news"), { code: "SessionLost" });
    await world.sent();
    void client.close();
    assert.throws(() => client.emit("b"), { code: "Closed" });
    assert.throws(() => client.send("news", "b"), { code: "Closed" });
    await assert.rejects(client.call("b"), { code: "Closed" });
    await assert.rejects(client.join("b"), { code: "Closed" });
    await settle();
    world.socket.end(1000);
    await call;
    await join;
});

test("who has nothing to say is gone at once", async () => {
    using world = new World();
    assert.equal(await world.client.close(), true);
    assert.deepEqual([world.client.state, world.clock.pending], ["closed", 0]);
    assert.ok(world.sockets.every(({ isClosed }) => isClosed));
});

test("who has something to say connects for it", async () => {
    using world = new World();
    world.client.emit("a");
    const closed = world.client.close();
    await world.open();
    assert.deepEqual(await world.sent(), ['4,0,{"e":"a"}', "2"]);
    world.socket.end(1000);
    assert.equal(await closed, true);
});

test("a goodbye that nobody hears takes ten seconds", async () => {
    using world = await openWorld();
    world.client.emit("a");
    await world.sent();
    const closed = world.client.close();
    await world.clock.pass(9.999 * S);
    assert.equal(world.client.state, "connected");
    await world.clock.pass(1);
    assert.equal(await closed, false);
    assert.deepEqual([world.client.state, world.clock.pending], ["closed", 0]);
});

test("who is dismissed does not come back, and hears what is unknown and what was not sent", async () => {
    for (const code of [1000, 1008, 3000, 3003]) {
        using world = await openWorld();
        const { client } = world;
        const lost = assert.rejects(client.call("sent"), { code: "SessionLost" });
        await world.sent();
        await world.say("2");
        const unsent = assert.rejects(client.call("unsent"), { code: "NotSent" });
        world.socket.end(code, "go away");
        await Promise.all([lost, unsent]);
        const [close] = await world.heard("close");
        const unknown = ['4,1,{"e":"sent"}'];
        assert.deepEqual(close, ["close", { code, reason: "go away", unknown, unsent: ['4,2,{"e":"unsent"}'] }]);
        await world.clock.pass(3600 * S);
        assert.deepEqual([world.sockets.length, client.state, await client.close()], [1, "closed", false]);
    }
});

test("who is dismissed hears of each join and each room whether it was sent", async () => {
    using world = await openWorld();
    const { client } = world;
    const joining = client.join("inside");
    await world.say("6,1,inside");
    const left: unknown[] = [];
    (await joining).on("leave", (why) => left.push(why?.code));
    const lost = assert.rejects(client.join("sent"), { code: "SessionLost" });
    await world.sent();
    await world.say("2");
    const unsent = assert.rejects(client.join("unsent"), { code: "NotSent" });
    world.socket.end(1000);
    await Promise.all([lost, unsent]);
    assert.deepEqual(left, ["SessionLost"]);
});

test("who is dismissed and does not listen is told by the console", async () => {
    using world = await openWorld();
    world.ignore("close");
    world.ignore("error");
    const { mock: spy } = mock.method(console, "error", () => {});
    world.socket.end(3000, "who are you?");
    await settle();
    mock.restoreAll();
    assert.equal((spy.calls[0]!.arguments[0] as Error).message, "Closed: 3000 who are you?");
});

test("connecting again works", async () => {
    using world = await openWorld();
    void world.client.close();
    await settle();
    world.socket.end(1000);
    const sockets: Socket[] = [];
    const WebSocket = class extends Socket {
        constructor(url: string) {
            super(url);
            sockets.push(this);
        }
    };
    const again = connect("ws://localhost:12345/ws", { WebSocket });
    await settle();
    sockets[0]!.open();
    sockets[0]!.say("0", '0,0,{"id":"@1AAAAAAAAAAAAAAAAAAAAB","key":"k","ttl":1,"ping":1,"max":99}');
    assert.equal(again.id, "@1AAAAAAAAAAAAAAAAAAAAB");
});

test("a close that answers no goodbye does not say that all was taken in", async () => {
    using world = await openWorld();
    await world.say("2");
    world.client.emit("a");
    const closed = world.client.close();
    assert.deepEqual(await world.sent(), []);
    world.socket.end(1000);
    assert.equal(await closed, false);
});

test("what a lost session leaves unknown is not said to be taken in, and what was not sent is sent all the same", async () => {
    using world = await openWorld();
    world.client.emit("a");
    await world.sent();
    await world.say("2");
    world.client.emit("b");
    const closed = world.client.close();
    world.socket.end(1011);
    await world.open("@1AAAAAAAAAAAAAAAAAAAAB", "L");
    assert.deepEqual(await world.sent(), ['4,0,{"e":"b"}', "2"]);
    world.socket.end(1000);
    assert.equal(await closed, false);
    assert.deepEqual([world.client.state, world.clock.pending], ["closed", 0]);
});

test("what turns out to be too long after goodbye is not said to be taken in", async () => {
    const long = "x".repeat(100_000);
    using world = new World();
    world.client.emit("a", long);
    let closed = world.client.close();
    await world.open();
    assert.deepEqual(await world.sent(), ["2"]);
    world.socket.end(1000);
    assert.equal(await closed, false);
    // So after a reset, where the next session takes less.
    using another = new World();
    await another.open(undefined, undefined, 2 ** 20);
    another.socket.end();
    await settle();
    another.client.emit("a", long);
    closed = another.client.close();
    await another.open("@1AAAAAAAAAAAAAAAAAAAAB", "L");
    assert.deepEqual(await another.sent(), ["2"]);
    another.socket.end(1000);
    assert.equal(await closed, false);
});

test("what turned out to be too long counts where goodbye comes before it is told, and not behind", async () => {
    for (const isFirst of [true, false]) {
        using world = new World();
        let closed: Promise<boolean> | undefined;
        world.client.emit("a", "x".repeat(100_000));
        if (isFirst) world.client.on("connect", () => (closed = world.client.close()));
        await world.open();
        const errors = await world.heard("error");
        closed ??= world.client.close();
        await settle();
        world.socket.end(1000);
        assert.deepEqual([errors.length, await closed], isFirst ? [0, false] : [1, true]);
    }
});

test("who has been answered knows that it was taken in, however the session ends", async () => {
    using world = await openWorld();
    const call = world.client.call("a");
    await world.sent();
    await world.say('4,1,{"c":-1,"p":1}');
    await call;
    const closed = world.client.close();
    world.socket.end(1011);
    assert.equal(await closed, true);
    assert.equal(world.sockets.length, 1);
});

test("who says goodbye while a session begins says it to that", async () => {
    using world = new World();
    await world.accept();
    const closed = world.client.close();
    await world.sent();
    await world.say(opened());
    assert.deepEqual(await world.sent(), ["2"]);
    world.socket.end(1000);
    assert.equal(await closed, true);
});

test("who says goodbye does not wait for the pause before the next connection", async () => {
    using world = await openWorld();
    world.client.emit("a");
    world.socket.end();
    await settle();
    void world.client.close();
    await settle();
    assert.deepEqual([world.client.state, world.sockets.length], ["connecting", 2]);
    void world.open();
});

test("after goodbye the console is told nothing either", async () => {
    using world = await openWorld();
    world.ignore("error");
    const { mock: spy } = mock.method(console, "error", () => {});
    world.socket.say("1,0,x");
    void world.client.close();
    await world.say("1,0,y", "z");
    mock.restoreAll();
    assert.deepEqual(spy.calls, []);
});
