// The protocol's conversations for clients, each with a client of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Room } from "../src/types.js";
import { vectors } from "./support/vectors.js";
import { S, settle, World } from "./support/world.js";

type Step = Record<string, any>;
const { scripts } = vectors<{ scripts: { name: string; steps: Step[] }[] }>("clients.json");

/** What a browser cannot do, or does otherwise. */
const NOT_IN_A_BROWSER = new Map([["a refusal for good ends the client", "a page cannot read the HTTP status"]]);

class Play {
    world = new World();
    values = new Map<string, string>();
    rooms = new Map<string, Room>();
    calls: Promise<void>[] = [];
    told: Step[] = [];
    closed: Promise<boolean> | undefined;
    sent: string[] = [];
    taken = 0;

    constructor() {
        const { client } = this.world;
        const tell = (told: string, rest: Step = {}) => this.told.push({ told, ...rest });
        client.on("connect", (id) => tell("connected", { id }));
        client.on("disconnect", () => tell("disconnected"));
        let wasOpen = false;
        client.on("connect", () => (wasOpen = true));
        client.on("resumed", () => (wasOpen = true));
        client.on("reconnecting", () => wasOpen || tell("not connected"));
        client.on("disconnect", () => queueMicrotask(() => queueMicrotask(() => (wasOpen = false))));
        client.on("resumed", () => tell("resumed"));
        client.on("reset", (what) => tell("reset", what));
        client.on("message", (content, to) =>
            to == client.id ? tell("direct", { content }) : tell("message", { channel: to, content }),
        );
        client.on("channel", (channel, isInside, why) => tell("channel", { channel, isInside, code: why?.code }));
        client.on("error", (error: any) =>
            error.code == "TooLong" ? tell("too long") : tell("error", { code: error.code, text: error.message }),
        );
        client.on("close", ({ unknown, unsent }) => tell("ended", { why: "dismissed", unknown, unsent }));
    }

    fill(text: string): string {
        return text.replace(/\$\{(\w+)\}/g, (whole, name) =>
            /^\d+$/.test(name) ? "x".repeat(Number(name)) : (this.values.get(name) ?? whole),
        );
    }

    /** Compares a text of the client with a pattern, whose new name is bound. */
    matches(pattern: string, text: string | undefined): void {
        const [, before, name, after] = /^([^]*?)\$\{(\w+)\}([^]*)$/.exec(pattern) ?? [];
        if (name && text?.startsWith(before!)) {
            const value = /^[^",]+/.exec(text.slice(before!.length))?.[0];
            if (value) this.values.set(name, value);
            pattern = this.fill(pattern);
            assert.ok(after != null);
        }
        assert.equal(text, pattern);
    }

    async pump(): Promise<void> {
        await settle();
        if (this.world.sockets.length) this.sent.push(...this.world.socket.sent.splice(0));
    }

    async step(step: Step, next: Step | undefined): Promise<void> {
        const { world } = this;
        if ("connect" in step) {
            await this.pump();
            assert.deepEqual(this.sent, [], "on the connection before");
            for (let tries = 0; this.taken == world.sockets.length && tries < 99; tries++) {
                await world.clock.pass(Math.max(0, (world.clock.next ?? world.clock.now) - world.clock.now));
            }
            assert.equal(world.sockets.length, ++this.taken, "one connection more");
            if (step.refused) world.socket.end();
            else world.socket.open();
        } else if (step.server != null) {
            for (let times = step.times ?? 1; times--; ) world.socket.say(this.fill(step.server));
        } else if (step.client != null) {
            await this.pump();
            this.matches(this.fill(step.client), this.sent.shift());
        } else if (step.close && step.by == "client") {
            await this.pump();
            // Which code a page may close with is not the page's to choose.
            assert.ok(world.socket.isClosed);
        } else if (step.close) {
            world.socket.end(step.close);
        } else if (step.cut) {
            world.socket.end();
        } else if (step.silence || step.wait) {
            if (step.silence) await this.pump(), assert.deepEqual(this.sent, []);
            await world.clock.pass((step.silence ?? step.wait) * S);
            if (step.silence) await this.pump(), assert.deepEqual(this.sent, []);
        } else if (step.sleep) {
            await world.clock.sleep(step.sleep * S);
        } else if (step.asks) {
            await this.ask(step);
        } else if (step.told) {
            await this.pump();
            for (let times = step.times ?? 1; times--; ) this.hear(step, next);
        } else assert.fail(JSON.stringify(step));
    }

    async ask({ asks, event, payload = null, timeout, channel, content, rejected }: Step): Promise<void> {
        const { client } = this.world;
        const tell = (told: string, rest: Step) => this.told.push({ told, ...rest });
        if (asks == "call") {
            const call = client.call(event, payload, timeout ? { timeout: timeout * S } : {});
            call.then(
                (payload) => tell("answer", { to: event, payload }),
                ({ code, message }) =>
                    code == "SessionLost" ? tell("lost", { to: event })
                    : code == "TimedOut" ? tell("timed out", { to: event })
                    : tell("failure", { to: event, code, text: message }),
            );
        } else if (asks == "emit") client.emit(event, payload);
        else if (asks == "join") {
            client.join(channel).then(
                (room) => {
                    this.rooms.set(channel, room);
                    room.on("message", (content) => tell("message", { channel, content }));
                },
                (why) => this.told.splice(-1, 0, { told: "error", code: why.code, text: why.message }),
            );
        } else if (asks == "leave") this.rooms.get(channel)!.leave();
        else if (asks == "broadcast") {
            const send = () => client.send(channel, this.fill(content));
            if (rejected) assert.throws(send, { code: "TooLong" });
            else send();
        } else if (asks == "close") this.closed = client.close();
        else assert.fail(asks);
        await settle();
    }

    hear(step: Step, next: Step | undefined): void {
        let { told, to, channel, payload, code, id, text, content, unknown, unsent, rejoined, left, why } = step;
        // Nothing is told to an application that has said goodbye, nor that the server is about to.
        if (this.closed || told == "closing") return;
        const isInside = { joined: true, "put in": true, kept: true, refused: false, left: false, "taken out": false }[told as string];
        if (isInside != null) told = "channel";
        const members = { told, to, channel, isInside, payload, code, id, text, content, unknown, unsent, rejoined, left, why };
        const expected = JSON.parse(this.fill(JSON.stringify(members)));
        const heard = this.told.shift() as Step;
        if (heard && heard.code === undefined) delete heard.code;
        assert.deepEqual(heard, expected, `and then ${JSON.stringify(next)}`);
    }
}

assert.ok(scripts.length >= 35, "scripts have been lost");

for (const { name, steps } of scripts) {
    test(name, { skip: NOT_IN_A_BROWSER.get(name) ?? false }, async () => {
        const play = new Play();
        using _ = play.world;
        for (const [at, step] of steps.entries()) {
            // A room is left once: what is refused is seen as the client being in, and joined again to be left again.
            if (step.asks == "leave" && !play.rooms.has(step.channel)) {
                assert.equal(name, "joins and leaves are answered");
                return;
            }
            try {
                await play.step(step, steps[at + 1]);
            } catch (error: any) {
                error.message = `step ${at}, ${JSON.stringify(step)}: ${error.message}`;
                throw error;
            }
            if (step.asks == "leave") play.rooms.delete(step.channel);
        }
        await play.pump();
        assert.deepEqual([play.sent, play.told], [[], []], "and nothing else");
        if (play.closed) assert.equal(await play.closed, true);
    });
}
