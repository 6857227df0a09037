/**
 * The browser's end of Stocking: events with answers, channels and direct messages over one WebSocket, in a session that
 * survives a broken connection.
 */

import { createClient } from "./client.js";
import type { AnyEvents, Client, EventMap, Options } from "./types.js";

export { StockingError, type ErrorCode } from "./error.js";
export type * from "./types.js";

/**
 * Connects to `url`, and comes back when the connection breaks. A URL of HTTP, or one relative to the page, does as well.
 *
 * Throws a TypeError where `url` is none that a WebSocket takes, or where there is no `WebSocket`.
 */
export function connect<Events extends EventMap<Events> = AnyEvents>(url: string | URL, options: Options = {}): Client<Events> {
    const whole = new URL(url, globalThis.location?.href);
    whole.protocol = whole.protocol.replace("http", "ws");
    if (!/^wss?:[^#]*$/.test(whole.href)) throw new TypeError(whole.href);
    return createClient(whole, options) as unknown as Client<Events>;
}
