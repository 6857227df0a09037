// The vectors of the protocol, as far as a client reads and writes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, isChannel, isCounted, isName, parse } from "../src/frame.js";
import { vectors } from "./support/vectors.js";

interface Case {
    name: string;
    direction: "client" | "server";
    text: string;
    frame?: Record<string, unknown>;
    error?: unknown;
}

/** A frame in the words of the vectors. */
const describe = (text: string) => {
    const [type, code, content] = parse(text) ?? [];
    switch (type) {
        case 0:
            return code ? { type: code == "0" ? "opened" : "resumed", content } : { type: "connected" };
        case 1:
            return { type: "error", code: Number(code), text: content };
        case 2:
            return { type: "close" };
        case 3:
            return { type: "pong", count: code ? Number(code) : null };
        case 4:
            return { type: "reply", id: Number(code), content };
        case 5:
            return { type: "broadcast", to: code, content };
        case 6:
            return { type: "membership", channel: content, change: ["left", "joined", "taken-out", "put-in"][Number(code)] };
        default:
            return undefined;
    }
};

const cases = vectors<Case[]>("frames.json");

test("every frame of a server is read as the vectors say, and what is none is not", () => {
    const ofServers = cases.filter(({ direction }) => direction == "server");
    assert.ok(ofServers.length > 70, "cases have been lost");
    for (const { name, text, frame } of ofServers) assert.deepEqual(describe(text), frame, `${name}: ${text}`);
});

test("the type alone says whether a frame is counted", () => {
    for (const text of ["1", "1,x", "4,", "4,abc,", "5,,", "6,9,x"]) assert.ok(isCounted(text), text);
    for (const text of ["0", "0,0,{}", "2", "3", "3,1,", "44,1", "1\n", "7", "", "x"]) assert.ok(!isCounted(text), text);
});

test("names are those that the vectors' clients may join and send to", () => {
    for (const { name, direction, text, frame, error } of cases) {
        if (direction != "client" || !/^(5,|6,[01],)/.test(text)) continue;
        const to = text[0] == "5" ? text.split(",")[1]! : text.slice(4);
        const fits = text[0] == "5" ? isName : isChannel;
        assert.equal(fits(to), !!frame && !error, `${name}: ${text}`);
    }
});

test("lengths are those of UTF-8", () => {
    assert.deepEqual(["", "a", "ß", "€", "🧦", "\ud83e"].map(bytes), [0, 1, 2, 3, 4, 3]);
});
