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
