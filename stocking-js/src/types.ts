// What an application sees. How it comes about is elsewhere.

import type { StockingError } from "./error.js";

/** Events by name, each with what it takes and what it answers: `{greet: [Person, string]}`. */
export type EventMap<Events> = { [Name in keyof Events]: [request: unknown, answer: unknown] };

/** Any event, with anything. */
export type AnyEvents = Record<string, [request: any, answer: any]>;

type Request<Events, Name extends keyof Events> = Events[Name] extends [infer Taken, unknown] ? Taken : never;
type Answer<Events, Name extends keyof Events> = Events[Name] extends [unknown, infer Given] ? Given : never;
/** What takes nothing need not be given anything. */
type Payload<Taken, Rest extends unknown[]> = undefined extends Taken
    ? [payload?: Taken, ...rest: Rest]
    : [payload: Taken, ...rest: Rest];

/** What stays connected, or comes back: made by {@link connect}. */
export interface Client<Events extends EventMap<Events> = AnyEvents> extends Listenable<ClientEvents> {
    /** Who this client is in its session, while it has one: others reach it by {@link send}. */
    readonly id: string | undefined;
    /**
     * `connecting`, `opening` a session, `connected`, `waiting` before it connects again, and `closed`. For a display: nothing
     * that is asked has to wait for it.
     */
    readonly state: State;
    /**
     * Sends an event, and gives its handler's answer. It is queued while there is no connection.
     *
     * It fails with a {@link StockingError}, whose `code` is a number where the server says why and else a word; with the
     * reason of `signal` where that aborts it; with a TypeError where the payload has no JSON form.
     */
    call<Name extends keyof Events & string>(
        event: Name,
        ...rest: Payload<Request<Events, Name>, [options?: CallOptions]>
    ): Promise<Answer<Events, Name>>;
    /** Sends an event and awaits nothing: if its handler fails, `error` is told. Throws where it is not taken. */
    emit<Name extends keyof Events & string>(event: Name, ...rest: Payload<Request<Events, Name>, []>): void;
    /**
     * Joins a channel. It fails where the server does not let the client in. Who joins a channel twice has two rooms, and is
     * in until both are left.
     */
    join(channel: string): Promise<Room>;
    /** Sends any text to one client, by its id, or to everybody else in a channel. Throws where it is not taken. */
    send(to: string, content: string): void;
    /**
     * Says goodbye after all that was asked before. From here on no listener is called, and loops over rooms end. `true` when
     * the server has taken it all in; `false` where that is not known, or some of it turned out to be too long. Calls and joins
     * that wait for answers end, so await them before.
     */
    close(): Promise<boolean>;
}

/** How a {@link Client} is doing. */
export type State = "waiting" | "connecting" | "opening" | "connected" | "closed";

/**
 * A channel that a client is in. What comes before anybody listens or reads waits. A loop over it ends with the room, and one
 * that is given up leaves to the next what it has not read.
 */
export interface Room extends Listenable<RoomEvents>, AsyncIterable<string> {
    /** Its name. */
    readonly name: string;
    /** Sends any text to everybody else in the channel. Throws where it is not taken. */
    send(content: string): void;
    /** Leaves the channel, with the last room of it. Throws where that cannot be asked: the client stays in. */
    leave(): void;
}

/** What a {@link Client} tells: the arguments of each kind of listener. */
export interface ClientEvents {
    /** A session has begun, the first or after a `reset` another one. A server without sessions gives no id. */
    connect: [id?: string];
    /** The connection is gone. The session is not, unless `reset` says so. */
    disconnect: [why: Ending];
    /** In `delay` milliseconds another connection is tried. `attempt` counts those since one lasted. */
    reconnecting: [how: Ending & { delay: number; attempt: number }];
    /** The session goes on: nothing was lost, nothing came twice. */
    resumed: [];
    /** The session is lost, and all that is not known with it. Another one follows. */
    reset: [what: Reset];
    /** A text that was sent to this client by its id, or to a channel where the server has put it: `to` says which. */
    message: [content: string, to: string];
    /** Where this client is: after a join or a leave, or since the server has put it in or taken it out. */
    channel: [name: string, isInside: boolean, why?: StockingError];
    /**
     * What failed without anybody to be told: an `emit`, a broadcast, a listener, `auth`. Where nobody listens it is in the
     * console.
     */
    error: [error: unknown];
    /** The client has ended without having been told to. It does not come back. */
    close: [why: Ending & { unknown: string[]; unsent: string[] }];
}

/** What a {@link Room} tells: the arguments of each kind of listener. */
export interface RoomEvents {
    /** What somebody else sent to the channel. */
    message: [content: string];
    /** The client is not in the channel any more, and did not ask for that. */
    leave: [why: StockingError | undefined];
}

/** Why a connection ended. */
export interface Ending {
    /** As a WebSocket closes; 1006 is a cut. */
    code: number;
    /** For people. */
    reason: string;
}

/** What a lost session leaves unknown. */
export interface Reset {
    /**
     * Frames that were sent, and may or may not have been taken in by the server. They are not sent again. Calls among them, or
     * taken in and not answered, have failed with `SessionLost`.
     */
    unknown: string[];
    /** Channels that are joined again. What was said there meanwhile is lost. */
    rejoined: string[];
    /** Channels where the server had put the client. */
    left: string[];
}

/** How to call. */
export interface CallOptions {
    /** Milliseconds to wait for the answer. */
    timeout?: number;
    /** Gives the call up. What the server has, it has. */
    signal?: AbortSignal;
}

/** What is added to the URL, or offered as subprotocols, each time a connection is made. */
export interface Auth {
    /** Parameters of the URL's query: `request.parameter("token")` in the connect hook. They show in the logs of proxies. */
    query?: Record<string, string>;
    /**
     * Subprotocols: `request.subprotocols()` in the connect hook. The first is to be one that the server answers, as browsers
     * demand; a token may follow.
     */
    protocols?: string[];
}

/** How to connect. All times are milliseconds. */
export interface Options {
    /** Asked before every connection for what shows who this is. If it fails, it is asked again for the next. */
    auth?: () => Auth | Promise<Auth>;
    /** Where the environment has no `WebSocket`, or another is wanted: `ws` on Node 20. */
    WebSocket?: WebSocketConstructor;
    /** Time for an answer to a call. Default: 30 s. */
    timeout?: number;
    /** The first pause before a connection is tried again is below this, each further one below twice as much. Default: 500 ms. */
    backoffMin?: number;
    /** What a pause is always below. Default: 20 s. */
    backoffMax?: number;
    /** Frames that wait to be sent, or to be acknowledged; beyond it a request is rejected. Default: 4,096. */
    maxKeptFrames?: number;
    /** Bytes of those. Default: 1 MiB. */
    maxKeptBytes?: number;
}

/** As browsers have it, and `ws`. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

/** What is used of a WebSocket. */
export interface WebSocketLike {
    onopen: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
    readonly bufferedAmount: number;
    send(text: string): void;
    close(): void;
}

/** Who listens to what: {@link Client} and {@link Room}. */
export interface Listenable<Kinds> {
    /** Calls `listener` each time. What this returns ends that. */
    on<Kind extends keyof Kinds>(kind: Kind, listener: Listener<Kinds, Kind>): () => void;
    /** Calls `listener` the next time only. What this returns ends that. */
    once<Kind extends keyof Kinds>(kind: Kind, listener: Listener<Kinds, Kind>): () => void;
    /** Calls `listener` no more. */
    off<Kind extends keyof Kinds>(kind: Kind, listener: Listener<Kinds, Kind>): void;
}

/** What is called. */
export type Listener<Kinds, Kind extends keyof Kinds> = (
    ...args: Kinds[Kind] extends unknown[] ? Kinds[Kind] : never
) => unknown;
