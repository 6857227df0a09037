import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../src/index.js";
import { openWorld, resume, S, settle, Socket, World } from "./support/world.js";

/** A `WebSocket`, and the URLs that it was given. */
const noting = () => {
    const urls: string[] = [];
    const WebSocket = class extends Socket {
        constructor(url: string, protocols?: string[]) {
            super(url, protocols);
            urls.push(url);
        }
    };
    return { urls, WebSocket };
};

const delays = async (world: World) => (await world.heard("reconnecting")).map(([, how]: any) => how.delay);

test("a URL may be one of HTTP, or relative to the page", async () => {
    using world = new World();
    const { urls, WebSocket } = noting();
    (globalThis as any).location = { href: "https://example.org/chat/?room=1#top" };
    const clients = ["http://a.org/ws", "https://a.org/ws?b=1", new URL("wss://a.org/ws"), "/ws", "ws"];
    const all = clients.map((url) => connect(url, { WebSocket }));
    await settle();
    delete (globalThis as any).location;
    assert.deepEqual(urls, [
        "ws://a.org/ws", "wss://a.org/ws?b=1", "wss://a.org/ws", "wss://example.org/ws", "wss://example.org/chat/ws",
    ]);
    for (const client of all) void client.close();
    assert.throws(() => connect("/ws", { WebSocket }), TypeError);
    const { WebSocket: own } = globalThis;
    delete (globalThis as any).WebSocket;
    assert.throws(() => connect("ws://a.org"), TypeError);
    globalThis.WebSocket = own;
    void world;
});

test("a connection that takes too long is given up for another", async () => {
    using world = new World();
    await world.clock.pass(10 * S);
    assert.ok(world.socket.isClosed);
    assert.equal(world.client.state, "waiting");
    await world.open();
    assert.equal(world.sockets.length, 2);
    // What comes late from the one that was given up is nothing.
    world.sockets[0]!.open();
    world.sockets[0]!.say("0", "5,x,y");
    world.sockets[0]!.end(1000);
    assert.deepEqual([world.client.state, (await world.heard("message", "disconnect"))], ["connected", []]);
});

test("the pauses are random below bounds that double from half a second to twenty", async () => {
    using world = new World();
    world.clock.random = () => 1 - 2 ** -53;
    for (const bound of [0.5, 1, 2, 4, 8, 16, 20, 20]) {
        await settle();
        world.socket.end();
        assert.deepEqual((await delays(world)).map((delay) => Math.ceil(delay)), [bound * S]);
        await world.clock.pass(bound * S);
    }
    world.clock.random = () => 0;
    world.socket.end();
    assert.deepEqual(await delays(world), [0]);
});

test("a client never gives up by itself", async () => {
    using world = new World();
    for (let attempt = 0; attempt < 2000; attempt++) {
        await world.clock.pass(20 * S);
        world.socket.end();
    }
    assert.equal(world.client.state, "waiting");
    await world.open();
    assert.equal(world.client.state, "connected");
});

test("the pauses begin anew after a connection that lasted ten seconds, and not before", async () => {
    using world = new World();
    world.clock.random = () => 1;
    for (const [lasts, bound] of [[1, 0.5], [9, 1], [9, 2], [10, 0.5], [9, 1]] as const) {
        await world.open();
        await world.heard();
        await world.clock.pass(lasts * S);
        world.socket.end();
        assert.deepEqual(await delays(world), [bound * S]);
    }
});

test("what is told of a connection is why it ended, and when the next is tried", async () => {
    using world = await openWorld();
    world.socket.end(1001, "bye");
    assert.deepEqual(await world.heard(), [
        ["disconnect", { code: 1001, reason: "bye" }],
        ["reconnecting", { code: 1001, reason: "bye", delay: 250, attempt: 1 }],
    ]);
    await world.clock.pass(250);
    assert.equal(world.client.state, "connecting");
    world.socket.onerror!({ message: "ECONNREFUSED" });
    world.socket.end();
    assert.deepEqual(await world.heard(), [
        ["reconnecting", { code: 1006, reason: "ECONNREFUSED", delay: 500, attempt: 2 }],
    ]);
});

test("what shows who one is is asked for before every connection, and is in the query or a subprotocol", async () => {
    let asked = 0;
    const auth = async () => {
        asked++;
        return asked % 2 ? { query: { token: `a b&${asked}`, room: "ä" } } : { protocols: ["chat", `token-${asked}`] };
    };
    using world = await openWorld({ auth });
    assert.equal(world.socket.url, "ws://localhost:12345/ws?token=a+b%261&room=%C3%A4");
    world.socket.end();
    await world.accept();
    assert.deepEqual([world.socket.url, world.socket.protocols], ["ws://localhost:12345/ws", ["chat", "token-2"]]);
    // The key is in no URL.
    assert.ok(world.sockets.every(({ url, protocols }) => !/KKKK/.test(url + protocols)));
    assert.deepEqual((await world.sent()).at(-1), resume(0, 1));
});

test("where that fails it is an error, and is tried again", async () => {
    let fails = 2;
    const auth = () => {
        if (fails-- > 0) throw new Error("no network");
        return {};
    };
    using world = await openWorld({ auth });
    assert.equal(world.sockets.length, 1);
    assert.equal(fails, -1);
    const other = new World({ auth: () => Promise.reject(new Error("never")) });
    await settle();
    assert.deepEqual((await other.heard()).map(([kind, what]: any) => [kind, what.message ?? what.reason]), [
        ["error", "never"],
        ["reconnecting", "Error: never"],
    ]);
});

test("where that takes too long, it is asked for again, and what comes late is not used", async () => {
    const answers: ((auth: object) => void)[] = [];
    using world = new World({ auth: () => new Promise((resolve) => answers.push(resolve)) });
    await world.clock.pass(10 * S + 250);
    assert.equal(answers.length, 2);
    answers[0]!({});
    await settle();
    assert.equal(world.sockets.length, 0);
    answers[1]!({});
    await world.open();
    assert.equal(world.sockets.length, 1);
});

test("a WebSocket that cannot even be made is an error, and is tried again", async () => {
    using world = new World();
    let made = 0;
    const WebSocket = class extends Socket {
        constructor(url: string) {
            super(url);
            if (!made++) throw new SyntaxError("not that port");
        }
    };
    const client = connect("ws://localhost:1/ws", { WebSocket });
    const errors: unknown[] = [];
    client.on("error", (error: any) => errors.push(error.message));
    await settle();
    await world.clock.pass(250);
    assert.deepEqual([errors, made, client.state], [["not that port"], 2, "connecting"]);
    await client.close();
});

test("a server without sessions is told apart by its second error, and works", async () => {
    using world = new World();
    const { client } = world;
    const joining = client.join("news");
    client.emit("early");
    await world.accept();
    await world.say("1,-32600,what is that?");
    assert.deepEqual((await world.heard()).map(([kind]) => kind), ["reconnecting"]);
    await world.accept();
    await world.say("1,-32600,what is that?");
    assert.deepEqual(await world.heard(), [["connect", undefined], ["channel", "news", true, undefined]]);
    assert.deepEqual([client.state, client.id], ["connected", undefined]);
    assert.deepEqual(await world.sent(), ["0,0,", "6,1,news", '4,0,{"e":"early"}']);
    const room = await joining;
    const heard: string[] = [];
    room.on("message", (text) => heard.push(text));
    const [answered, lost] = [client.call("a"), assert.rejects(client.call("b"), { code: "SessionLost" })];
    await world.sent();
    await world.say("5,news,x", '4,1,{"c":-1,"p":1}', "1,0,oops", "3,7,");
    assert.deepEqual([heard, await answered], [["x"], 1]);
    await world.clock.pass(25 * S);
    assert.deepEqual(await world.sent(), ["3"]);
    await world.heard();
    // Nobody resumes: what waits for an answer is lost, and what was joined is joined again.
    world.socket.end();
    client.emit("later");
    await lost;
    const told = await world.heard("reset");
    assert.deepEqual(told, [["reset", { unknown: [], rejoined: ["news"], left: [] }]]);
    // The next connection is asked for a session all the same.
    await world.open();
    assert.deepEqual(await world.sent(), ["6,1,news", '4,0,{"e":"later"}']);
    assert.ok(client.id);
});

test("a server that never answers is asked again, since it may be slow", async () => {
    using world = new World();
    for (let attempt = 0; attempt < 3; attempt++) {
        await world.accept();
        assert.deepEqual(await world.sent(), ["0,0,"]);
        await world.clock.pass(10 * S);
        assert.equal(world.client.state, "waiting");
    }
});

test("a binary message ends the session, since the protocol has none", async () => {
    using world = await openWorld();
    world.socket.onmessage!({ data: new ArrayBuffer(1) });
    assert.deepEqual((await world.heard()).map(([kind]) => kind), ["disconnect", "reconnecting", "reset"]);
});

test("a URL that no WebSocket takes is refused at once", async () => {
    using world = new World();
    const { urls, WebSocket } = noting();
    for (const url of ["ftp://a.org/ws", "file:///ws", "wss+unix://a.org", "mailto:a@a.org", "wss://a.org/ws#top"]) {
        assert.throws(() => connect(url, { WebSocket }), TypeError, url);
    }
    await settle();
    assert.deepEqual(urls, []);
    void world;
});
