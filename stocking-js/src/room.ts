// A channel that a client is in.

import type { Ask } from "./channels.js";
import { createEmitter } from "./emitter.js";
import { fail, type StockingError } from "./error.js";
import type { Client, Room, RoomEvents } from "./types.js";

/** Characters that may wait for a reader, and how many each message counts for besides its own. */
const MAX_UNREAD = 2 ** 22;
const OVERHEAD = 64;

/** A room, and what the client has of it besides. */
export interface RoomOfClient extends Room, Ask {
    /** Answers whoever waits to be let in, and then is `_end`. */
    _settle(why?: StockingError): void;
    /** Nothing follows. */
    _end(why?: StockingError): void;
    /** Somebody else has sent this. */
    _receive(content: string): void;
}

/** A message, and the one after it. */
interface Message {
    _content: string;
    _next?: Message;
}

export const createRoom = (
    name: string,
    leave: (room: RoomOfClient) => void,
    send: Client["send"],
    isSilent: () => boolean,
    later: (run: () => void) => void,
    report: (error: unknown) => void,
): RoomOfClient => {
    /** What nobody has read is between the last that somebody has and the last that has come. */
    let read: Message = { _content: "" };
    let last = read;
    let unread = 0;
    let hasEnded = false;
    /** Loops that wait. */
    const waiting: (() => void)[] = [];

    const wake = (): void => {
        for (const loop of waiting.splice(0)) loop();
    };
    const shift = (): string => {
        read = read._next!;
        unread -= read._content.length + OVERHEAD;
        return read._content;
    };
    const clear = (): void => {
        read = last;
        unread = 0;
    };
    /** What no listener takes waits for one, or for a loop. `then` follows what one takes. */
    const drain = (then?: () => void): void =>
        later(() => {
            if (read._next && _isHeeded("message")) {
                emit("message", shift());
                drain(then);
            } else {
                if (unread > MAX_UNREAD) {
                    report(fail("Unread", name));
                    clear();
                }
                then?.();
            }
        });
    const { _emit: emit, _isHeeded, _public } = createEmitter<RoomEvents>(isSilent, report, drain);
    const room: RoomOfClient = {
        ..._public,
        name,
        _joins: 1,
        send: (content) => send(name, content),
        leave() {
            if (hasEnded) return;
            leave(room);
            clear();
            hasEnded = true;
            wake();
        },
        [Symbol.asyncIterator]() {
            let isOver = false;
            return {
                async next() {
                    while (!isOver && !hasEnded && !read._next) await new Promise<void>((resolve) => waiting.push(resolve));
                    const done = isOver || !read._next || isSilent();
                    return { done, value: done ? undefined : shift() } as IteratorResult<string>;
                },
                return() {
                    isOver = true;
                    wake();
                    return this.next();
                },
            };
        },
        _settle() {},
        _end(why) {
            drain(() => emit("leave", why));
            hasEnded = true;
            wake();
        },
        _receive(content) {
            last = last._next = { _content: content };
            unread += content.length + OVERHEAD;
            wake();
            drain();
        },
    };
    return room;
};
