// Real servers: the quickstart of each adapter, as `cargo build --examples` leaves it.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));
const path = (example: string) => join(target, "debug", "examples", example);

export const SERVERS = { tokio: "quickstart", "async-std": "quickstart_async_std" };

/** Why a test with this server is not run. Where everything has to be there, that is no excuse. */
export const missing = (example: string): string | false =>
    !process.env.CI && !existsSync(path(example)) && `${path(example)} is missing: cargo build --workspace --examples`;

/** Names of the built client, as users have it. */
export const built = (): Promise<typeof import("../../src/index.js")> => import("stocking-js" as string);

export class RealServer {
    #child: ChildProcess | undefined;
    port = 0;

    constructor(readonly example: string) {}

    /** Starts it, on the port that it had before. */
    async start(): Promise<this> {
        const child = (this.#child = spawn(path(this.example), [`127.0.0.1:${this.port}`], { stdio: ["ignore", "pipe", "inherit"] }));
        const ended = new Promise<never>((_, reject) => {
            child.on("error", reject);
            child.on("exit", (code) => reject(new Error(`${this.example} has ended: ${code}`)));
        });
        ended.catch(() => {});
        const said = (async () => {
            for await (const line of createInterface(child.stdout!)) {
                const port = /^ws:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
                if (port) return Number(port);
            }
            return ended;
        })();
        this.port = await Promise.race([said, ended]);
        return this;
    }

    get url(): string {
        return `ws://127.0.0.1:${this.port}/ws`;
    }

    async stop(): Promise<void> {
        const child = this.#child!;
        if (child.exitCode != null || child.signalCode != null) return;
        const gone = new Promise((resolve) => child.on("exit", resolve));
        child.kill("SIGKILL");
        await gone;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.stop();
    }
}

/** Passes bytes on to a server, until told to break. */
export class Proxy {
    #lines = new Set<{ near: Socket; far: Socket }>();
    #server: Server;
    cuts = 0;
    /** Whether it accepts anybody. */
    isUp = true;

    constructor(port: number, onLine?: (cut: (stall?: number) => void) => void) {
        this.#server = createServer((near) => {
            if (!this.isUp) return void near.destroy();
            const far = dial(port, "127.0.0.1");
            const line = { near, far };
            this.#lines.add(line);
            const end = () => {
                this.#lines.delete(line);
                near.destroy();
                far.destroy();
            };
            for (const socket of [near, far]) socket.setNoDelay(true).on("error", () => {}).on("close", end);
            near.pipe(far);
            far.pipe(near);
            onLine?.((stall = 0) => {
                if (!this.#lines.has(line)) return;
                this.cuts++;
                near.unpipe(far).pause();
                far.unpipe(near).pause();
                setTimeout(end, stall);
            });
        });
    }

    async listen(): Promise<this> {
        await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
        return this;
    }

    get url(): string {
        return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
    }

    /** Breaks every connection. */
    cut(): void {
        for (const { near, far } of this.#lines) {
            near.destroy();
            far.destroy();
        }
    }

    async [Symbol.asyncDispose](): Promise<void> {
        this.cut();
        await new Promise((resolve) => this.#server.close(resolve));
    }
}

/** Waits until something is so. What never is fails by the test's timeout. */
export const until = async (is: () => unknown): Promise<void> => {
    while (!is()) await new Promise((resolve) => setTimeout(resolve, 10));
};
