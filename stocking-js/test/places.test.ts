// Where a client is, over a network that breaks at every frame and a server that refuses, puts in and takes out, from a seed.
// A failure names its seed: `SEED=17 npm test places` tells that one's story.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Room } from "../src/types.js";
import { Network } from "./support/network.js";

const SEEDS = Number(process.env.SEEDS ?? 100);
const STEPS = 200;
const CHANNELS = ["a", "b"];

const play = async (seed: number): Promise<void> => {
    const network = new Network(seed, true);
    using _ = network.world;
    const { world, server } = network;
    const { client } = world;
    server.refuses = (channel) => CHANNELS.includes(channel) && !network.below(6);
    const rooms = new Set<Room>();
    let [joins, settled] = [0, 0];
    const told = new Map<string, boolean>();
    client.on("channel", (name, isInside) => told.set(name, isInside));
    // Where it is from there on is told as it is joined again.
    client.on("reset", () => told.clear());
    const join = (name: string) => {
        joins++;
        client.join(name).then(
            (room) => {
                settled++;
                rooms.add(room);
                room.on("leave", () => rooms.delete(room));
            },
            () => settled++,
        );
    };
    for (let step = 0; step < STEPS; step++) {
        const what = network.below(10);
        const name = CHANNELS[network.below(2)]!;
        const room = [...rooms][network.below(rooms.size)];
        if (what == 0) join(name);
        else if (what == 1 && room) {
            rooms.delete(room);
            room.leave();
        } else if (what == 2 && network.meet()) server.move(network.line!, name, !network.below(2));
        else await network.step();
    }
    server.refuses = () => false;
    await network.calm();
    assert.equal(settled, joins, "every join ends");
    const [session] = [...server.sessions.values()].slice(-1);
    for (const name of CHANNELS) {
        assert.equal(told.get(name) ?? false, session!.inside.has(name), `${name}: what is told is so`);
        const isHere = [...rooms].some((room) => room.name == name);
        if (isHere) assert.ok(session!.inside.has(name), `${name}: who has a room is in it`);
    }
};

test("where a client is told to be, it is, and every join ends", async () => {
    const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: SEEDS }, (_, seed) => seed);
    for (const seed of seeds) {
        await play(seed).catch((error: Error) => {
            throw new Error(`SEED=${seed}: ${error.message}`, { cause: error });
        });
    }
});
