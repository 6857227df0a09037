// A network that breaks at every frame, from a seed, between a client and a model of a server.
// A failure names its seed: `SEED=17 npm test network` tells that one's story.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Network } from "./support/network.js";

const SEEDS = Number(process.env.SEEDS ?? 150);
const STEPS = 250;

const play = async (seed: number, restarts: boolean): Promise<void> => {
    const network = new Network(seed, restarts);
    using _ = network.world;
    for (let step = 0; step < STEPS; step++) await network.step();
    await network.calm();
    const { server, outcomes, heard, unknown, asked } = network;
    assert.equal(network.world.client.state, "connected");

    const handled = server.handled as number[];
    assert.deepEqual(handled, [...new Set(handled)].sort((a, b) => a - b), "handled once, and in order");
    assert.deepEqual(heard, [...new Set(heard)].sort((a, b) => a - b), "heard once, and in order");
    assert.equal(outcomes.size, network.calls, "every call ends");
    for (const [number, outcome] of outcomes) {
        assert.ok(outcome == "answered" || (restarts && outcome == "SessionLost"), `${number}: ${outcome}`);
        if (outcome == "answered") assert.ok(handled.includes(number));
    }
    const all = Array.from({ length: asked }, (_, number) => number);
    if (!restarts) {
        assert.deepEqual(handled, all);
        assert.deepEqual(unknown, []);
        // From the first that was heard, none is missing.
        const said = Array.from({ length: network.broadcast }, (_, number) => number);
        assert.deepEqual(heard, heard.length ? said.slice(heard[0]) : []);
    }
    // What was not handled is named.
    for (const number of all) assert.ok(handled.includes(number) || unknown.includes(number), `${number} is lost in silence`);
};

for (const restarts of [false, true]) {
    const name = restarts ? "a session that is lost is not lost in silence" : "nothing is lost, and nothing comes twice";
    test(`${name}, wherever the network breaks`, async () => {
        const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: SEEDS }, (_, seed) => seed);
        for (const seed of seeds) {
            await play(seed, restarts).catch((error: Error) => {
                throw new Error(`SEED=${seed}: ${error.message}`, { cause: error });
            });
        }
    });
}
