// Numbers of the protocol, and of a client's patience. Enumerations, since those are written where they are used.

/** Times are milliseconds. */
export const enum Fixed {
    /** Time for a connection, for the answer to what opens a session or to a ping after sleep, and for the goodbye. */
    Patience = 10_000,
    /** Nothing at all for this long beyond the time between two pings is death. */
    Silence = 20_000,
    /** A timer that fires so much too late has slept. */
    Late = 1000,
    /** A connection that lasted so long was good: the pauses begin anew. */
    Stable = 10_000,
    /** Where so many bytes wait to leave, nothing more is written: what was not written can still be taken back. */
    BufferedBytes = 65_536,
    /** The server is told what was taken in when so many of its frames, or so many bytes of their text, wait for it. */
    UntoldFrames = 128,
    UntoldBytes = 65_536,
    /** The codes of a cut, and of what the server must not do. */
    Cut = 1006,
    Violation = 1002,
    /** No client is in more channels. */
    Channels = 4096,
}

/** Closes after which it is of no use to come back, and those that end a session though not its client. */
export const FINAL = [1000, 1008, 3000, 3003];
export const ENDING = [...FINAL, 1002, 1003, 1007, 1009, 1011, 4001];

/** Starts a timer. Longer times would make it fire at once. */
export const start = (run: () => void, milliseconds: number) => setTimeout(run, Math.min(milliseconds, 2e9));
