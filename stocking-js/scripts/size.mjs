// What a page has to load: fails where it is more than was promised.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 4096;
const file = readFileSync(new URL("../dist/index.js", import.meta.url));
const size = gzipSync(file, { level: 9 }).length;
console.log(`dist/index.js: ${file.length} bytes, ${size} gzipped, of ${LIMIT}`);
if (size > LIMIT) process.exit(1);
