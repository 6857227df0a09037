// A network that breaks at every frame, from a seed, between a client and a model of a server.
// A failure names its seed: `SEED=17 npm test network` tells that one's story.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelServer, type Line } from "./support/model.js";
import { settle, World, type Socket } from "./support/world.js";

const SEEDS = Number(process.env.SEEDS ?? 150);
const STEPS = 250;

const numbers = (seed: number) => {
    let state = seed * 2654435761;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
};

class Network {
    world = new World();
    server = new ModelServer();
    random;
    /** The server's end of the last connection. */
    line: Line | undefined;
    socket: Socket | undefined;
    asked = 0;
    calls = 0;
    broadcast = 0;
    outcomes = new Map<number, string>();
    heard: number[] = [];
    unknown: unknown[] = [];

    constructor(
        seed: number,
        readonly restarts: boolean,
    ) {
        this.random = numbers(seed);
        this.world.clock.random = this.random;
        const { client } = this.world;
        void client.join("news").then((room) => room.on("message", (text) => this.heard.push(Number(text))));
        client.on("reset", ({ unknown }) => this.unknown.push(...unknown.filter((text) => text[0] == "4").map(payload)));
    }

    below(limit: number): number {
        return Math.floor(this.random() * limit);
    }

    ask(): void {
        const number = this.asked++;
        if (this.below(2)) return this.world.client.emit("echo", number);
        this.calls++;
        this.world.client.call("echo", number, { timeout: Infinity }).then(
            (answer) => this.end(number, answer == number ? "answered" : "mistaken"),
            (error) => this.end(number, error.code),
        );
    }

    end(number: number, outcome: string): void {
        assert.ok(!this.outcomes.has(number), "a call ends once");
        this.outcomes.set(number, outcome);
    }

    /** Takes up a connection that the client has begun; `true` where there is one. */
    meet(): boolean {
        const { socket } = this.world;
        if (socket && socket != this.socket && !socket.isClosed) {
            this.socket = socket;
            this.line = this.server.connect();
            socket.open();
        }
        return !!this.socket?.isOpen && !this.socket.isClosed;
    }

    toServer(): void {
        const text = this.meet() && this.socket!.sent.shift();
        if (text) this.server.take(this.line!, text);
    }

    toClient(): void {
        const text = this.meet() && this.line!.toClient.shift();
        if (text) this.socket!.say(text);
    }

    async step(): Promise<void> {
        const what = this.below(100);
        if (what < 12) this.ask();
        else if (what < 22) this.server.broadcast(`${this.broadcast++}`, this.meet() ? this.line : undefined);
        else if (what < 52) this.toServer();
        else if (what < 87) this.toClient();
        else if (what < 94) await this.world.clock.pass(this.below(this.below(5) ? 1000 : 30_000));
        else if (what < 95 && this.restarts) {
            this.server.restart();
            if (this.meet()) this.socket!.end();
        } else if (this.meet()) {
            // Cut: what was on its way in either direction may have arrived, and mostly has not.
            for (let some = this.below(4); some--; ) this.toServer();
            this.socket!.end();
        }
        await settle();
    }

    /** Lets everything arrive. */
    async calm(): Promise<void> {
        for (let round = 0; round < 400; round++) {
            this.toServer();
            this.toClient();
            await settle();
            if (!this.meet()) await this.world.clock.pass(500);
        }
    }
}

const payload = (text: string): unknown => JSON.parse(text.slice(text.indexOf("{"))).p;

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
