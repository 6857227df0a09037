// What is published.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (name: string) => readFileSync(root + name, "utf8");

test("the package is what a user needs, and nothing else", () => {
    const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root, encoding: "utf8" }));
    const names = files.map(({ path }: { path: string }) => path).sort();
    assert.deepEqual(names, [
        "LICENSE", "README.md", "dist/error.d.ts", "dist/index.d.ts", "dist/index.js", "dist/types.d.ts", "package.json",
    ]);
});

test("it depends on nothing, and its types on no others", () => {
    const described = JSON.parse(read("package.json"));
    assert.deepEqual([described.dependencies, described.peerDependencies, described.sideEffects], [undefined, undefined, false]);
    assert.doesNotMatch(read("dist/index.js"), /\bimport\b|\brequire\b/);
    for (const name of ["index", "types", "error"]) {
        for (const [, from] of read(`dist/${name}.d.ts`).matchAll(/from "([^"]+)"/g)) assert.match(from!, /^\.\/(types|error)\.js$/);
    }
});

test("it runs where there is no window, no document and no process", async () => {
    // As Deno, Bun and workers are: what the web has, and nothing of a page.
    const sent: string[] = [];
    const all: Fake[] = [];
    class Fake {
        onopen?: () => void;
        bufferedAmount = 0;
        constructor() {
            all.push(this);
        }
        send(text: string) {
            sent.push(text);
        }
        close() {}
    }
    const web = { URL, TextEncoder, AbortController, setTimeout, clearTimeout, queueMicrotask, console, WebSocket: Fake };
    const code = read("dist/index.js").replace(/export\{(.*)\};?\s*$/, (_, names: string) =>
        names.split(",").map((pair) => pair.split(" as ")).map(([inner, outer]) => `globalThis.${outer}=${inner};`).join(""),
    );
    const context: any = vm.createContext({ ...web });
    vm.runInContext(code, context);
    const client = context.connect("wss://example.org/ws");
    await new Promise(setImmediate);
    all[0]!.onopen!();
    assert.deepEqual([client.state, sent], ["opening", ["0,0,"]]);
    const closed = client.close();
    assert.ok(closed);
    // A goodbye that nobody hears is not worth the wait.
    (all[0] as any).onclose({ code: 1006, reason: "" });
    assert.equal(await closed, true);
});

test("what the README links to is there where the package is", () => {
    const links = [...read("README.md").matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to!);
    assert.deepEqual(links.filter((to) => !/^(https:|#)/.test(to)), []);
});
