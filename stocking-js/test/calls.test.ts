import assert from "node:assert/strict";
import { test } from "node:test";
import { StockingError } from "../src/index.js";
import { openWorld, resume, S, settle, World } from "./support/world.js";

const frame = (id: number, event: string, payload: unknown = undefined) => `4,${id},${JSON.stringify({ e: event, p: payload })}`;

test("a call is answered by what its handler says", async () => {
    using world = await openWorld();
    const calls = [world.client.call("greet", { name: "doge" }), world.client.call("none"), world.client.call("fail")];
    assert.deepEqual(await world.sent(), [frame(1, "greet", { name: "doge" }), frame(2, "none"), frame(3, "fail")]);
    world.socket.say('4,2,{"c":-1,"p":null}', '4,1,{"c":-1,"p":"Hello doge"}', '4,3,{"c":401,"p":"who are you?"}');
    assert.deepEqual(await Promise.all(calls.slice(0, 2)), ["Hello doge", null]);
    const error = await calls[2]!.catch((error: unknown) => error);
    assert.ok(error instanceof StockingError && error instanceof Error);
    assert.deepEqual([error.name, error.code, error.message], ["StockingError", 401, "who are you?"]);
});

test("a call that is not answered in time has timed out, and its late reply is ignored", async () => {
    using world = await openWorld();
    const own = assert.rejects(world.client.call("slow", 1, { timeout: 5 * S }), { code: "TimedOut", message: "TimedOut: slow" });
    const usual = assert.rejects(world.client.call("slow", 2), { code: "TimedOut" });
    await world.clock.pass(5 * S);
    await own;
    await world.say('4,1,{"c":-1,"p":null}', "3,0,");
    await world.clock.pass(25 * S);
    await usual;
    assert.deepEqual(await world.heard(), []);
});

test("a call may take for ever", async () => {
    using world = await openWorld();
    const call = world.client.call("slow", 1, { timeout: Infinity });
    for (let hour = 0; hour < 3; hour++) {
        await world.clock.pass(25 * S);
        await world.say("3,0,");
    }
    await world.say('4,1,{"c":-1,"p":7}');
    assert.equal(await call, 7);
});

test("a call that could not be sent in time never is", async () => {
    using world = new World();
    const call = assert.rejects(world.client.call("a", 1, { timeout: 5 * S }), { code: "NotSent" });
    const other = world.client.call("b");
    await world.clock.pass(5 * S);
    await call;
    await world.open();
    assert.deepEqual(await world.sent(), [frame(2, "b")]);
    await world.say('4,2,{"c":-1,"p":1}');
    assert.equal(await other, 1);
});

test("a call is given up by a signal, with its reason", async () => {
    using world = new World();
    const controllers = [0, 1, 2, 3].map(() => new AbortController());
    controllers[0]!.abort();
    const call = (which: number) => world.client.call(`${which}`, null, { signal: controllers[which]!.signal });
    await assert.rejects(call(0), { name: "AbortError" });
    const unsent = assert.rejects(call(1), { message: "changed my mind" });
    const sent = assert.rejects(call(2), { name: "AbortError" });
    controllers[1]!.abort(new Error("changed my mind"));
    await unsent;
    // Whatever the reason is, and be it nothing.
    const unexplained = call(3).then(assert.fail, (reason) => assert.equal(reason, null));
    controllers[3]!.abort(null);
    await unexplained;
    await world.open();
    assert.deepEqual(await world.sent(), [frame(2, "2", null)]);
    controllers[2]!.abort();
    await sent;
    // It has its number: it is sent again all the same, and its answer ignored.
    await world.resume(0);
    assert.deepEqual(await world.sent(), [frame(2, "2", null)]);
    await world.say('4,2,{"c":-1,"p":1}');
    assert.deepEqual(await world.heard("error"), []);
});

test("a signal that has nothing to give up any more is let go", async () => {
    using world = await openWorld();
    const { signal } = new AbortController();
    let listening = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: any) => (listening++, (addEventListener as any).apply(signal, args));
    signal.removeEventListener = (...args: any) => (listening--, (removeEventListener as any).apply(signal, args));
    const call = world.client.call("a", 1, { signal });
    await world.say('4,1,{"c":-1,"p":1}');
    await call;
    assert.equal(listening, 0);
});

test("a call gets its answer over another connection", async () => {
    using world = await openWorld();
    const call = world.client.call("a");
    await world.sent();
    world.socket.end();
    await world.accept();
    assert.deepEqual(await world.sent(), ["0,0,", resume(0, 1)].slice(1));
    await world.say('0,1,{"got":1}', '4,1,{"c":-1,"p":"late"}');
    assert.equal(await call, "late");
    assert.deepEqual(await world.sent(), []);
});

test("a payload that has no JSON form is refused, and nothing is sent", async () => {
    using world = await openWorld();
    const cyclic: any = {};
    cyclic.self = cyclic;
    await assert.rejects(world.client.call("a", cyclic), TypeError);
    assert.throws(() => world.client.emit("a", cyclic), TypeError);
    assert.throws(() => world.client.emit("a", 1n), TypeError);
    assert.deepEqual(await world.sent(), []);
    void world.client.call("b").catch(() => {});
    assert.deepEqual(await world.sent(), [frame(2, "b")]);
});

test("names that are none, and what is not text, are refused where they are made", async () => {
    using world = await openWorld();
    const { client } = world;
    for (const name of ["", "a,b", "a\n", "\u0085", "x".repeat(256), "ß".repeat(128), "\ud83e"]) {
        await assert.rejects(client.join(name), { code: "Name" });
        assert.throws(() => client.send(name, "x"), { code: "Name" });
    }
    await assert.rejects(client.join("@7n42DGM5Tflk9n8mt7Fhc7"), { code: "Name" });
    assert.throws(() => client.send("news", { text: "hi" } as any), TypeError);
    assert.deepEqual(await world.sent(), []);
    client.send("@7n42DGM5Tflk9n8mt7Fhc7", "a,b\nc");
    assert.deepEqual(await world.sent(), ["5,@7n42DGM5Tflk9n8mt7Fhc7,a,b\nc"]);
});

test("a full queue rejects, and forgets nothing", async () => {
    using world = new World({ maxKeptFrames: 3, maxKeptBytes: 30 });
    const { client } = world;
    client.emit("a");
    client.emit("b");
    assert.throws(() => client.send("x", "12345678901"), { code: "Full" });
    client.send("x", "");
    assert.throws(() => client.emit("c"), { code: "Full" });
    await assert.rejects(client.call("c"), { code: "Full" });
    await assert.rejects(client.join("c"), { code: "Full" });
    assert.throws(() => client.send("x", "x".repeat(40)), { code: "TooLong" });
    await world.open();
    assert.deepEqual(await world.sent(), [frame(0, "a"), frame(0, "b"), "5,x,"]);
    // What was written is kept until it is acknowledged.
    assert.throws(() => client.emit("c"), { code: "Full" });
    await world.say("3,2,");
    client.emit("c");
    assert.deepEqual(await world.sent(), [frame(0, "c")]);
});

test("a call that turns out to be too long fails", async () => {
    using world = new World();
    const call = assert.rejects(world.client.call("a", "x".repeat(100)), { code: "TooLong" });
    world.client.emit("short");
    await world.open(undefined, undefined, 50);
    await call;
    assert.deepEqual(await world.sent(), [frame(0, "short")]);
    assert.throws(() => world.client.emit("b", "x".repeat(100)), { code: "TooLong" });
});

test("what the socket has not passed on yet is not added to, and can be taken back", async () => {
    using world = await openWorld();
    world.socket.bufferedAmount = 65_537;
    const call = assert.rejects(world.client.call("a", 1, { timeout: S }), { code: "NotSent" });
    world.client.emit("b");
    await world.clock.pass(S);
    await call;
    assert.deepEqual(await world.sent(), []);
    world.socket.bufferedAmount = 0;
    await world.clock.pass(20);
    assert.deepEqual(await world.sent(), [frame(0, "b")]);
    await settle();
});
