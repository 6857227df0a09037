// Where a client is, as the server tells, where it has asked to be, and who listens there.

import { fail, StockingError } from "./error.js";
import { isChannel } from "./frame.js";
import type { RoomOfClient } from "./room.js";
import type { Room } from "./types.js";

/** A join or a leave. */
export interface Ask {
    readonly name: string;
    readonly _joins: number;
}

export const createChannels = (
    push: (text: string, ask: Ask) => void,
    prove: (ask: Ask) => void,
    report: (error: unknown) => void,
    tell: (kind: "channel", name: string, isInside: boolean, why?: StockingError) => void,
    createRoom: (name: string, leave: (room: RoomOfClient) => void) => RoomOfClient,
) => {
    const rooms = new Set<RoomOfClient>();
    /** Joins and leaves that are not answered, in the order of their frames: answers come in the same. */
    let asked: Ask[] = [];
    /** The channels that the client is in, and whether it has joined them itself. */
    const inside = new Map<string, unknown>();

    const ask = (one: Ask): void => {
        if (!isChannel(one.name)) throw fail("Name", one.name);
        push(`6,${one._joins},${one.name}`, one);
        asked.push(one);
    };
    const move = (name: string, isInside: unknown, joins: unknown): void => {
        if (isInside) inside.set(name, joins || inside.get(name));
        else inside.delete(name);
    };
    const roomsOf = (name: string) => [...rooms].filter((room) => room.name == name);
    const leave = (room: RoomOfClient): void => {
        if (!roomsOf(room.name)[1]) ask({ name: room.name, _joins: 0 });
        rooms.delete(room);
    };

    return {
        _roomsOf: roomsOf,
        /** Whether a join or a leave waits for its answer. */
        _isAsking: () => asked[0],
        _join: (name: string) =>
            new Promise<Room>((resolve, reject) => {
                const room = createRoom(name, leave);
                ask(room);
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
            const answered = isAnswer && asked.find((one) => one.name == name);
            if (answered) {
                asked = asked.filter((one) => one != answered);
                prove(answered);
            }
            // A server that answers what was not asked tells all the same what is true.
            const joins = isAnswer && (answered ? answered._joins : isInside);
            move(name, isInside, joins);
            const why = isAnswer && joins != isInside ? (error ?? new StockingError(0)) : undefined;
            const ends = !isInside && (joins || code == 2);
            let isHeard = false;
            for (const room of roomsOf(name)) {
                const isIn = room._settle == room._end;
                // After a reset, several joins are answered by one.
                if (isIn ? !ends : !joins || asked.includes(room)) continue;
                room._settle(why);
                room._settle = room._end;
                isHeard ||= !isIn;
                if (ends) rooms.delete(room);
            }
            if (error && !isHeard) report(error);
            tell("channel", name, !!isInside, why);
            return inside.size;
        },
        /** The session is lost. What was asked and is in `unsent` follows in the next one, behind what is joined `again`. */
        _lose(unsent: unknown[]) {
            for (const one of asked) if (!unsent.includes(one)) move(one.name, one._joins, one._joins);
            const again: Ask[] = [];
            const left: string[] = [];
            for (const [name, isOwn] of inside) {
                if (isOwn) again.push({ name, _joins: 1 });
                else left.push(name);
            }
            inside.clear();
            asked = [...again, ...asked.filter((one) => unsent.includes(one))];
            return { _again: again, left };
        },
        /** The client ends. What was asked and is in `unsent` never was. */
        _end(unsent: unknown[]): void {
            for (const room of rooms) room._settle(fail(unsent.includes(room) ? "NotSent" : "SessionLost"));
        },
    };
};
