// A client over as many connections as it takes (protocol, part 2).

import { createChannels } from "./channels.js";
import { createEmitter } from "./emitter.js";
import { fail, StockingError } from "./error.js";
import { ENDING, FINAL, Fixed, Phase } from "./fixed.js";
import { bytes, isCode, isCount, isCounted, isName, parse, read, type Frame } from "./frame.js";
import { createKept, isAsk } from "./kept.js";
import type { CallOptions, Client, ClientEvents, Options, WebSocketLike } from "./types.js";

/** Longer times make timers fire at once. */
const start = (run: () => void, milliseconds: number) => setTimeout(run, Math.min(milliseconds, 2 ** 31 - 1));

export const createClient = (url: string, options: Options): Client => {
    const {
        auth,
        WebSocket = globalThis.WebSocket,
        timeout: patience = 30_000,
        backoffMin = 500,
        backoffMax = 20_000,
        maxKeptFrames = 4096,
        maxKeptBytes = 2 ** 20,
    } = options;

    let phase: Phase = Phase.Connecting;
    let socket: WebSocketLike | undefined;
    let timer: any;
    let drainTimer: any;
    let closeTimer: any;
    /** Since when the connection is open, when to ping, and when silence is death. */
    let since: number;
    let pingAt: number;
    let deadAt: number;
    /** Whether the last ping was to find out whose the silence is. */
    let isProbing: boolean;
    /** Whether the server has said that it ends the connection, or the client has. */
    let isDraining: boolean;
    let hasSaidGoodbye: boolean;
    /** Pauses since a connection lasted, and errors in a row to what opens a session. */
    let pauses = 0;
    let refusals = 0;

    /** Its id, and the secret that resumes it. Where the server knows no sessions, it is as long as the connection, and has none. */
    let session: { id?: string; key?: string } | undefined;
    /** Bytes of the longest frame that the server takes. */
    let maxSize = Infinity;
    /** Milliseconds between two pings. */
    let interval: number;
    /** Resumes of the session that were sent. */
    let attempts: number;
    /** Counted frames of the server that were taken in, and of them what it was not told. */
    let taken: number;
    let untoldFrames: number;
    let untoldBytes: number;

    /** Ends what is listened to: its `signal` is all that a listener's options need. */
    const signs = new AbortController();
    const kept = createKept();
    const calls = new Map<number, (why?: unknown, answer?: unknown) => void>();
    /** No id is given twice, in this session or a later one. */
    let lastCall = 0;
    /** The `1` directly before this frame, which may say why a join was refused. */
    let refusal: StockingError | undefined;
    /** What `close` has promised. */
    let closed: Promise<boolean> | undefined;
    let resolveClosed: ((isClean: boolean) => void) | undefined;

    // Telling.

    /** Nothing is told to an application that has said goodbye. */
    const later = (run: () => void): void => queueMicrotask(() => resolveClosed || run());
    const report = (error: unknown): void => later(() => emit("error", error) || console.error(error));
    const { _emit: emit, _public } = createEmitter<ClientEvents>(report);
    const tell = (...args: Parameters<typeof emit>): void => later(() => emit(...args));

    // Asking.

    const push = (text: string, call?: number): void => {
        const size = bytes(text);
        const max = Math.min(maxSize, maxKeptBytes);
        if (resolveClosed || phase == Phase.Ended) throw fail("Closed");
        if (size > max) throw fail("TooLong", max);
        if (!kept._hasRoom(size, maxKeptFrames, maxKeptBytes)) throw fail("Full");
        kept._push(text, call);
        // All that is asked at once is written at once.
        queueMicrotask(flush);
    };
    const event = (id: number, name: string, payload: unknown): void =>
        push(`4,${id},` + JSON.stringify({ e: name, p: payload }), id);
    const send = (to: string, content: string): void => {
        if (typeof content != "string") throw new TypeError("not a text");
        if (!isName(to)) throw fail("Name", to);
        push(`5,${to},${content}`);
    };
    const channels = createChannels(push, send, kept._proveAsk, later, report, tell);

    // Connecting.

    const after = (milliseconds: number, run: () => void): void => {
        clearTimeout(timer);
        timer = start(run, milliseconds);
    };

    const connect = async (): Promise<void> => {
        phase = Phase.Connecting;
        after(Fixed.Patience, () => lose(Fixed.Cut, "no connection"));
        // Who is asked for may be late: then another timer runs.
        const mine = timer;
        try {
            const { query, protocols } = (await auth?.()) ?? {};
            if (timer != mine) return;
            const whole = new URL(url);
            for (const name in query) whole.searchParams.set(name, query[name]!);
            socket = new WebSocket(whole.href, protocols ?? []) as WebSocketLike;
            let why: string;
            socket.onopen = () => {
                phase = Phase.Opening;
                after(Fixed.Patience, () => lose(Fixed.Cut, "no session"));
                if (session) {
                    socket!.send("0,1," + JSON.stringify({ ...session, got: taken, try: ++attempts }));
                } else socket!.send("0,0,");
            };
            socket.onmessage = ({ data }) => receive(data);
            socket.onerror = ({ message }) => (why = message);
            socket.onclose = ({ code, reason }) => lose(code, reason || why || "cut");
        } catch (error) {
            if (timer != mine) return;
            report(error);
            lose(Fixed.Cut, `${error}`);
        }
    };

    /** Nothing more is read from the connection, and nothing written. */
    const drop = (): void => {
        clearTimeout(drainTimer);
        clearTimeout(timer);
        timer = 0;
        if (!socket) return;
        // Who listens to errors stays: what is given up while it is made is one to some.
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        socket = undefined;
    };

    /** The connection has ended, and with it perhaps the session, or the client. */
    const lose = (code: number, reason: string): void => {
        const endsSession = (session && !session.key) || ENDING.includes(code);
        drop();
        if (phase == Phase.Open) {
            if (Date.now() - since >= Fixed.Stable) pauses = 0;
            tell("disconnect", { code, reason });
        }
        // Close 1000 in answer to `2` says that all before it was taken in.
        const isClean = phase == Phase.Open && hasSaidGoodbye && code == 1000;
        phase = Phase.Waiting;
        if (resolveClosed && (isClean || (!kept._hasUnproven() && (endsSession || !session)))) return end(true);
        if (FINAL.includes(code)) return end(false, code, reason);
        const delay = Math.random() * Math.min(backoffMax, backoffMin * 2 ** pauses++);
        tell("reconnecting", { code, reason, delay, attempt: pauses });
        if (endsSession) reset();
        after(delay, connect);
    };

    // Sessions.

    const begin = (): void => {
        phase = Phase.Open;
        since = Date.now();
        isDraining = hasSaidGoodbye = false;
        told();
        kept._attach();
        heard();
        watch();
        flush();
    };

    /** Takes a frame while the answer to `0,0,` or `0,1,…` is waited for. */
    const answer = ([type, code, content = ""]: Frame | [] = []): void => {
        const { id, key, ping, max, got } = read(content);
        if (type == 1) {
            // A server may know no sessions. Or what opens one came late, so that the first error is not believed.
            if (++refusals < 2) return lose(Fixed.Cut, content);
            reset();
            session = {};
            maxSize = Infinity;
            interval = 25_000;
            tell("connect");
            begin();
        } else if (type != 0 || !code) {
            // The confirmation. What else comes before the answer is not taken in.
        } else if (code == "0") {
            if (!/^@\w{22}$/.test(id) || !key || typeof key != "string" || !isCount(ping) || !isCount(max)) {
                return lose(Fixed.Cut, "no session");
            }
            reset();
            session = { id, key };
            maxSize = max;
            // A server that says zero must not be asked all the time.
            interval = (ping || 1) * 1000;
            refusals = attempts = taken = 0;
            tell("connect", id);
            for (const entry of kept._withdraw((entry) => entry._size > max)) {
                (calls.get(entry._call!) ?? report)(fail("TooLong", max));
            }
            begin();
        } else if (session) {
            if (!isCount(got)) return lose(Fixed.Cut, "no session");
            if (!kept._resume(got)) return lose(Fixed.Violation, "miscounted");
            refusals = 0;
            tell("resumed");
            begin();
        }
    };

    /** The session is gone: ends the calls that it took along, and says what else is unknown. */
    const forget = (): string[] => {
        const first = kept._unnumbered().find((entry) => entry._call)?._call;
        for (const [id, settle] of calls) if (!(id >= first!)) settle(fail("SessionLost"));
        if (refusal) report(refusal);
        session = refusal = undefined;
        return kept._lose();
    };

    /** The session is lost: says what is unknown, and prepares what follows in the next one. */
    const reset = (): void => {
        if (!session) return;
        const unsent = kept._unnumbered().filter(isAsk).length;
        const unknown = forget();
        const { rejoined, left } = channels._lose(unsent);
        if (resolveClosed) return;
        kept._putFirst(rejoined.map((name) => `6,1,${name}`));
        tell("reset", { unknown, rejoined, left });
    };

    const end = (isClean: boolean, code = Fixed.Cut, reason = ""): void => {
        drop();
        clearTimeout(closeTimer);
        signs.abort();
        const unknown = forget();
        const unsent = kept._clear();
        const why = fail("NotSent");
        phase = Phase.Ended;
        for (const settle of calls.values()) settle(why);
        channels._end(why);
        resolveClosed?.(isClean);
        later(() => emit("close", { code, reason, unknown, unsent }) || report(fail("Closed", `${code} ${reason}`)));
    };

    // Signs of life.

    const heard = (): void => {
        isProbing = false;
        deadAt = Date.now() + interval + Fixed.Silence;
    };
    /** The server has been told what was taken in. */
    const told = (): void => {
        pingAt = Date.now() + interval;
        untoldFrames = untoldBytes = 0;
    };
    const ping = (): void => {
        told();
        socket!.send(session!.key ? `3,${taken},` : "3");
    };
    const probe = (): void => {
        ping();
        isProbing = true;
        deadAt = Date.now() + Fixed.Patience;
    };
    const watch = (): void => {
        const begun = Date.now();
        const pause = Math.min(pingAt, deadAt) - begun;
        after(pause, () => {
            const now = Date.now();
            // Or the clock was set, so that what was to come may be far away.
            const isLate = Math.abs(now - begun - pause) >= Fixed.Late;
            if (now >= deadAt && (isProbing || !isLate)) return lose(Fixed.Cut, "silence");
            if (isLate) probe();
            else if (now >= pingAt) ping();
            watch();
        });
    };
    const wake = (): void => {
        if (globalThis.document?.hidden) return;
        if (phase == Phase.Waiting) connect();
        else if (phase == Phase.Open) {
            probe();
            watch();
        }
    };


    // Frames.

    /** Writes what may be written. */
    const flush = (): void => {
        if (phase != Phase.Open || isDraining) return;
        for (let text; (text = kept._next(socket!.bufferedAmount > Fixed.BufferedBytes)); ) {
            socket!.send(text);
            // Nobody will say that it is there.
            if (!session!.key && kept._trust() && text[0] == "6") channels._place(text.slice(4), +text[2]!);
        }
        clearTimeout(drainTimer);
        if (kept._hasUnwritten()) drainTimer = start(flush, 20);
        else if (resolveClosed) {
            isDraining = hasSaidGoodbye = true;
            socket!.send("2");
        }
    };

    const receive = (data: unknown): void => {
        if (typeof data != "string") return lose(Fixed.Violation, "binary");
        const frame = parse(data);
        if (phase == Phase.Opening) return answer(frame);
        heard();
        let error: StockingError | undefined;
        if (isCounted(data)) {
            taken++;
            untoldFrames++;
            untoldBytes += bytes(data);
            error = refusal;
            refusal = undefined;
        }
        if (frame?.[0] != 6 && error) report(error);
        if (frame) handle(...frame, error);
        else report(fail("BadFrame", data.slice(0, 99)));
        if (phase == Phase.Open && (untoldFrames >= Fixed.UntoldFrames || untoldBytes >= Fixed.UntoldBytes)) ping();
    };

    const handle = (type: number, code: string, content: string, error?: StockingError): void => {
        if (type == 1) {
            error = new StockingError(+code, content);
            // Where a join may be refused by it, the next frame shows it.
            if (channels._isAsking()) refusal = error;
            else report(error);
        } else if (type == 2) isDraining = true;
        else if (type == 3) {
            if (code && session!.key && !kept._acknowledge(+code)) lose(Fixed.Violation, "miscounted");
        } else if (type == 4) {
            // A call that has ended before is not known any more: its reply is late.
            kept._proveCall(+code);
            const { c, p } = content ? read(content) : { c: -1, p: null };
            calls.get(+code)?.(
                c !== -1 && (isCode(c) && typeof p == "string" ? new StockingError(c, p) : fail("BadFrame", content)),
                p ?? null,
            );
        } else if (type == 5) {
            const heeding = channels._roomsOf(code);
            for (const room of heeding) room._receive(content);
            if (!heeding[0]) tell("message", content, code);
        } else if (type) {
            const count = channels._place(content, +code, error);
            if (code == "3" && count > Fixed.Channels) lose(Fixed.Violation, "channels");
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
            return (["waiting", "connecting", "opening", "connected", "closed"] as const)[phase];
        },
        call: (name: string, payload?: unknown, { timeout = patience, signal }: CallOptions = {}) =>
            new Promise<any>((resolve, reject) => {
                signal?.throwIfAborted();
                const id = lastCall + 1;
                event(id, name, payload);
                lastCall = id;
                const settle = (why?: unknown, answer?: unknown) => {
                    calls.delete(id);
                    clearTimeout(timer);
                    signal?.removeEventListener("abort", abort);
                    if (why) reject(why);
                    else resolve(answer);
                };
                const withdraw = () => kept._withdraw((entry) => entry._call == id)[0];
                const abort = () => settle((withdraw(), signal!.reason));
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
                channels._end(fail("NotSent"));
                if (phase == Phase.Ended || (phase < Phase.Opening && !session && !kept._hasUnproven())) return end(phase < Phase.Ended);
                closeTimer = start(() => end(false), Fixed.Patience);
                if (phase == Phase.Waiting) connect();
                flush();
            })),
    };
};
