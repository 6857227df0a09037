// The chat as it is started, the network between it and a page, and pages.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../../target", import.meta.url));
const pictures = `${target}/ci/chat`;
mkdirSync(pictures, { recursive: true });

/** Without the sandbox, which root has not; and without what a browser asks of its maker. */
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
});

export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 700 } };

const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

/** The server, as `cargo build --example chat` leaves it. */
const start = async (at = 0) => {
    const child = spawn(`${target}/debug/examples/chat`, [`127.0.0.1:${at}`], { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface(child.stdout)) {
        const port = /^http:\/\/127\.0\.0\.1:(\d+)\/$/.exec(line)?.[1];
        if (port) return { child, port: Number(port) };
    }
    throw new Error("the chat has ended");
};

/** One page's network: passes bytes on, until told not to. */
const network = async (port) => {
    const lines = new Set();
    let isDown = false;
    const server = createServer((near) => {
        if (isDown) return near.destroy();
        const far = connect(port, "127.0.0.1");
        const line = { near, far };
        lines.add(line);
        const end = () => {
            lines.delete(line);
            near.destroy();
            far.destroy();
        };
        for (const socket of [near, far]) socket.setNoDelay(true).on("error", () => {}).on("close", end);
        near.pipe(far);
        far.pipe(near);
    });
    const end = () => lines.forEach(({ near, far }) => (near.destroy(), far.destroy()));
    return {
        port: await listen(server),
        /** Everything breaks, and nothing new comes about. */
        cut: () => ((isDown = true), end()),
        /** Nothing passes, and nobody is told. */
        stall() {
            isDown = true;
            for (const { near, far } of lines) {
                near.unpipe(far).pause();
                far.unpipe(near).pause();
            }
        },
        /** What had stalled is gone. */
        restore: () => (end(), (isDown = false)),
        close: () => (end(), server.close()),
    };
};

/** A chat for one test: its `page` opens it in a browser. */
export const world = async (t) => {
    let { child, port } = await start();
    const opened = [];
    t.after(async () => {
        for (const { net, context } of opened) {
            await context.close();
            net.close();
        }
        child.kill("SIGKILL");
    });
    return {
        /** The server ends without a word, and another one takes its place. */
        async restart() {
            const gone = new Promise((resolve) => child.on("exit", resolve));
            child.kill("SIGKILL");
            await gone;
            ({ child } = await start(port));
        },
        /** Opens the page over a network of its own, and listens to all that goes wrong there. */
        async page({ size = "desktop", colorScheme = "light" } = {}) {
            const net = await network(port);
            const context = await browser.newContext({ viewport: SIZES[size], colorScheme, hasTouch: size == "phone" });
            context.setDefaultTimeout(15_000);
            const page = await context.newPage();
            /** What the console says is wrong, and where requests went. */
            const wrong = [];
            const hosts = new Set();
            page.on("pageerror", (error) => wrong.push(`${error}`));
            page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
            context.on("request", (request) => request.url().startsWith("data:") || hosts.add(new URL(request.url()).host));
            page.on("websocket", (socket) => hosts.add(new URL(socket.url()).host));
            const response = await page.goto(`http://127.0.0.1:${net.port}/`);
            opened.push({ net, context });
            return { page, net, wrong, hosts, response, host: `127.0.0.1:${net.port}` };
        },
    };
};

/** Comes in by a name. */
export const comeIn = async (page, name) => {
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Come in" }).click();
    await page.getByText("You are in # lobby").waitFor();
};

export const say = async (page, text) => {
    await page.locator("#text").fill(text);
    await page.locator("#text").press("Enter");
};

/** What stands in the place that is shown, of what somebody said. */
export const words = (page) => page.locator(".log:not([hidden]) .said:not(.waiting) .words").allTextContents();

/** Waits until something is so; what never is fails by the test's timeout. */
export const until = async (is) => {
    while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 50));
};

/** Nothing went wrong, no request left the host, and nothing stands beyond the edge. */
export const assertWell = async (...opened) => {
    for (const { page, wrong, hosts, host } of opened) {
        assert.deepEqual(wrong, []);
        assert.deepEqual([...hosts], [host]);
        const beyond = await page.evaluate(() =>
            [...document.querySelectorAll("body *")]
                .filter((it) => {
                    const isWider = it.scrollWidth > it.clientWidth && /auto|scroll/.test(getComputedStyle(it).overflowX);
                    return isWider || it.getBoundingClientRect().right > innerWidth;
                })
                .map((it) => it.outerHTML.slice(0, 99)),
        );
        assert.deepEqual(beyond, []);
    }
};

export const picture = (page, name) => page.screenshot({ path: `${pictures}/${name}.png` });

export const closeBrowser = () => browser.close();
