import assert from "node:assert/strict";
import { test } from "node:test";
import { opened, openWorld, resume, S, settle, World } from "./support/world.js";

const OTHER = opened("@1AAAAAAAAAAAAAAAAAAAAB", "L");

test("what an answer proves is sent again to nobody", async () => {
    using world = await openWorld();
    const call = world.client.call("a");
    await world.sent();
    await world.say('4,1,{"c":-1,"p":1}');
    assert.equal(await call, 1);
    world.socket.end();
    await world.accept();
    await world.say('0,1,{"got":0}');
    assert.deepEqual(await world.heard("reset"), [["reset", { unknown: [], rejoined: [], left: [] }]]);
});

test("who leaves joins nothing again", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    await world.say("6,1,news");
    await joining;
    world.client.emit("a");
    await world.sent();
    const closed = world.client.close();
    world.socket.end();
    await world.accept();
    assert.deepEqual(await world.sent(), [resume(1, 1)]);
    await world.say(OTHER);
    assert.deepEqual(await world.sent(), ["2"]);
    world.socket.end(1000);
    // Whether the first server has taken in what was said to it, nobody knows.
    assert.equal(await closed, false);
    assert.equal(world.clock.pending, 0);
});

test("what shows who one is may fail late, and then it is nobody's affair", async () => {
    const failures: ((why: Error) => void)[] = [];
    using world = new World({ auth: () => new Promise((_, reject) => failures.push(reject)) });
    await world.clock.pass(10 * S + 250);
    await world.heard();
    failures[0]!(new Error("late"));
    assert.deepEqual(await world.heard(), []);
    assert.equal(world.client.state, "connecting");
});

test("a server that says zero is not pinged all the time", async () => {
    using world = new World();
    await world.accept();
    await world.say(opened().replace('"ping":25', '"ping":0'));
    await world.sent();
    await world.clock.pass(3 * S);
    assert.equal((await world.sent()).length, 3);
});

test("a server that has opened a session is not taken for one that cannot", async () => {
    using world = new World();
    await world.accept();
    await world.say("1,-32600,late");
    await world.open();
    world.socket.end(4001);
    await world.accept();
    await world.say("1,-32600,late");
    assert.equal(world.client.state, "waiting");
});

test("of two joins one may be refused, and the other not", async () => {
    using world = await openWorld();
    const refused = assert.rejects(world.client.join("club"), { code: 403 });
    const joined = world.client.join("club");
    await world.say("1,403,not yet", "6,0,club", "6,1,club");
    await refused;
    assert.equal((await joined).name, "club");
});

test("a notice of the server answers no join", async () => {
    using world = await openWorld();
    let isIn = false;
    void world.client.join("lobby").then(() => (isIn = true));
    await world.say("6,3,lobby");
    assert.equal(isIn, false);
    await world.say("6,1,lobby");
    assert.equal(isIn, true);
    // It has joined it itself, whatever the server does besides: so it joins it again.
    await world.say("6,3,lobby");
    world.socket.end(4001);
    assert.deepEqual((await world.heard("reset"))[0]?.[1], { unknown: [], rejoined: ["lobby"], left: [] });
});

test("answers in the next session belong to what is joined again, and then to what waited", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    await world.say("6,1,news");
    const room = await joining;
    world.socket.end();
    await settle();
    room.leave();
    await world.accept();
    await world.say(OTHER);
    assert.deepEqual((await world.sent()).slice(1), ["6,1,news", "6,0,news"]);
    await world.heard();
    await world.say("6,1,news", "6,0,news");
    assert.deepEqual(await world.heard(), [
        ["channel", "news", true, undefined],
        ["channel", "news", false, undefined],
    ]);
});

test("a server that is replaced by one without sessions is told apart by its second error, and works", async () => {
    using world = await openWorld();
    const lost = assert.rejects(world.client.call("a"), { code: "SessionLost" });
    await world.sent();
    for (let refusal = 0; refusal < 2; refusal++) {
        world.socket.end();
        await world.accept();
        await world.say("1,-32600,what is that?");
    }
    await lost;
    assert.deepEqual([world.client.state, world.client.id], ["connected", undefined]);
    assert.deepEqual((await world.heard("reset", "connect")).map(([kind]) => kind), ["reset", "connect"]);
    world.client.emit("b");
    assert.deepEqual((await world.sent()).at(-1), '4,0,{"e":"b"}');
});

test("a refusal to resume that is followed by a resumption is forgotten", async () => {
    using world = await openWorld();
    for (let time = 0; time < 3; time++) {
        world.socket.end();
        await world.accept();
        await world.say("1,-32600,late");
        await world.accept();
        await world.say('0,1,{"got":0}');
        assert.deepEqual((await world.heard("resumed", "reset")).map(([kind]) => kind), ["resumed"]);
    }
});

test("an answer to what was never sent proves nothing", async () => {
    using world = await openWorld();
    await world.say("2");
    void world.client.call("a").catch(() => {});
    await world.say('4,1,{"c":-1,"p":1}');
    await world.resume(0);
    assert.deepEqual(await world.heard("reset"), []);
    assert.deepEqual(await world.sent(), ['4,1,{"e":"a"}']);
});

test("what was sent once stays sent, even where the next connection breaks before it is sent again", async () => {
    using world = await openWorld();
    for (const event of ["a", "b", "c"]) world.client.emit(event);
    const all = await world.sent();
    world.socket.end();
    const socket = await world.accept();
    const { send } = socket;
    socket.send = (text) => {
        send.call(socket, text);
        socket.bufferedAmount = 65_537;
    };
    await world.say('0,1,{"got":0}');
    assert.deepEqual(socket.sent.slice(-1), all.slice(0, 1));
    world.socket.end();
    await world.accept();
    await world.say(OTHER);
    assert.deepEqual(await world.heard("reset"), [["reset", { unknown: all, rejoined: [], left: [] }]]);
});
