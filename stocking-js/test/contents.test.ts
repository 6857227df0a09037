// What frames carry, as the vectors say: through a client, since it is the client who reads them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorld, World } from "./support/world.js";
import { vectors } from "./support/vectors.js";

interface Case {
    name: string;
    of: string;
    content: string;
    value?: any;
    error?: unknown;
}

const cases = vectors<Case[]>("contents.json");
const of = (kind: string) => cases.filter((one) => one.of == kind);

/** A parser of JSON that is part of the language does not tell of these: a member twice, `1.0` for `1`, `-0` for `0`. */
const isUnseen = ({ name, content }: Case) => / twice$/.test(name) || /[-\d]\.0\b|:-0\b/.test(content);

test("a reply is what the vectors say", async () => {
    assert.ok(of("reply").length > 15, "cases have been lost");
    using world = await openWorld();
    for (const one of of("reply")) {
        const outcome = world.client.call("echo").catch((error: unknown) => ({ error }));
        const id = (await world.sent())[0]!.split(",")[1];
        await world.say(`4,${id},${one.content}`);
        const answer = (await outcome) as any;
        if (one.value?.success != null) assert.deepEqual(answer, JSON.parse(one.value.success), one.name);
        else if (one.value) {
            assert.deepEqual([answer.error.code, answer.error.message], [one.value.code, one.value.reason], one.name);
        } else if (!isUnseen(one)) assert.equal(answer.error?.code, "BadFrame", one.name);
    }
});

test("what opens a session is what the vectors say", async () => {
    assert.ok(of("opened").length > 6, "cases have been lost");
    for (const one of of("opened")) {
        // The order of the digits of an id is the server's to know.
        if (isUnseen(one) || one.name == "an id over 128 bits") continue;
        using world = new World();
        await world.accept();
        await world.say(`0,0,${one.content}`);
        assert.equal(world.client.state, one.value ? "connected" : "waiting", one.name);
        if (one.value) assert.equal(world.client.id, one.value.id);
    }
});

test("what resumes a session is what the vectors say", async () => {
    assert.ok(of("resumed").length > 3, "cases have been lost");
    for (const one of of("resumed")) {
        if (isUnseen(one)) continue;
        using world = await openWorld();
        for (let count = 0; count < 9; count++) world.client.emit("echo");
        await world.sent();
        world.socket.end();
        await world.accept();
        await world.say(`0,1,${one.content}`);
        assert.equal(world.client.state, one.value ? "connected" : "waiting", one.name);
        if (one.value) assert.equal((await world.sent()).length, 1 + 9 - one.value.got, one.name);
    }
});

test("events are written as the vectors say, and a resume is", async () => {
    using world = await openWorld();
    for (const { value, name } of of("event").filter(({ value }) => value)) {
        const payload = JSON.parse(value.payload);
        world.client.emit(value.name, payload);
        const sent = await world.sent();
        assert.deepEqual(JSON.parse(sent[0]!.slice("4,0,".length)), { e: value.name, p: payload }, name);
    }
    const kept = of("event").filter(({ value }) => value).length;
    const { value } = of("resume").find(({ name }) => name == "a key with escapes")!;
    using other = new World();
    await other.open(value.id, value.key);
    for (let count = 0; count < value.got; count++) other.socket.say("5,@x,");
    for (let tries = 1; tries < value.try; tries++) {
        other.socket.end();
        await other.accept();
    }
    other.socket.end();
    await other.accept();
    const asked = of("resume").find(({ name }) => name == "a key with escapes")!;
    assert.ok(kept && (await other.sent()).includes(`0,1,${asked.content}`));
});
