// A channel that a client is in.

import { createEmitter } from "./emitter.js";
import { fail, type StockingError } from "./error.js";
import type { Client, Room, RoomEvents } from "./types.js";

/** Characters that may wait for a reader. */
const MAX_UNREAD = 2 ** 22;

/** A room, and what the client has of it besides. */
export interface RoomOfClient extends Room {
    /** Answers whoever waits to be let in. */
    _settle?: ((why?: StockingError) => void) | undefined;
    /** Nothing follows. */
    _end(why?: StockingError): void;
    /** Somebody else has sent this. */
    _receive(content: string): void;
}

export const createRoom = (
    name: string,
    later: (run: () => void) => void,
    report: (error: unknown) => void,
    send: Client["send"],
    leave: (room: RoomOfClient) => void,
): RoomOfClient => {
    /** What nobody has read. */
    let unread: string[] = [];
    let length = 0;
    let hasEnded = false;
    let wake: (() => void) | undefined;

    /** A listener may have left the room meanwhile. */
    const shift = (): void => {
        length -= unread.shift()?.length ?? 0;
    };
    /** What no listener takes waits for one, or for a loop. */
    const drain = (): void => {
        while (unread[0] != null && emit("message", unread[0])) shift();
        wake?.();
    };
    const { _emit: emit, _public } = createEmitter<RoomEvents>(report, () => later(drain));
    const room: RoomOfClient = {
        ..._public,
        name,
        send: (content) => send(name, content),
        leave() {
            if (hasEnded) return;
            leave(room);
            unread = [];
            hasEnded = true;
            wake?.();
        },
        async *[Symbol.asyncIterator]() {
            for (;;) {
                const content = unread[0];
                if (content != null) {
                    shift();
                    yield content;
                } else if (hasEnded) return;
                else await new Promise<void>((resolve) => (wake = resolve));
            }
        },
        _end(why) {
            if (!hasEnded) later(() => emit("leave", why));
            hasEnded = true;
            wake?.();
        },
        _receive: (content) =>
            later(() => {
                unread.push(content);
                length += content.length;
                drain();
                if (length > MAX_UNREAD) {
                    report(fail("Unread", name));
                    unread = [];
                    length = 0;
                }
            }),
    };
    return room;
};
