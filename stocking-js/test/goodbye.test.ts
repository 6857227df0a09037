// A goodbye at any moment, over a network that breaks at every frame, from a seed.
// A failure names its seed: `SEED=17 npm test goodbye` tells that one's story.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Network } from "./support/network.js";
import { S, settle } from "./support/world.js";

const SEEDS = Number(process.env.SEEDS ?? 150);
const STEPS = 120;

const play = async (seed: number): Promise<void> => {
    const network = new Network(seed, !(seed % 3));
    using _ = network.world;
    const { world, server } = network;
    const { client, clock } = world;
    const meant = new Set<string>();
    let [calls, ended] = [0, 0];
    /** Calls, some of which are given up before they are answered, or even sent. */
    const call = () => {
        const name = `call ${calls++}`;
        const giveUp = new AbortController();
        meant.add(name);
        client.call("echo", name, { timeout: network.below(20) * S + 1, signal: giveUp.signal }).then(
            () => ended++,
            (why) => {
                ended++;
                if (why.code == "NotSent" || why.name == "AbortError") meant.delete(name);
            },
        );
        if (!network.below(3)) setTimeout(() => giveUp.abort(), network.below(5) * S);
    };
    for (let step = network.below(STEPS); step--; ) {
        if (!network.below(8)) call();
        else await network.step();
    }
    const emitted = network.asked;
    const closed = client.close();
    world.told = [];
    let outcome: boolean | undefined;
    void closed.then((isHeard) => (outcome = isHeard));
    for (let step = 0; step < STEPS && outcome == null; step++) {
        if (network.below(6)) network.toServer();
        if (network.below(6)) network.toClient();
        if (!network.below(15) && network.meet()) world.socket.end();
        await settle();
        if (!network.below(4)) await clock.pass(network.below(1500));
    }
    await clock.pass(10 * S);
    assert.notEqual(outcome, undefined, "a goodbye has an end");
    // What was to be given up later is over.
    await clock.pass(30 * S);
    assert.deepEqual([client.state, clock.pending, world.told], ["closed", 0, []]);
    assert.equal(ended, calls, "every call ends");
    if (!outcome) return;
    // What a reset before it has left unknown was told.
    const known = new Set([...server.handled, ...network.unknown]);
    for (const name of meant) assert.ok(known.has(name), `${name} was taken in`);
    for (let number = 0; number < emitted; number++) assert.ok(known.has(number), `${number} was taken in`);
};

test("who says goodbye is told nothing more, and whether all before it was taken in", async () => {
    const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: SEEDS }, (_, seed) => seed);
    for (const seed of seeds) {
        await play(seed).catch((error: Error) => {
            throw new Error(`SEED=${seed}: ${error.message}`, { cause: error });
        });
    }
});
