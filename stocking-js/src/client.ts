// A client over as many connections as it takes (protocol, part 2).

import { createChannels } from "./channels.js";
import { createEmitter } from "./emitter.js";
import { fail, StockingError } from "./error.js";
import { ENDING, FINAL, Fixed, start } from "./fixed.js";
import { bytes, isCode, isCount, isCounted, isName, parse, read } from "./frame.js";
import { createKept } from "./kept.js";
import { createRoom } from "./room.js";
import type { CallOptions, Client, ClientEvents, Options, State, WebSocketLike } from "./types.js";

export const createClient = (
    url: URL,
    {
        auth,
        WebSocket = globalThis.WebSocket,
        timeout: patience = 30_000,
        backoffMin = 500,
        backoffMax = 20_000,
        maxKeptFrames = 4096,
        maxKeptBytes = 2 ** 20,
    }: Options,
): Client => {
    if (!WebSocket) throw new TypeError("no WebSocket");

    let state: State = "connecting";
    let socket: WebSocketLike | undefined;
    let timer: any, closeTimer: any;
    /** Since when the connection is open, when to ping, and when silence is death. */
    let since: number, pingAt: number, deadAt: number;
    /** Whether the last ping was to find out whose the silence is. */
    let isProbing: boolean;
    /** Whether the server has said that it ends the connection, or the client has. */
    let isDraining: boolean, hasSaidGoodbye: boolean;
    /** Pauses since a connection lasted, and errors in a row to what opens a session. */
    let pauses = 0;
    let refusals = 0;

    /** Its id, and the secret that resumes it. Where the server knows no sessions, it is as long as the connection, and has none. */
    let session: { id?: string; key?: string } | undefined;
    /** Bytes of the longest frame that the server takes. */
    let maxSize = maxKeptBytes;
    /** Milliseconds between two pings. */
    let interval: number;
    /** Resumes of the session that were sent. */
    let attempts: number;
    /** Counted frames of the server that were taken in, and of them what it was not told. */
    let taken: number, told: number, untoldBytes: number;

    /** Ends what is listened to: its `signal` is all that a listener's options need. */
    const signs = new AbortController();
    const kept = createKept(maxKeptFrames, maxKeptBytes);
    const calls = new Map<number, (why?: unknown, answer?: unknown) => void>();
    /** No id is given twice, in this session or a later one. */
    let lastCall = 0;
    /** The `1` directly before this frame, which may say why a join was refused. */
    let refusal: StockingError | undefined;
    /** What `close` has promised. */
    let closed: Promise<boolean> | undefined;
    let resolveClosed: ((isClean: boolean) => void) | undefined;
    /** Whether that is broken: what a lost session had taken in is unknown, or something turned out to be too long. */
    let hasLost: unknown;

    // Telling.

    /** Nothing is told to an application that has said goodbye. */
    const isSilent = () => !!resolveClosed;
    const later = (run: () => void): void => queueMicrotask(() => isSilent() || run());
    const report = (error: unknown): void => later(() => (_isHeeded("error") ? emit("error", error) : console.error(error)));
    const { _emit: emit, _isHeeded, _public } = createEmitter<ClientEvents>(isSilent, report);
    const tell = (...args: Parameters<typeof emit>): void => later(() => emit(...args));

    // Asking.

    const push = (text: string, asker?: unknown): void => {
        const size = bytes(text);
        if (resolveClosed || state == "closed") throw fail("Closed");
        if (size > maxSize) throw fail("TooLong", maxSize);
        if (!kept._hasRoom(size)) throw fail("Full");
        kept._push(text, asker);
        // All that is asked at once is written at once.
        queueMicrotask(flush);
    };
    const event = (id: number, name: string, payload: unknown): void =>
        push(`4,${id},` + JSON.stringify({ e: name, p: payload }), id);
    const send = (to: string, content: string): void => {
        if (typeof content != "string") throw new TypeError("no text");
        if (!isName(to)) throw fail("Name", to);
        push(`5,${to},${content}`);
    };
    const channels = createChannels(push, kept._prove, report, tell, (name, leave) =>
        createRoom(name, leave, send, isSilent, later, report),
    );

    // Connecting.

    const after = (milliseconds: number, run: () => void): void => {
        clearTimeout(timer);
        timer = start(run, milliseconds);
    };

    const connect = async (): Promise<void> => {
        state = "connecting";
        after(Fixed.Patience, () => lose("no connection"));
        // Who is asked for may be late: then another timer runs.
        const mine = timer;
        try {
            const { query, protocols } = (await auth?.()) ?? {};
            if (timer != mine) return;
            const whole = new URL(url);
            for (const name in query) whole.searchParams.set(name, query[name]!);
            socket = new WebSocket(whole.href, protocols) as WebSocketLike;
            let why: string;
            socket.onopen = () => {
                state = "opening";
                after(Fixed.Patience, () => lose("no session"));
                socket!.send(session ? "0,1," + JSON.stringify({ ...session, got: taken, try: ++attempts }) : "0,0,");
            };
            socket.onmessage = receive;
            socket.onerror = ({ message }) => (why = message);
            socket.onclose = ({ code, reason }) => lose(reason || why || "cut", code);
        } catch (error) {
            if (timer != mine) return;
            report(error);
            lose(`${error}`);
        }
    };

    /** Nothing more is read from the connection, and nothing written. */
    const drop = (): void => {
        clearTimeout(timer);
        timer = 0;
        if (!socket) return;
        // Who listens to errors stays: what is given up while it is made is one to some.
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        socket = undefined;
    };

    /** The connection has ended, and with it perhaps the session, or the client. */
    const lose = (reason: string, code: number = Fixed.Cut): void => {
        const endsSession = !session?.key || ENDING.includes(code);
        drop();
        if (state == "connected") {
            if (Date.now() - since >= Fixed.Stable) pauses = 0;
            tell("disconnect", { code, reason });
        }
        // Close 1000 in answer to `2` says that all before it was taken in.
        const isClean = (hasSaidGoodbye && code == 1000) || (endsSession && !kept._hasUnproven());
        isDraining = hasSaidGoodbye = false;
        state = "waiting";
        if (FINAL.includes(code) || (resolveClosed && isClean)) return end(isClean, code, reason);
        const delay = Math.random() * Math.min(backoffMax, backoffMin * 2 ** pauses++);
        tell("reconnecting", { code, reason, delay, attempt: pauses });
        if (endsSession) reset();
        after(delay, connect);
    };

    // Sessions.

    /** A connection is of use: for a new session, or for the one that goes on. */
    const begin = (...args: Parameters<typeof emit>): void => {
        state = "connected";
        since = Date.now();
        noteTold();
        heard();
        watch();
        tell(...args);
        queueMicrotask(flush);
    };
    const open = (id?: string, key?: string, max = maxKeptBytes, pause = 25): void => {
        reset();
        session = { id, key };
        maxSize = Math.min(max, maxKeptBytes);
        interval = pause * 1000;
        attempts = taken = 0;
        begin("connect", id);
        for (const entry of kept._withdraw((entry) => entry._size > maxSize)) {
            hasLost = true;
            (calls.get(entry._asker as number) ?? report)(fail("TooLong", maxSize));
        }
        // That is told, unless there is a goodbye first.
        later(() => (hasLost = false));
    };

    /** Takes a frame while the answer to `0,0,` or `0,1,…` is waited for. */
    const answer = (type?: number, code?: string, content = ""): void => {
        const { id, key, ping, max, got } = read(content);
        if (type == 1) {
            // A server may know no sessions. Or what opens one came late, so that the first error is not believed.
            if (++refusals < 2) lose(content);
            else open();
        } else if (type == 0 && code == "0") {
            if (!/^@\w{22}$/.test(id) || !key || typeof key != "string" || !isCount(ping) || !isCount(max)) {
                return lose("no session");
            }
            refusals = 0;
            // A server that says zero must not be asked all the time.
            open(id, key, max, ping || 1);
        } else if (type == 0 && code && session) {
            if (!isCount(got)) return lose("no session");
            if (!kept._resume(got)) return lose("miscounted", Fixed.Violation);
            refusals = 0;
            begin("resumed");
        }
        // The confirmation, and what else comes before the answer, is not taken in.
    };

    /** The session is gone: ends the calls that it took along, and says what else is unknown. */
    const forget = () => {
        const unsent = kept._unsent();
        for (const [id, settle] of calls) if (!unsent.includes(id)) settle(fail("SessionLost"));
        if (refusal) report(refusal);
        session = refusal = undefined;
        return { unknown: kept._lose(), ...channels._lose(unsent) };
    };

    /** The session is lost: says what is unknown, and prepares what follows in the next one. */
    const reset = (): void => {
        if (!session) return;
        const { _again: again, ...rest } = forget();
        if (resolveClosed) hasLost ||= rest.unknown[0];
        else kept._joinFirst(again);
        tell("reset", { ...rest, rejoined: again.map(({ name }) => name) });
    };

    const end = (isClean: boolean, code?: number, reason?: string): void => {
        drop();
        clearTimeout(closeTimer);
        signs.abort();
        const { unknown } = forget();
        channels._end(kept._unsent());
        const unsent = kept._clear();
        state = "closed";
        for (const [, settle] of calls) settle(fail("NotSent"));
        resolveClosed?.(isClean && !hasLost);
        if (_isHeeded("close")) tell("close", { code: code!, reason: reason!, unknown, unsent });
        else report(fail("Closed", `${code} ${reason}`));
    };

    // Signs of life.

    const heard = (): void => {
        isProbing = false;
        deadAt = Date.now() + interval + Fixed.Silence;
    };
    /** The server has been told what was taken in. */
    const noteTold = (): void => {
        pingAt = Date.now() + interval;
        told = taken;
        untoldBytes = 0;
    };
    const ping = (): void => {
        noteTold();
        socket!.send(session!.key ? `3,${taken},` : "3");
    };
    const probe = (): void => {
        ping();
        isProbing = true;
        deadAt = Date.now() + Fixed.Patience;
    };
    const watch = (): void => {
        const begun = Date.now();
        // No event says that the socket takes more.
        const pause = kept._hasUnwritten() ? 20 : Math.min(pingAt, deadAt) - begun;
        after(pause, () => {
            const now = Date.now();
            // Or the clock was set, so that what was to come may be far away.
            const isLate = Math.abs(now - begun - pause) >= Fixed.Late;
            if (now >= deadAt && (isProbing || !isLate)) return lose("silence");
            if (isLate) probe();
            else if (now >= pingAt) ping();
            flush();
            watch();
        });
    };
    const wake = (): void => {
        if (globalThis.document?.hidden) return;
        // The network may be of use only a moment later.
        pauses = 0;
        if (state == "waiting") connect();
        if (state == "connected") {
            probe();
            watch();
        }
    };

    // Frames.

    /** Writes what may be written. */
    const flush = (): void => {
        if (state != "connected" || isDraining) return;
        while (kept._hasUnwritten()) {
            if (socket!.bufferedAmount > Fixed.BufferedBytes) return watch();
            const text = kept._next();
            socket!.send(text);
            // Nobody will say that it is there.
            if (!session!.key && kept._trust() && text[0] == "6") channels._place(text.slice(4), +text[2]!);
        }
        if (resolveClosed) {
            isDraining = hasSaidGoodbye = true;
            socket!.send("2");
        }
    };

    const receive = ({ data }: { data: unknown }): void => {
        if (typeof data != "string") return lose("binary", Fixed.Violation);
        const [type, code, content] = parse(data);
        if (state == "opening") return answer(type, code, content);
        heard();
        let error: StockingError | undefined;
        if (isCounted(data)) {
            taken++;
            untoldBytes += bytes(data);
            error = refusal;
            refusal = undefined;
        }
        if (type != 6 && error) report(error);
        if (type != null) handle(type, code!, content!, error);
        else report(fail("BadFrame", data.slice(0, 99)));
        if (state == "connected" && (taken - told >= Fixed.UntoldFrames || untoldBytes >= Fixed.UntoldBytes)) ping();
    };

    const handle = (type: number, code: string, content: string, error?: StockingError): void => {
        if (type == 1) {
            error = new StockingError(+code, content);
            // Where a join may be refused by it, the next frame shows it.
            if (channels._isAsking()) refusal = error;
            else report(error);
        } else if (type == 2) isDraining = true;
        else if (type == 3) {
            if (code && session!.key && !kept._acknowledge(+code)) lose("miscounted", Fixed.Violation);
        } else if (type == 4) {
            // A call that has ended before is not known any more: its reply is late.
            kept._prove(+code);
            const { c, p } = read(content);
            calls.get(+code)?.(
                content && c !== -1 && (isCode(c) && typeof p == "string" ? new StockingError(c, p) : fail("BadFrame", content)),
                p ?? null,
            );
        } else if (type == 5) {
            const heeding = channels._roomsOf(code);
            for (const room of heeding) room._receive(content);
            if (!heeding[0]) tell("message", content, code);
        } else if (type) {
            if (channels._place(content, +code, error) > Fixed.Channels) lose("channels", Fixed.Violation);
        }
    };

    // The network may be back, or time may have passed unseen.
    for (const sign of ["online", "pageshow", "visibilitychange"]) globalThis.addEventListener?.(sign, wake, signs);
    connect();

    return {
        ..._public,
        get id() {
            return session?.id;
        },
        get state() {
            return state;
        },
        call: (name: string, payload?: unknown, { timeout = patience, signal }: CallOptions = {}) =>
            new Promise<any>((resolve, reject) => {
                signal?.throwIfAborted();
                const id = ++lastCall;
                event(id, name, payload);
                const settle = (why?: unknown, answer?: unknown) => {
                    calls.delete(id);
                    clearTimeout(timer);
                    signal?.removeEventListener("abort", abort);
                    if (why) reject(why);
                    else resolve(answer);
                };
                const withdraw = () => kept._withdraw((entry) => entry._asker == id)[0];
                const abort = () => {
                    withdraw();
                    // It may be nothing at all.
                    reject(signal!.reason);
                    settle();
                };
                const timer = start(() => settle(fail(withdraw() ? "NotSent" : "TimedOut", name)), timeout);
                signal?.addEventListener("abort", abort);
                calls.set(id, settle);
            }),
        emit: (name: string, payload?: unknown) => event(0, name, payload),
        join: channels._join,
        send,
        close: () =>
            (closed ??= new Promise((resolve) => {
                resolveClosed = resolve;
                // What was not sent yet still may be.
                channels._end([]);
                if (state != "opening" && !session && !kept._hasUnproven()) return end(state != "closed");
                closeTimer = start(() => end(false), Fixed.Patience);
                if (state == "waiting") connect();
                flush();
            })),
    };
};
