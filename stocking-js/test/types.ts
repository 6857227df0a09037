// Right uses compile, and wrong ones do not: `npm run types` says so. Nothing here runs.

import { WebSocket as Ws } from "ws";
import { connect, StockingError, type Client, type Options, type Room } from "../src/index.js";

interface Person {
    name: string;
}

type Events = {
    greet: [Person, string];
    now: [undefined, number];
    maybe: [Person | undefined, void];
};

export const right = async (): Promise<void> => {
    const s = connect<Events>("wss://example.org/ws", { auth: async () => ({ query: { token: "t" } }) });
    const greeting: string = await s.call("greet", { name: "doge" }, { timeout: 5000, signal: AbortSignal.timeout(1) });
    const now: number = await s.call("now");
    await s.call("now", undefined, { timeout: 1 });
    await s.call("maybe");
    await s.call("maybe", { name: greeting });
    s.emit("greet", { name: `${now}` });
    s.emit("now");

    const room: Room = await s.join("news");
    const stop: () => void = room.on("message", (text) => text.toUpperCase());
    room.once("leave", (why) => why?.code);
    for await (const text of room) room.send(text.trim());
    room.leave();
    stop();

    s.on("connect", (id) => id?.slice(1));
    s.on("disconnect", ({ code, reason }) => `${code.toFixed()} ${reason.trim()}`);
    s.on("reconnecting", ({ delay, attempt }) => delay + attempt);
    s.on("resumed", () => {});
    s.on("reset", ({ unknown, rejoined, left }) => [...unknown, ...rejoined, ...left]);
    s.on("message", (text, to) => s.send(to, text));
    s.on("channel", (name, isInside, why) => isInside || why?.message || name);
    s.on("error", (error) => error instanceof StockingError && error.code === "Full");
    s.on("close", async ({ code, unknown, unsent }) => [code, ...unknown, ...unsent]);
    const listener = (text: string) => text;
    s.off("message", listener);
    const state: "waiting" | "connecting" | "opening" | "connected" | "closed" = s.state;
    const isHeard: boolean = await s.close();
    void [state, isHeard];

    // Without a map, any event takes anything.
    const any: Client = connect("/ws");
    const answer: { whatever: number } = await any.call("whatever", [1, 2]);
    any.emit("whatever");
    void answer;

    const sockets: Options[] = [{ WebSocket: Ws }, { WebSocket }, { auth: () => ({ protocols: ["chat", "token"] }) }];
    void sockets;
};

export const wrong = async (): Promise<void> => {
    const s = connect<Events>("wss://example.org/ws");
    // @ts-expect-error: no such event
    await s.call("great", { name: "doge" });
    // @ts-expect-error: not what it takes
    await s.call("greet", { nom: "doge" });
    // @ts-expect-error: it takes something
    await s.call("greet");
    // @ts-expect-error: not what it answers
    const greeting: number = await s.call("greet", { name: "doge" });
    // @ts-expect-error: it takes nothing
    s.emit("now", 1);
    // @ts-expect-error: a call has options, an event without answer has none
    s.emit("greet", { name: "doge" }, { timeout: 1 });
    // @ts-expect-error: no such option
    await s.call("now", undefined, { timeOut: 1 });
    // @ts-expect-error: what is sent is text
    s.send("@id", { text: "hi" });
    // @ts-expect-error: no such kind
    s.on("connected", () => {});
    // @ts-expect-error: an id is text
    s.on("connect", (id: number) => id);
    // @ts-expect-error: the client knows who it is
    s.id = "@me";
    const room = await s.join("news");
    // @ts-expect-error: what is sent is text
    room.send(7);
    // @ts-expect-error: rooms have other kinds
    room.on("reset", () => {});
    // @ts-expect-error: no such option
    connect("/ws", { reconnect: true });
    // @ts-expect-error: that is no WebSocket
    connect("/ws", { WebSocket: Date });
    // @ts-expect-error: an event takes and answers something
    connect<{ greet: string }>("/ws");
    void greeting;
};
