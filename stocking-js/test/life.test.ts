// Signs of life: silence, sleep, tabs in the background, and what a browser says of the network.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorld, S, settle, World } from "./support/world.js";

/** A page: what is listened to, and told. */
const page = () => {
    const target = new EventTarget();
    const names = new Map<string, number>();
    const document = { hidden: false };
    Object.assign(globalThis, {
        document,
        addEventListener: (name: string, listener: any, options: any) => {
            names.set(name, (names.get(name) ?? 0) + 1);
            options.signal.addEventListener("abort", () => names.set(name, names.get(name)! - 1));
            target.addEventListener(name, listener, options);
        },
    });
    return {
        document,
        names,
        fire: (name: string) => target.dispatchEvent(new Event(name)),
        [Symbol.dispose]() {
            for (const name of ["document", "addEventListener"]) delete (globalThis as any)[name];
        },
    };
};

test("a client pings every 25 seconds, whatever it hears", async () => {
    using world = await openWorld();
    for (let count = 1; count < 4; count++) {
        await world.clock.pass(12 * S);
        await world.say("5,@x,hello");
        await world.clock.pass(12.999 * S);
        assert.deepEqual(await world.sent(), []);
        await world.clock.pass(1);
        assert.deepEqual(await world.sent(), [`3,${count},`]);
        await world.say("3,0,");
    }
});

test("nothing at all for 45 seconds is death, and a word before it is not", async () => {
    using world = await openWorld();
    await world.clock.pass(44.999 * S);
    await world.say("5,@x,hello");
    await world.clock.pass(44.999 * S);
    assert.equal(world.client.state, "connected");
    await world.clock.pass(1);
    assert.ok(world.socket.isClosed);
    assert.deepEqual((await world.heard("disconnect")), [["disconnect", { code: 1006, reason: "silence" }]]);
});

test("who slept pings first, and waits ten seconds", async () => {
    using world = await openWorld();
    await world.clock.sleep(3600 * S);
    assert.deepEqual(await world.sent(), ["3,0,"]);
    await world.clock.pass(9.999 * S);
    assert.equal(world.client.state, "connected");
    await world.clock.pass(1);
    assert.notEqual(world.client.state, "connected");
});

test("a tab whose timers are always late keeps its connection as long as the server answers, and no longer", async () => {
    using world = await openWorld();
    for (let minute = 0; minute < 5; minute++) {
        await world.clock.sleep(60 * S);
        assert.deepEqual(await world.sent(), ["3,0,"]);
        await world.say("3,0,");
    }
    assert.equal(world.client.state, "connected");
    await world.clock.sleep(60 * S);
    assert.equal(world.client.state, "connected");
    await world.clock.sleep(60 * S);
    assert.notEqual(world.client.state, "connected");
});

test("a clock that is set back holds up nothing", async () => {
    using world = await openWorld();
    // Timers know nothing of the clock on the wall.
    await settle();
    const due = world.clock.next! - world.clock.now;
    world.clock.now -= 3600 * S;
    for (const timer of world.clock.timers) timer.at -= 3600 * S;
    Date.now = () => world.clock.now;
    await world.clock.pass(due);
    assert.deepEqual(await world.sent(), ["3,0,"]);
    await world.say("3,0,");
    await world.clock.pass(25 * S);
    assert.deepEqual(await world.sent(), ["3,0,"]);
});

test("the network that is back cuts the pause short", async () => {
    using browser = page();
    using world = await openWorld();
    world.clock.random = () => 1;
    for (const sign of ["online", "pageshow", "visibilitychange"]) {
        const before = world.sockets.length;
        world.socket.end();
        await settle();
        assert.equal(world.sockets.length, before);
        browser.fire(sign);
        await settle();
        assert.equal(world.sockets.length, before + 1, sign);
        browser.fire(sign);
        await settle();
        assert.equal(world.sockets.length, before + 1, "once");
        world.socket.open();
        await world.say("0", '0,1,{"got":0}');
        assert.equal(world.client.state, "connected");
    }
});

test("a network that is back, but not yet of use, is tried again soon", async () => {
    using browser = page();
    using world = await openWorld();
    world.clock.random = () => 1;
    for (let attempt = 0; attempt < 8; attempt++) {
        world.socket.end();
        await world.clock.pass(20 * S);
    }
    world.socket.end();
    browser.fire("online");
    await settle();
    await world.heard();
    world.socket.end();
    assert.deepEqual((await world.heard("reconnecting")).map(([, how]: any) => [how.delay, how.attempt]), [[0.5 * S, 1]]);
});

test("a page that is shown again asks whether the connection is there, and has ten seconds for it", async () => {
    using browser = page();
    using world = await openWorld();
    browser.document.hidden = true;
    browser.fire("visibilitychange");
    assert.deepEqual(await world.sent(), []);
    browser.document.hidden = false;
    browser.fire("visibilitychange");
    assert.deepEqual(await world.sent(), ["3,0,"]);
    await world.say("3,0,");
    await world.clock.pass(11 * S);
    assert.equal(world.client.state, "connected");
    browser.fire("pageshow");
    await world.clock.pass(10 * S);
    assert.notEqual(world.client.state, "connected");
});

test("a client that has ended listens to nothing any more", async () => {
    using browser = page();
    using world = await openWorld();
    assert.deepEqual([...browser.names.values()], [1, 1, 1]);
    const closed = world.client.close();
    await world.sent();
    world.socket.end(1000);
    assert.equal(await closed, true);
    assert.deepEqual([...browser.names.values()], [0, 0, 0]);
    browser.fire("online");
    await world.clock.pass(60 * S);
    assert.deepEqual([world.sockets.length, world.clock.pending], [1, 0]);
});

test("where there is no page, none is missed", async () => {
    assert.equal(typeof (globalThis as any).document, "undefined");
    using world = new World();
    await world.open();
    assert.equal(world.client.state, "connected");
});
