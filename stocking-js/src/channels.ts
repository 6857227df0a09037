// Where a client is, as the server tells, where it has asked to be, and who listens there.

import { fail, StockingError } from "./error.js";
import { isChannel } from "./frame.js";
import { createRoom, type RoomOfClient } from "./room.js";
import type { Client, Reset, Room } from "./types.js";

export const createChannels = (
    push: (text: string) => void,
    send: Client["send"],
    proveAsk: (later: number) => void,
    later: (run: () => void) => void,
    report: (error: unknown) => void,
    tell: (kind: "channel", name: string, isInside: boolean, why?: StockingError) => void,
) => {
    const rooms = new Set<RoomOfClient>();
    /** Joins and leaves that are not answered, in the order of their frames: answers come in the same. */
    const asked: [channel: string, joins: unknown, room?: RoomOfClient][] = [];
    /** The channels that the client is in, and whether it has joined them itself. */
    const inside = new Map<string, unknown>();

    const ask = (name: string, joins: boolean, room?: RoomOfClient): void => {
        if (!isChannel(name)) throw fail("Name", name);
        push(`6,${+joins},${name}`);
        asked.push([name, joins, room]);
    };
    const move = (name: string, isInside: unknown, joins: unknown): void => {
        if (isInside) inside.set(name, joins || inside.get(name));
        else inside.delete(name);
    };
    const roomsOf = (name: string) => [...rooms].filter((room) => room.name == name);
    const leave = (room: RoomOfClient): void => {
        if (!roomsOf(room.name)[1]) ask(room.name, false);
        rooms.delete(room);
    };

    return {
        _roomsOf: roomsOf,
        /** Whether a join or a leave waits for its answer. */
        _isAsking: () => !!asked[0],
        _join: (name: string) =>
            new Promise<Room>((resolve, reject) => {
                const room = createRoom(name, later, report, send, leave);
                ask(name, true, room);
                room._settle = (why) => (why ? reject(why) : resolve(room));
                rooms.add(room);
            }),
        /**
         * The server says where the client is: as an answer (0, 1), or of itself (2, 3). `error` is the `1` directly before. Gives
         * in how many channels it is.
         */
        _place(name: string, code: number, error?: StockingError): number {
            const isInside = code & 1;
            const isAnswer = code < 2;
            const at = asked.findIndex((ask) => ask[0] == name);
            // A server that answers what was not asked tells all the same what is true.
            let joins: unknown = isAnswer && isInside;
            if (isAnswer && at >= 0) {
                joins = asked.splice(at, 1)[0]![1];
                proveAsk(asked.length - at);
            }
            move(name, isInside, joins);
            const why = isAnswer && !joins == !!isInside ? (error ?? new StockingError(0)) : undefined;
            const ends = !isInside && (joins || code == 2);
            let isHeard = false;
            for (const room of roomsOf(name)) {
                if (!room._settle) {
                    if (!ends) continue;
                    room._end(why);
                } else {
                    // Whoever waits is in, too: after a reset, several joins are answered by one. Who has asked later is
                    // refused later.
                    if (!joins || (ends && asked.some((ask) => ask[2] == room))) continue;
                    room._settle(why);
                    room._settle = undefined;
                    isHeard = true;
                }
                if (ends) rooms.delete(room);
            }
            if (error && !isHeard) report(error);
            tell("channel", name, !!isInside, why);
            return inside.size;
        },
        /** The session is lost; `unwritten` of the frames that ask were never written, and follow in the next one. */
        _lose(unwritten: number): Omit<Reset, "unknown"> {
            for (const [name, joins] of asked.splice(0, asked.length - unwritten)) move(name, joins, joins);
            const rejoined: string[] = [];
            const left: string[] = [];
            for (const [name, isOwn] of inside) (isOwn ? rejoined : left).push(name);
            inside.clear();
            asked.unshift(...rejoined.map((name): [string, boolean] => [name, true]));
            return { rejoined, left };
        },
        /** The client ends. */
        _end(why: StockingError): void {
            for (const room of rooms) {
                room._settle?.(why);
                room._end(why);
            }
            rooms.clear();
        },
    };
};
