import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ID, openWorld, settle, World } from "./support/world.js";

/** What the console is told meanwhile. */
const overheard = async (run: () => Promise<void>): Promise<unknown[]> => {
    const { mock: spy } = mock.method(console, "error", () => {});
    try {
        await run();
        await settle();
        return spy.calls.map((call) => call.arguments[0]);
    } finally {
        mock.restoreAll();
    }
};

test("a listener is called each time, or once, or no more", async () => {
    using world = await openWorld();
    const { client } = world;
    const heard: string[] = [];
    const stop = client.on("message", (text) => heard.push(`on ${text}`));
    const stopOnce = client.once("message", (text) => heard.push(`never ${text}`));
    client.once("message", (text) => heard.push(`once ${text}`));
    const listener = (text: string) => heard.push(`off ${text}`);
    client.on("message", listener);
    client.on("message", listener);
    stopOnce();
    await world.say(`5,${ID},1`, `5,${ID},2`);
    client.off("message", listener);
    await world.say(`5,${ID},3`);
    stop();
    stop();
    await world.say(`5,${ID},4`);
    assert.deepEqual(heard, ["on 1", "once 1", "off 1", "on 2", "off 2", "on 3"]);
});

test("a listener may listen, stop and ask while it is called", async () => {
    using world = await openWorld();
    const { client } = world;
    const heard: string[] = [];
    const stop = client.on("message", (text) => {
        heard.push(text);
        stop();
        client.emit("heard", text);
        client.on("message", (text) => heard.push(`later ${text}`));
    });
    await world.say(`5,${ID},1`, `5,${ID},2`);
    assert.deepEqual(heard, ["1", "later 2"]);
    assert.deepEqual(await world.sent(), ['4,0,{"e":"heard","p":"1"}']);
});

test("a listener that throws stops nobody, and is reported", async () => {
    using world = await openWorld();
    const heard: string[] = [];
    const error = new Error("mine");
    world.client.on("message", () => {
        throw error;
    });
    world.client.on("message", (text) => heard.push(text));
    await world.say(`5,${ID},1`, `5,${ID},2`);
    assert.deepEqual(heard, ["1", "2"]);
    assert.deepEqual(await world.heard("error"), [["error", error], ["error", error]]);
});

test("a room's listener that throws is reported by the client", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    await world.say("6,1,news");
    const error = new Error("mine");
    (await joining).on("message", () => {
        throw error;
    });
    await world.say("5,news,x");
    assert.deepEqual(await world.heard("error"), [["error", error]]);
});

test("an error that nobody listens to is in the console, and so is one of who listens to errors", async () => {
    using world = await openWorld();
    world.ignore("error");
    const [heard] = (await overheard(() => world.say("1,0,no luck"))) as any[];
    assert.deepEqual([heard.code, heard.message], [0, "no luck"]);
    using other = new World();
    await other.open();
    const error = new Error("worse");
    other.client.on("error", () => {
        throw error;
    });
    assert.deepEqual(await overheard(() => other.say("1,0,no luck")), [error]);
});

test("what has failed without anybody to be told is an error", async () => {
    using world = await openWorld();
    world.client.emit("fail");
    await world.say("1,401,who are you?", "x", "5,,x");
    const errors = (await world.heard("error")).map(([, error]: any) => [error.code, error.message]);
    assert.deepEqual(errors, [[401, "who are you?"], ["BadFrame", "BadFrame: x"], ["BadFrame", "BadFrame: 5,,x"]]);
    // Malformed ones are counted all the same.
    world.socket.end();
    await world.accept();
    assert.match((await world.sent()).at(-1)!, /"got":2,/);
});

test("direct messages, and those of channels that the server chose, are told with where they were sent to", async () => {
    using world = await openWorld();
    await world.say("6,3,lobby", "5,lobby,a,b\nc", `5,${ID},psst`, "6,2,lobby");
    assert.deepEqual(await world.heard(), [
        ["channel", "lobby", true, undefined],
        ["message", "a,b\nc", "lobby"],
        ["message", "psst", ID],
        ["channel", "lobby", false, undefined],
    ]);
});

test("what is told comes in the order in which it happened, answers too", async () => {
    using world = await openWorld();
    const order: unknown[] = [];
    const call = world.client.call("a").then(() => order.push("answer"));
    world.client.on("message", (text) => order.push(text));
    world.client.on("error", () => order.push("error"));
    await world.sent();
    world.socket.say(`5,${ID},1`, "1,0,x", '4,1,{"c":-1}', `5,${ID},2`);
    await call;
    await settle();
    assert.deepEqual(order, ["1", "error", "answer", "2"]);
});
