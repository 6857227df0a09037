// Builds the tests, and runs them: `npm test [PART OF A NAME …]`.

import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = process.argv.slice(2);
const names = readdirSync(join(root, "test"))
    .filter((name) => name.endsWith(".test.ts"))
    .filter((name) => !wanted.length || wanted.some((part) => name.includes(part)));
const outdir = join(root, "build");
rmSync(outdir, { recursive: true, force: true });
await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => `test/${name}`),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
});
const files = names.map((name) => join("build", name.replace(/ts$/, "mjs")));
// Node has a WebSocket of its own, from 22 without being asked.
const flags = process.allowedNodeEnvironmentFlags.has("--experimental-websocket") ? ["--experimental-websocket"] : [];
// A client of a test that failed would live for ever.
flags.push("--enable-source-maps", "--test", "--test-concurrency=4", "--test-force-exit");
const { status } = spawnSync(process.execPath, [...flags, ...files], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
