// A client alone in a world where time passes when it is told to: a clock, a die, and WebSockets whose other end is the test.

import { connect } from "../../src/index.js";
import type { ClientEvents, Options } from "../../src/types.js";

interface Timer {
    at: number;
    run: () => void;
}

const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: Date.now,
    random: Math.random,
};

/** Lets everything happen that waits for nothing but its turn. */
export const settle = (): Promise<void> =>
    new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

/** Replaces what tells the time, for as long as a test takes. */
export class Clock {
    now = 1_000_000;
    random = () => 0.5;
    timers = new Set<Timer>();

    install(): this {
        globalThis.setTimeout = ((run: () => void, milliseconds: number) => {
            const timer = { at: this.now + milliseconds, run };
            this.timers.add(timer);
            return timer;
        }) as unknown as typeof setTimeout;
        globalThis.clearTimeout = ((timer: Timer) => this.timers.delete(timer)) as unknown as typeof clearTimeout;
        Date.now = () => this.now;
        Math.random = () => this.random();
        return this;
    }

    restore(): void {
        Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
        Date.now = real.now;
        Math.random = real.random;
    }

    get pending(): number {
        return this.timers.size;
    }

    /** When the next timer is due. */
    get next(): number | undefined {
        const all = [...this.timers].map((timer) => timer.at);
        return all.length ? Math.min(...all) : undefined;
    }

    /** Lets time pass, and timers fire when they are due. */
    async pass(milliseconds: number): Promise<void> {
        const end = this.now + milliseconds;
        await settle();
        for (let next; (next = this.next) != null && next <= end; ) {
            this.now = Math.max(this.now, next);
            await this.fire();
        }
        this.now = end;
    }

    /** The machine sleeps: timers fire late. */
    async sleep(milliseconds: number): Promise<void> {
        await settle();
        this.now += milliseconds;
        await this.fire();
    }

    /** Fires what is due. */
    async fire(): Promise<void> {
        const due = [...this.timers].filter((timer) => timer.at <= this.now).sort((a, b) => a.at - b.at);
        for (const timer of due) if (this.timers.delete(timer)) timer.run();
        await settle();
    }
}

/** One WebSocket as the client sees it; its other end is the test. */
export class Socket {
    onopen: ((event: unknown) => void) | null = null;
    onmessage: ((event: unknown) => void) | null = null;
    onclose: ((event: unknown) => void) | null = null;
    onerror: ((event: unknown) => void) | null = null;
    bufferedAmount = 0;
    sent: string[] = [];
    isClosed = false;
    isOpen = false;

    constructor(
        readonly url: string,
        readonly protocols: string[] = [],
    ) {}

    send(text: string): void {
        if (!this.isOpen) throw new Error("not open");
        if (!this.isClosed) this.sent.push(text);
    }

    close(): void {
        this.isClosed = true;
    }

    /** The server accepts. */
    open(): void {
        this.isOpen = true;
        this.onopen?.({});
    }

    /** The server says something. */
    say(...texts: string[]): void {
        for (const data of texts) this.onmessage?.({ data });
    }

    /** The server closes, or the connection is cut. */
    end(code = 1006, reason = ""): void {
        this.isOpen = false;
        this.onclose?.({ code, reason });
    }
}

/** Seconds. */
export const S = 1000;

export const ID = "@1AAAAAAAAAAAAAAAAAAAAA";
export const opened = (id = ID, key = "KKKK", max = 65536) =>
    `0,0,${JSON.stringify({ id, key, ttl: 120, ping: 25, max })}`;
export const resume = (got: number, attempt: number, id = ID, key = "KKKK") =>
    `0,1,${JSON.stringify({ id, key, got, try: attempt })}`;

type Told = { [Kind in keyof ClientEvents]: [Kind, ...ClientEvents[Kind]] }[keyof ClientEvents];

const KINDS: (keyof ClientEvents)[] = [
    "connect", "disconnect", "reconnecting", "resumed", "reset", "message", "channel", "error", "close",
];

/** A client and its world. `using` gives the real one back. */
export class World {
    clock = new Clock().install();
    sockets: Socket[] = [];
    told: Told[] = [];
    client;

    constructor(options: Options = {}) {
        const { sockets } = this;
        const WebSocket = class extends Socket {
            constructor(url: string, protocols?: string[]) {
                super(url, protocols);
                sockets.push(this);
            }
        };
        this.client = connect("ws://localhost:12345/ws", { WebSocket, ...options });
        for (const kind of KINDS) {
            this.#stops.set(kind, this.client.on(kind, (...args: unknown[]) => this.told.push([kind, ...args] as Told)));
        }
    }

    #stops = new Map<keyof ClientEvents, () => void>();

    /** Has nobody listen to this any more. */
    ignore(kind: keyof ClientEvents): void {
        this.#stops.get(kind)!();
    }

    /** The last connection. */
    get socket(): Socket {
        return this.sockets.at(-1)!;
    }

    /** What was sent since this was last asked. */
    async sent(): Promise<string[]> {
        await settle();
        return this.socket.sent.splice(0);
    }

    /** What was told since this was last asked: only of these kinds, where any are given. */
    async heard(...kinds: (keyof ClientEvents)[]): Promise<Told[]> {
        await settle();
        const all = this.told.splice(0);
        return kinds.length ? all.filter(([kind]) => kinds.includes(kind)) : all;
    }

    /** Waits until there is another connection, and accepts it. What was said on the one before is not looked at any more. */
    async accept(): Promise<Socket> {
        await settle();
        for (let tries = 0; (!this.sockets.length || this.socket.isOpen || this.socket.isClosed) && tries < 99; tries++) {
            await this.clock.pass(Math.max(0, (this.clock.next ?? this.clock.now) - this.clock.now));
        }
        this.socket.open();
        this.socket.say("0");
        await settle();
        return this.socket;
    }

    /** Accepts the next connection, and opens a session. */
    async open(id?: string, key?: string, max?: number): Promise<Socket> {
        const socket = await this.accept();
        socket.sent = [];
        socket.say(opened(id, key, max));
        await settle();
        return socket;
    }

    /** The connection breaks, and the next one resumes. */
    async resume(got: number): Promise<Socket> {
        this.socket.end();
        const socket = await this.accept();
        socket.sent = [];
        socket.say(`0,1,{"got":${got}}`);
        await settle();
        return socket;
    }

    async say(...texts: string[]): Promise<void> {
        this.socket.say(...texts);
        await settle();
    }

    [Symbol.dispose](): void {
        this.clock.restore();
    }
}

/** A client with an open session. */
export const openWorld = async (options?: Options): Promise<World> => {
    const world = new World(options);
    await world.open();
    world.told = [];
    return world;
};
