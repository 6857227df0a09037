// The example `chat` in a browser, as people have it: two pages, one of which loses its network.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertWell, closeBrowser, comeIn, picture, say, SIZES, until, words, world } from "./world.mjs";

const TIMEOUT = { timeout: 40_000 };

/** As long as a name may be, and as wide. */
const WIDE = "W".repeat(24);

/** What a browser itself says of a network that is not there. No page can keep it from that. */
const isOfNetwork = (text) => /^WebSocket connection to .* failed|^Failed to load resource: net::/.test(text);

after(closeBrowser);

describe("the chat", { concurrency: 2 }, () => {
    for (const size of Object.keys(SIZES)) {
        test(`what was said while the network of one was gone for ten seconds is there once and in order: ${size}`, TIMEOUT, async (t) => {
            const chat = await world(t);
            const [doge, cat] = [await chat.page({ size }), await chat.page({ size, colorScheme: "dark" })];
            await picture(doge.page, `${size}-door`);
            await assertWell(doge);
            await comeIn(doge.page, "doge");
            await comeIn(cat.page, WIDE);
            if (size == "phone") {
                await cat.page.getByRole("button", { name: "Rooms and people" }).click();
                await cat.page.getByText(`${WIDE} (you)`).waitFor();
                await assertWell(cat);
                await cat.page.getByRole("button", { name: "Rooms and people" }).click();
            }
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

    test("what waits longer than a call is waited for still waits, and is then said once", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [doge, cat] = [await chat.page(), await chat.page()];
        await doge.page.clock.install();
        await comeIn(doge.page, "doge");
        await comeIn(cat.page, "cat");
        await doge.page.getByRole("button", { name: "Cut" }).click();
        await say(doge.page, "first");
        await doge.page.clock.fastForward(40_000);
        await say(doge.page, "second");
        assert.equal(await doge.page.locator(".said.waiting").count(), 2);
        assert.equal(await doge.page.locator(".said.failed").count(), 0);
        await doge.page.getByRole("button", { name: "Connect" }).click();
        await until(async () => (await words(doge.page)).length == 2);
        await until(async () => (await words(cat.page)).length == 2);
        for (const { page } of [doge, cat]) assert.deepEqual(await words(page), ["first", "second"]);
        assert.equal(await doge.page.locator(".said.waiting, .said.failed").count(), 0);
        await assertWell(doge, cat);
    });

    test("many messages at once are laid out together, and leave the list of people alone", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [doge, cat] = [await chat.page(), await chat.page()];
        await comeIn(doge.page, "doge");
        await comeIn(cat.page, "cat");
        await doge.page.getByRole("button", { name: "cat" }).focus();
        await doge.page.evaluate(() => {
            globalThis.changes = 0;
            new MutationObserver((changes) => (globalThis.changes += changes.length)).observe(document.querySelector("#people"), {
                childList: true,
                subtree: true,
            });
        });
        const devtools = await doge.page.context().newCDPSession(doge.page);
        await devtools.send("Performance.enable");
        const layouts = async () => {
            const { metrics } = await devtools.send("Performance.getMetrics");
            return metrics.find(({ name }) => name == "LayoutCount").value;
        };

        // They come in one heap, as the network is away while they are said.
        doge.net.stall();
        const count = 300;
        await cat.page.evaluate(async (count) => {
            const { connect } = await import("/stocking.js");
            const ann = connect("/ws", { auth: () => ({ query: { name: "Ann" } }) });
            await ann.join("lobby");
            for (let number = 0; number < count; number++) await ann.call("say", { room: "lobby", text: `${number}` });
        }, count);
        const before = await layouts();
        doge.net.restore();
        await until(async () => (await words(doge.page)).length == count);
        const laidOut = (await layouts()) - before;
        assert.ok(laidOut < count, `${laidOut} layouts for ${count} messages`);
        assert.deepEqual(await words(doge.page), [...Array(count).keys()].map(String));
        // Ann has come, and that is all; the last word is in sight, and the focus where it was.
        await until(async () => (await doge.page.locator("#people li").count()) == 3);
        assert.equal(await doge.page.evaluate(() => globalThis.changes), 1);
        await until(() => doge.page.evaluate(() => {
            const log = document.querySelector(".log:not([hidden])");
            return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
        }));
        assert.equal(await doge.page.evaluate(() => document.activeElement.title), "Talk with cat alone");

        // Nor does it swallow a click that somebody speaks or comes meanwhile.
        await doge.page.getByRole("button", { name: "cat" }).hover();
        await doge.page.mouse.down();
        await say(cat.page, "wait");
        await until(async () => (await words(doge.page)).includes("wait"));
        await doge.page.mouse.up();
        await doge.page.getByRole("heading", { name: "cat", exact: true }).waitFor();
        doge.wrong = doge.wrong.filter((text) => !isOfNetwork(text));
        await assertWell(doge, cat);
    });

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
});
