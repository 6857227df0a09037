// A client's frames from the moment they are made until the server has taken them in, and their numbers (protocol, part 2).

import { bytes } from "./frame.js";

/** A frame, and the call that it makes. */
export interface Entry {
    _text: string;
    _size: number;
    _call: number | undefined;
}

/** Whether a frame joins or leaves a channel. */
export const isAsk = (entry: Entry): boolean => entry._text[0] == "6";

const entry = (_text: string, _call?: number): Entry => ({ _text, _size: bytes(_text), _call });
const texts = (entries: Entry[]): string[] => entries.map((entry) => entry._text);

export const createKept = () => {
    /** First those that were written and not acknowledged, then those that were never written. */
    let frames: Entry[] = [];
    /** The number of the frame before the first one here. */
    let acknowledged = 0;
    /**
     * How many frames of this session the server has taken in, as an answer to the last of them proves. They are kept until they
     * are acknowledged, since a `3` may be older than the answer; they are not unknown any more.
     */
    let proven = 0;
    /** The highest number: how many frames of this session were ever written. */
    let numbered = 0;
    /** The number of the last one that was written on this connection. */
    let written = 0;

    /** The server has answered the frame at this place: it has taken in all up to that, since it does so in order. */
    const prove = (at: number): void => {
        proven = Math.max(proven, Math.min(numbered, acknowledged + at + 1));
    };
    /** The server has taken in `count` frames; `false` where that cannot be. */
    const acknowledge = (count: number, least = acknowledged, most = written): boolean => {
        if (!(count >= least && count <= most)) return false;
        frames.splice(0, count - acknowledged);
        acknowledged = count;
        return true;
    };

    return {
        _acknowledge: acknowledge,
        /** A new connection goes on with the session; `false` where that cannot be. What was answered is not sent again. */
        _resume: (count: number) => acknowledge(count, Math.max(acknowledged, proven), numbered),
        /** Where nobody acknowledges: what was written is taken in. */
        _trust: () => acknowledge(written),
        /** A connection begins. */
        _attach: (): void => {
            written = acknowledged;
        },
        _hasRoom: (size: number, maxFrames: number, maxBytes: number) =>
            frames.length < maxFrames && frames.reduce((sum, entry) => sum + entry._size, size) <= maxBytes,
        _push: (text: string, call?: number) => frames.push(entry(text, call)),
        /** Puts frames before all others. Only when none is numbered. */
        _putFirst: (texts: string[]) => frames.unshift(...texts.map((text) => entry(text))),
        /** The next text for this connection, unless that is full. It has its number from here on. */
        _next: (isFull: boolean): string | undefined => {
            const entry = frames[written - acknowledged];
            if (!entry || isFull) return;
            numbered = Math.max(numbered, ++written);
            return entry._text;
        },
        _hasUnwritten: () => !!frames[written - acknowledged],
        /** Whether there is anything that the server may not have taken in. */
        _hasUnproven: () => acknowledged + frames.length > proven && !!frames[0],
        _proveCall: (call: number): void => prove(frames.findIndex((entry) => entry._call == call)),
        /** The server has answered a join or a leave, so many others behind which are not answered. */
        _proveAsk: (later: number): void => prove(frames.indexOf(frames.filter(isAsk).at(-1 - later)!)),
        /** What was never written. */
        _unnumbered: () => frames.slice(numbered - acknowledged),
        /** Takes back what was never written and is meant. */
        _withdraw: (isMeant: (entry: Entry) => unknown): Entry[] => {
            const gone = frames.slice(numbered - acknowledged).filter(isMeant);
            frames = frames.filter((entry) => !gone.includes(entry));
            return gone;
        },
        /** The session is gone: takes out what was written, and counts anew. Gives what may not have been taken in. */
        _lose: (): string[] => {
            const lost = frames.splice(0, numbered - acknowledged).slice(Math.max(0, proven - acknowledged));
            acknowledged = proven = numbered = written = 0;
            return texts(lost);
        },
        _clear: () => texts(frames.splice(0)),
    };
};
