// The example `chat` in a browser, as people have it: two pages, one of which loses its network.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { closeBrowser, comeIn, picture, say, SIZES, until, words, world } from "./world.mjs";

const TIMEOUT = { timeout: 40_000 };

/** What a browser itself says of a network that is not there. No page can keep it from that. */
const isOfNetwork = (text) => /^WebSocket connection to .* failed|^Failed to load resource: net::/.test(text);

/** Nothing went wrong, no request left the host, and nothing stands beyond the edge. */
const assertWell = async (...opened) => {
    for (const { page, wrong, hosts, host } of opened) {
        assert.deepEqual(wrong, []);
        assert.deepEqual([...hosts], [host]);
        const beyond = await page.evaluate(() =>
            [...document.querySelectorAll("body *")]
                .filter((it) => it.getBoundingClientRect().right > innerWidth)
                .map((it) => it.outerHTML.slice(0, 99)),
        );
        assert.deepEqual(beyond, []);
    }
};

after(closeBrowser);

describe("the chat", { concurrency: 2 }, () => {
    for (const size of Object.keys(SIZES)) {
        test(`what was said while the network of one was gone for ten seconds is there once and in order: ${size}`, TIMEOUT, async (t) => {
            const chat = await world(t);
            const [doge, cat] = [await chat.page({ size }), await chat.page({ size, colorScheme: "dark" })];
            await picture(doge.page, `${size}-door`);
            await assertWell(doge);
            await comeIn(doge.page, "doge");
            await comeIn(cat.page, "cat");
            await say(doge.page, "Is it snowing?");
            await until(async () => (await words(cat.page)).length == 1);
            await say(cat.page, "It is.");
            await until(async () => (await words(doge.page)).length == 2);
            await assertWell(doge, cat);

            // On the desktop the line breaks; the phone hears nothing more, as where there is no reception.
            const since = Date.now();
            if (size == "desktop") doge.net.cut();
            else doge.net.stall();
            const missed = ["It has snowed all night.", "In the morning everything was white,", "so we went out.", "Where are you?"];
            for (const text of missed) await say(cat.page, text);
            if (size == "desktop") await doge.page.getByText("Connection lost").last().waitFor();
            await say(doge.page, "I am in a tunnel.");
            await say(doge.page, "Does anybody hear me?");
            assert.equal(await doge.page.locator(".said.waiting").count(), 2);
            await picture(doge.page, `${size}-lost`);
            await doge.page.waitForTimeout(10_000 - (Date.now() - since));
            assert.equal((await words(doge.page)).length, 2);
            assert.equal((await words(cat.page)).length, 6);
            doge.net.restore();

            await doge.page.getByText("Said meanwhile: 4 messages, none missing.").waitFor();
            await until(async () => (await words(cat.page)).length == 8);
            const all = ["Is it snowing?", "It is.", ...missed, "I am in a tunnel.", "Does anybody hear me?"];
            assert.deepEqual(await words(cat.page), all);
            assert.deepEqual(await words(doge.page), all);
            assert.equal(await doge.page.locator(".said.waiting").count(), 0);
            await picture(doge.page, `${size}-back`);
            await picture(cat.page, `${size}-other`);
            doge.wrong = doge.wrong.filter((text) => !isOfNetwork(text));
            await assertWell(doge, cat);
        });

        test(`the button cuts the connection and lets it be made again, with nothing missing: ${size}`, TIMEOUT, async (t) => {
            const chat = await world(t);
            const [doge, cat] = [await chat.page({ size, colorScheme: "dark" }), await chat.page({ size })];
            await comeIn(doge.page, "doge");
            await comeIn(cat.page, "cat");
            await doge.page.getByRole("button", { name: "Cut" }).click();
            await say(cat.page, "psst");
            await say(doge.page, "later");
            await until(async () => (await words(cat.page)).length == 1);
            assert.deepEqual(await words(doge.page), []);
            await picture(doge.page, `${size}-cut`);
            await doge.page.getByRole("button", { name: "Connect" }).click();
            await doge.page.getByText("Said meanwhile: one message, none missing.").waitFor();
            await until(async () => (await words(cat.page)).length == 2);
            assert.deepEqual(await words(doge.page), ["psst", "later"]);
            assert.deepEqual(await words(cat.page), ["psst", "later"]);
            await assertWell(doge, cat);
        });

        test(`the keyboard alone does: ${size}`, TIMEOUT, async (t) => {
            const chat = await world(t);
            const [doge, cat] = [await chat.page({ size }), await chat.page({ size, colorScheme: "dark" })];
            const { page } = doge;
            const { keyboard } = page;
            /** Presses Tab until this has the focus; everything on the way shows that it has it. */
            const tabTo = async (name) => {
                for (const _ of Array(30)) {
                    await keyboard.press("Tab");
                    const focused = await page.evaluate(() => {
                        const it = document.activeElement;
                        const { outlineStyle, outlineWidth } = getComputedStyle(it);
                        const label = it.labels?.[0]?.innerText ?? it.ariaLabel ?? it.innerText;
                        return { label, isShown: outlineStyle == "solid" && outlineWidth == "3px", isPage: it == document.body };
                    });
                    if (focused.isPage) continue;
                    assert.ok(focused.isShown, `one sees that ${focused.label} has the focus`);
                    if (focused.label.includes(name)) return;
                }
                assert.fail(`Tab does not lead to ${name}`);
            };
            await comeIn(cat.page, "cat");

            // The door: the name has the focus. A silly one is refused, and why is said.
            await keyboard.type("...");
            await keyboard.press("Enter");
            await page.getByText("A name is up to 24 letters").waitFor();
            await keyboard.press("ControlOrMeta+A");
            await keyboard.type("doge");
            await keyboard.press("Enter");
            await page.getByText("You are in # lobby").waitFor();

            // Enter sends, and Shift+Enter does not.
            await tabTo("Message to # lobby");
            await keyboard.type("first line");
            await keyboard.press("Shift+Enter");
            await keyboard.type("second line");
            await keyboard.press("Enter");
            await until(async () => (await words(cat.page)).length == 1);
            assert.deepEqual(await words(cat.page), ["first line\nsecond line"]);

            const openMenu = async () => {
                if (size == "desktop") return;
                await tabTo("Rooms and people");
                await keyboard.press("Enter");
            };
            if (size == "phone") {
                await openMenu();
                await picture(page, "phone-menu");
                // Escape closes the list, and leads back to where it was opened.
                await keyboard.press("Escape");
                await until(() => page.locator("#places").isHidden());
                assert.equal(await page.evaluate(() => document.activeElement.id), "menu");
            }

            // Another room, by its name.
            await openMenu();
            await tabTo("Another room");
            await keyboard.type("Long Socks");
            await keyboard.press("Enter");
            await page.getByText("You are in # long-socks").waitFor();
            assert.deepEqual(await words(page), []);

            // Back to the lobby, to somebody there, and to the lobby by Escape.
            await openMenu();
            await tabTo("lobby");
            await keyboard.press("Enter");
            await until(async () => (await words(page)).length == 1);
            await openMenu();
            await tabTo("cat");
            await keyboard.press("Enter");
            await tabTo("Message to cat");
            await keyboard.type("psst");
            await keyboard.press("Enter");
            await until(async () => (await words(page)).includes("psst"));
            await keyboard.press("Escape");
            await page.getByRole("heading", { name: "# lobby", exact: true }).waitFor();
            assert.deepEqual(await words(page), ["first line\nsecond line"]);
            await assertWell(doge, cat);
        });
    }

    test("what is said to one alone is read by that one, and by nobody else", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [doge, cat, ann] = [await chat.page(), await chat.page({ colorScheme: "dark" }), await chat.page({ size: "phone" })];
        await comeIn(doge.page, "doge");
        await comeIn(cat.page, "cat");
        await comeIn(ann.page, "Ann");
        await doge.page.getByRole("button", { name: "cat" }).click();
        await say(doge.page, "<b>psst</b>");
        await until(async () => (await words(doge.page)).length == 1);
        await cat.page.getByRole("button", { name: "doge 1 unread" }).click();
        assert.deepEqual(await words(cat.page), ["<b>psst</b>"]);
        await say(cat.page, "What?");
        await until(async () => (await words(doge.page)).length == 2);
        await picture(doge.page, "desktop-direct");
        await picture(cat.page, "desktop-direct-dark");
        await say(ann.page, "Am I alone?");
        await until(async () => (await words(ann.page)).length == 1);
        assert.deepEqual(await words(ann.page), ["Am I alone?"]);
        assert.equal(await ann.page.locator("#talks button").count(), 0);
        await assertWell(doge, cat, ann);

        // To somebody who has gone nothing can be said, and that is said.
        await cat.page.close();
        await doge.page.getByRole("button", { name: /lobby/ }).click();
        await doge.page.getByText("cat has gone").waitFor();
        await doge.page.getByRole("button", { name: "cat" }).click();
        await say(doge.page, "Still there?");
        await doge.page.getByText("not said: nobody is there any more").waitFor();
        await assertWell(doge, ann);
    });

    test("two of one name are told apart, and a room that is left says nothing more", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [first, second] = [await chat.page(), await chat.page()];
        await comeIn(first.page, "doge");
        await comeIn(second.page, "Doge");
        await first.page.getByText("Doge 2 has come").waitFor();
        for (const { page } of [first, second]) {
            await page.getByRole("button", { name: "# music" }).click();
            await page.getByText("You are in # music").waitFor();
        }
        await first.page.getByRole("button", { name: "Leave" }).click();
        await second.page.getByText("doge has gone").waitFor();
        await say(second.page, "la la");
        await until(async () => (await words(second.page)).length == 1);
        await second.page.getByRole("button", { name: "# lobby" }).click();
        await say(second.page, "I have sung");
        await until(async () => (await words(first.page)).length == 1);
        assert.deepEqual(await words(first.page), ["I have sung"]);
        assert.equal(await first.page.getByText("la la").count(), 0);
        await assertWell(first, second);
    });

    test("who comes again is known by the same name: after a reload, and when the server has begun anew", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [doge, cat] = [await chat.page(), await chat.page({ size: "phone" })];
        await comeIn(doge.page, "doge");
        await comeIn(cat.page, "cat");
        await doge.page.reload();
        await comeIn(doge.page, "doge");
        await until(async () => (await cat.page.getByText("doge has come").count()) == 1);

        await chat.restart();
        for (const { page } of [doge, cat]) {
            await page.getByText("Connected anew").waitFor();
            await until(async () => (await page.locator("#people li").count()) == 2);
        }
        await say(doge.page, "Are you there?");
        await until(async () => (await words(cat.page)).length == 1);
        await say(cat.page, "I am.");
        await until(async () => (await words(doge.page)).length == 2);
        assert.deepEqual(await doge.page.locator(".who b").allTextContents(), ["doge", "cat"]);
        for (const opened of [doge, cat]) opened.wrong = opened.wrong.filter((text) => !isOfNetwork(text));
        await assertWell(doge, cat);
    });

    test("nobody has a silly name, speaks where he is not, or without saying who he is", TIMEOUT, async (t) => {
        const chat = await world(t);
        const { page } = await chat.page();
        const silly = ["", " doge", "do  ge", "doge\u202e", "d\u200boge", "<doge>", "\n", "-", "d".repeat(25), "🧦"];
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
