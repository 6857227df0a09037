// A client's frames from the moment they are made until the server has taken them in, and their numbers (protocol, part 2).

import type { Ask } from "./channels.js";
import { bytes } from "./frame.js";

/** A frame, and whoever waits for its answer: the id of a call, or who asks to be in a channel. */
export interface Entry {
    _text: string;
    _size: number;
    _asker: unknown;
}

const entry = (_text: string, _asker?: unknown): Entry => ({ _text, _size: bytes(_text), _asker });
const texts = (entries: Entry[]): string[] => entries.map((entry) => entry._text);

export const createKept = (maxFrames: number, maxBytes: number) => {
    /** First those that were written and not acknowledged, then those that were never written. */
    let frames: Entry[] = [];
    /** The number of the frame before the first one here. */
    let acknowledged = 0;
    /**
     * So many of them the server has taken in, as an answer to the last of those proves. They are kept until they are
     * acknowledged, since a `3` may be older than the answer; they are not unknown any more.
     */
    let proven = 0;
    /** So many have a number, since they were written once. */
    let numbered = 0;
    /** So many were written on this connection. */
    let written = 0;

    /** The server has taken in `count` frames; `false` where that cannot be. */
    const acknowledge = (count: number, least = 0): boolean => {
        const gone = count - acknowledged;
        if (!(gone >= least && gone <= written)) return false;
        frames.splice(0, gone);
        acknowledged = count;
        proven = Math.max(0, proven - gone);
        numbered -= gone;
        written -= gone;
        return true;
    };

    return {
        _acknowledge: acknowledge,
        /** A new connection goes on with the session; `false` where that cannot be. What was answered is not sent again. */
        _resume(count: number): boolean {
            written = numbered;
            const isRight = acknowledge(count, proven);
            written = 0;
            return isRight;
        },
        /** Where nobody acknowledges: what was written is taken in. */
        _trust: () => acknowledge(acknowledged + written),
        _hasRoom: (size: number) =>
            frames.length < maxFrames && frames.reduce((sum, entry) => sum + entry._size, size) <= maxBytes,
        _push: (text: string, asker?: unknown) => frames.push(entry(text, asker)),
        /** Joins channels before all else. Only when nothing is numbered. */
        _joinFirst: (asks: Ask[]) => frames.unshift(...asks.map((ask) => entry(`6,1,${ask.name}`, ask))),
        _hasUnwritten: () => !!frames[written],
        /** The next text for this connection. It has its number from here on. */
        _next(): string {
            const { _text } = frames[written++]!;
            numbered = Math.max(numbered, written);
            return _text;
        },
        /** Whether there is anything that the server may not have taken in. */
        _hasUnproven: () => !!frames[proven],
        /** The server has answered this frame: it has taken in all up to that, since it does so in order. */
        _prove(asker: unknown): void {
            const at = frames.findIndex((entry) => entry._asker == asker);
            proven = Math.max(proven, Math.min(numbered, at + 1));
        },
        /** Who waits for the answer to what was never written. */
        _unsent: () => frames.slice(numbered).map((entry) => entry._asker),
        /** Takes back what was never written and is meant. */
        _withdraw: (isMeant: (entry: Entry) => unknown): Entry[] => {
            const gone = frames.slice(numbered).filter(isMeant);
            frames = frames.filter((entry) => !gone.includes(entry));
            return gone;
        },
        /** The session is gone: takes out what was written, and counts anew. Gives what may not have been taken in. */
        _lose: (): string[] => {
            const lost = frames.splice(0, numbered).slice(proven);
            acknowledged = proven = numbered = written = 0;
            return texts(lost);
        },
        _clear: () => texts(frames.splice(0)),
    };
};
