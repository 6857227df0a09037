/** Why something is not done, where it was not the server who said so. */
export type ErrorCode =
    /** There was no answer in time. One that comes later is ignored. */
    | "TimedOut"
    /** The session is lost, or `close` has ended the wait for it: the server may have handled it, or not. */
    | "SessionLost"
    /** It was not sent, and never will be. */
    | "NotSent"
    /** Too much waits to be sent, or to be acknowledged by the server. */
    | "Full"
    /** Longer than what the server takes in one frame, or than what is kept at all. */
    | "TooLong"
    /** That is not the name of a channel, or not an id. */
    | "Name"
    /** The client has ended, or was told to close. */
    | "Closed"
    /** The server sent what is no frame, or no reply. */
    | "BadFrame"
    /** Messages were dropped that waited for a reader. */
    | "Unread";

/** What went wrong. */
export class StockingError extends Error {
    override name = "StockingError";

    constructor(
        /** A number where the server says why: that of the handler, or one of the protocol. Else a word. */
        readonly code: number | ErrorCode,
        message = `${code}`,
    ) {
        super(message);
    }
}

/** Makes an error of this package. @internal */
export const fail = (code: ErrorCode, about?: unknown): StockingError =>
    new StockingError(code, about ? `${code}: ${about}` : code);
