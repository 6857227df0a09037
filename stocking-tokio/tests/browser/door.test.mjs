// Whom the example `chat` lets in, to what, and where its page may ask.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { closeBrowser, world } from "./world.mjs";

const TIMEOUT = { timeout: 40_000 };

after(closeBrowser);

describe("the chat's door", () => {
    test("who asks again to be let in where he is hears nothing new", TIMEOUT, async (t) => {
        const chat = await world(t);
        const { page } = await chat.page();
        const kinds = await page.evaluate(async () => {
            const { connect } = await import("/stocking.js");
            const doge = connect("/ws", { auth: () => ({ query: { name: "doge" } }) });
            const kinds = [];
            doge.on("message", (news) => kinds.push(JSON.parse(news).kind));
            await doge.join("lobby");
            await doge.join("lobby");
            await doge.call("time");
            const first = await doge.join("music");
            first.leave();
            await doge.join("music");
            await doge.call("time");
            return kinds;
        });
        assert.deepEqual(kinds, ["here", "here", "here"]);
    });

    test("nobody has a silly name, speaks where he is not, or without saying who he is", TIMEOUT, async (t) => {
        const chat = await world(t);
        const { page } = await chat.page();
        const unseen = ["doge\u202e", "d\u200boge", "\u3164", "d\u115foge", "d\u1160oge", "doge\uffa0"];
        const silly = ["", " doge", "do  ge", ...unseen, "<doge>", "\n", "-", "d".repeat(25), "🧦"];
        const said = await page.evaluate(async (silly) => {
            const { connect } = await import("/stocking.js");
            const client = (name) => connect("/ws", { auth: () => ({ query: { name } }) });
            const codes = silly.map((name) => new Promise((resolve) => client(name).on("close", ({ code }) => resolve(code))));
            const doge = client("Doge O'Hara-Ünal 2");
            const code = (promise) => promise.then(() => "done", ({ code }) => code);
            const error = new Promise((resolve) => doge.on("error", ({ code }) => resolve(code)));
            await doge.join("lobby");
            doge.send("lobby", "I am cat");
            return {
                names: await Promise.all(codes),
                broadcast: await error,
                upper: await code(doge.join("LOBBY")),
                long: await code(doge.call("say", { room: "lobby", text: "d".repeat(2001) })),
                empty: await code(doge.call("say", { room: "lobby", text: " \n" })),
                outside: await code(doge.call("say", { room: "music", text: "la" })),
                inside: await code(doge.call("say", { room: "lobby", text: "la" })),
            };
        }, silly);
        const names = silly.map(() => 3003);
        assert.deepEqual(said, { names, broadcast: -32002, upper: 0, long: 413, empty: 0, outside: -32002, inside: "done" });
    });

    test("the page may ask nobody but its own server", TIMEOUT, async (t) => {
        const chat = await world(t);
        const { page, response } = await chat.page();
        let asked = 0;
        const foreign = createServer((_, answer) => (asked++, answer.setHeader("access-control-allow-origin", "*").end("1")));
        foreign.on("upgrade", (_, socket) => (asked++, socket.destroy()));
        await new Promise((resolve) => foreign.listen(0, "127.0.0.1", resolve));
        const address = `127.0.0.1:${foreign.address().port}`;
        assert.match(response.headers()["content-security-policy"], /^default-src 'none'/);
        const refused = await page.evaluate(async (address) => {
            const policies = [];
            document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => policies.push(effectiveDirective));
            const load = (tag, how) => document.head.append(Object.assign(document.createElement(tag), how));
            load("img", { src: `http://${address}/1.png` });
            load("script", { src: `http://${address}/1.js` });
            load("link", { rel: "stylesheet", href: `http://${address}/1.css` });
            load("script", { textContent: "document.title = 'foreign'" });
            await fetch(`http://${address}/`).catch(() => {});
            try {
                new WebSocket(`ws://${address}/`);
            } catch {}
            while (policies.length < 6) await new Promise((resolve) => setTimeout(resolve, 20));
            return policies.sort();
        }, address);
        assert.deepEqual(refused, ["connect-src", "connect-src", "img-src", "script-src-elem", "script-src-elem", "style-src-elem"]);
        assert.equal(asked, 0);
        assert.equal(await page.title(), "Stocking chat");
        foreign.close();
    });
});
