// A network that breaks at every frame, from a seed, between a client and a model of a server.

import assert from "node:assert/strict";
import { ModelServer, type Line } from "./model.js";
import { settle, World, type Socket } from "./world.js";

const numbers = (seed: number) => {
    let state = seed * 2654435761;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
};

export class Network {
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
        client.join("news").then(
            (room) => room.on("message", (text) => this.heard.push(Number(text))),
            // Only where there is a goodbye.
            ({ code }) => assert.equal(code, "SessionLost"),
        );
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
        if (!this.meet()) return;
        const text = this.line!.toClient.shift();
        if (text) this.socket!.say(text);
        else if (this.line!.isOver) this.socket!.end(1000);
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
