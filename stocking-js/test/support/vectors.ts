// The files of stocking-proto, where they are: no copy.

import { readFileSync } from "node:fs";

export const vectors = <Type>(name: string): Type =>
    JSON.parse(readFileSync(new URL(`../../stocking-proto/vectors/${name}`, import.meta.url), "utf8"));
