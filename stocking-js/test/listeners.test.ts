// Who is called, and who is not any more.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorld } from "./support/world.js";

test("who is taken off by a listener before it is not called", async () => {
    using world = await openWorld();
    const heard: string[] = [];
    const second = (text: string) => heard.push(text);
    world.client.on("message", () => world.client.off("message", second));
    world.client.on("message", second);
    await world.say("5,@x,1");
    assert.deepEqual(heard, []);
});

test("who is taken off before the next time is not called then either", async () => {
    using world = await openWorld();
    const heard: string[] = [];
    const listener = (text: string) => heard.push(text);
    world.client.once("message", listener);
    world.client.off("message", listener);
    await world.say("5,@x,1");
    assert.deepEqual(heard, []);
});

test("who listens each time goes on, whoever else asks to be called once", async () => {
    using world = await openWorld();
    const heard: string[] = [];
    const listener = (text: string) => heard.push(text);
    for (const first of ["on", "once"] as const) {
        world.client[first]("message", listener);
        world.client[first == "on" ? "once" : "on"]("message", listener);
        await world.say("5,@x,1", "5,@x,2");
        world.client.off("message", listener);
        await world.say("5,@x,3");
        assert.deepEqual(heard.splice(0), ["1", "2"], first);
    }
});

test("who says goodbye is the last to be called", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    await world.say("6,1,news");
    const room = await joining;
    const heard: string[] = [];
    for (const count of [1, 2]) {
        room.on("message", (text) => {
            heard.push(`${text} ${count}`);
            void world.client.close();
        });
    }
    await world.say("5,news,1", "5,news,2");
    assert.deepEqual(heard, ["1 1"]);
});

test("who leaves a room hears nothing more of it, even of what came with the last word", async () => {
    using world = await openWorld();
    const joining = world.client.join("news");
    await world.say("6,1,news");
    const room = await joining;
    const heard: string[] = [];
    room.on("message", (text) => {
        heard.push(text);
        room.leave();
    });
    world.socket.say("5,news,1", "5,news,2");
    await world.say("5,news,3");
    assert.deepEqual(heard, ["1"]);
});
