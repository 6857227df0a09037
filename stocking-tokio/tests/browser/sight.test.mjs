// What one sees of the example `chat`, and how much.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertWell, closeBrowser, comeIn, say, until, words, world } from "./world.mjs";

const TIMEOUT = { timeout: 40_000 };

after(closeBrowser);

/** In the page: texts whose contrast is below 4.5, of names in every colour that a name may have. */
const faint = () => {
    const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [red, green, blue] = parts(colour)
            .map((part) => part / 255)
            .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const backOf = (it) => {
        const { backgroundColor } = getComputedStyle(it);
        return parts(backgroundColor)[3] === 0 ? backOf(it.parentElement) : backgroundColor;
    };
    const found = [];
    for (const it of document.querySelectorAll("body *")) {
        const isText = [...it.childNodes].some(({ nodeType, data }) => nodeType == 3 && data.trim());
        if (!isText || !it.checkVisibility()) continue;
        const isColoured = it.style.getPropertyValue("--hue");
        for (let hue = 0; hue < (isColoured ? 360 : 1); hue += 10) {
            if (isColoured) it.style.setProperty("--hue", hue);
            const [dark, light] = [luminance(getComputedStyle(it).color), luminance(backOf(it))].sort((a, b) => a - b);
            const contrast = (light + 0.05) / (dark + 0.05);
            if (contrast < 4.5) found.push(`${it.textContent}: ${contrast.toFixed(2)} at ${hue}`);
        }
    }
    return found;
};

describe("what one sees of the chat", { concurrency: 2 }, () => {
    test("what is written stands out from what is behind it, whoever says it", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [doge, cat] = [await chat.page({ colorScheme: "light" }), await chat.page({ colorScheme: "dark" })];
        await comeIn(doge.page, "doge");
        await comeIn(cat.page, "cat");
        for (const { page } of [doge, cat]) await say(page, "Here I am.");
        await doge.page.getByRole("button", { name: "Cut" }).click();
        await say(doge.page, "And now?");
        for (const { page } of [doge, cat]) {
            await until(async () => (await words(page)).length == 2);
            assert.deepEqual(await page.evaluate(faint), []);
        }
    });

    test("who is alone in a room, or with one other, is told so", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [doge, cat] = [await chat.page(), await chat.page()];
        await comeIn(doge.page, "doge");
        await doge.page.getByText("Nobody else is here yet: open this page in a second tab.").waitFor();
        await comeIn(cat.page, "cat");
        await cat.page.getByRole("button", { name: "doge" }).click();
        await cat.page.getByText("Only you and doge read what is said here.").waitFor();
        await say(cat.page, "psst");
        await doge.page.getByRole("button", { name: "cat 1 unread" }).click();
        await doge.page.getByText("Only you and cat read what is said here.").waitFor();
        assert.equal(await cat.page.getByText("Nobody else is here yet").count(), 0);
        await assertWell(doge, cat);
    });

    test("the last word stays in sight where a longer text, or a phone's keyboard, takes its place, or it was away", TIMEOUT, async (t) => {
        const chat = await world(t);
        const { page } = await chat.page({ size: "phone" });
        await comeIn(page, "doge");
        for (let number = 0; number < 30; number++) await say(page, `${number}`);
        await until(async () => (await words(page)).length == 30);
        const isInSight = () => page.getByText("29", { exact: true }).evaluate((it) => {
            const { top, bottom } = it.getBoundingClientRect();
            const log = document.querySelector("#logs").getBoundingClientRect();
            return top >= log.top && bottom <= log.bottom;
        });
        await until(isInSight);
        await page.locator("#text").fill("one\ntwo\nthree\nfour\nfive\nsix");
        await until(isInSight);
        await page.setViewportSize({ width: 375, height: 350 });
        await until(isInSight);
        for (const _ of "12") await page.getByRole("button", { name: "Rooms and people" }).click();
        await until(isInSight);
        // Who reads what was said before is left alone.
        await page.locator(".log:not([hidden])").evaluate((log) => (log.scrollTop = 0));
        await page.setViewportSize({ width: 375, height: 330 });
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
        assert.equal(await page.locator(".log:not([hidden])").evaluate((log) => log.scrollTop), 0);
    });

    test("however many strangers whisper, there are the last fifty talks, and the one that is looked at", TIMEOUT, async (t) => {
        const chat = await world(t);
        const [doge, cat] = [await chat.page(), await chat.page()];
        await comeIn(doge.page, "doge");
        await comeIn(cat.page, "cat");
        await doge.page.getByRole("button", { name: "cat" }).click();
        const count = 60;
        await cat.page.evaluate(async (count) => {
            const { connect } = await import("/stocking.js");
            let to;
            for (let number = 0; number <= count; number++) {
                const stranger = connect("/ws", { auth: () => ({ query: { name: `Stranger ${number}` } }) });
                const here = new Promise((resolve) => stranger.on("message", (news) => resolve(JSON.parse(news))));
                if (!to) {
                    await stranger.join("lobby");
                    to = (await here).people.find(({ name }) => name == "doge").id;
                } else await stranger.call("whisper", { to, text: `psst ${number}` });
                await stranger.close();
            }
        }, count);
        await doge.page.getByRole("button", { name: `Stranger ${count} 1 unread` }).waitFor();
        const talks = await doge.page.locator("#talks .label").allTextContents();
        assert.deepEqual(talks, ["cat", ...[...Array(49).keys()].map((number) => `Stranger ${number + 12}`)]);
        await doge.page.getByRole("heading", { name: "cat", exact: true }).waitFor();
        await assertWell(doge, cat);
    });
});
