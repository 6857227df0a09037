// Builds `dist`: one minified file, and the types of what it exports.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
rmSync(dist, { recursive: true, force: true });

await build({
    absWorkingDir: root,
    entryPoints: ["src/index.ts"],
    outfile: "dist/index.js",
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    // Names that begin with an underscore are of this package alone.
    mangleProps: /^_/,
});

// What the inside looks like is nobody's business.
const types = mkdtempSync(join(tmpdir(), "stocking-js-"));
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.build.json"), "--outDir", types], {
    stdio: "inherit",
});
for (const name of ["index", "types", "error"]) copyFileSync(join(types, `${name}.d.ts`), join(dist, `${name}.d.ts`));
rmSync(types, { recursive: true });
