// Listeners.

import type { Listenable, Listener } from "./types.js";

/** A kind, and what its listeners are called with. */
type Told<Kinds> = { [Kind in keyof Kinds]: [kind: Kind, ...args: Parameters<Listener<Kinds, Kind>>] }[keyof Kinds];
type Any = (...args: any[]) => unknown;

/** `report` hears what a listener throws, `heeded` when there is another listener. */
export const createEmitter = <Kinds>(report: (error: unknown) => void, heeded?: () => void) => {
    const listeners: { [Kind in keyof Kinds]?: Set<Any> } = {};
    const off = (kind: keyof Kinds, listener: Any) => void listeners[kind]?.delete(listener);
    const on = (kind: keyof Kinds, listener: Any) => {
        (listeners[kind] ??= new Set()).add(listener);
        heeded?.();
        return () => off(kind, listener);
    };
    const once = (kind: keyof Kinds, listener: Any) => {
        const stop = on(kind, (...args) => (stop(), listener(...args)));
        return stop;
    };
    /** Calls all listeners, whatever one of them throws. Whether there are any. */
    const emit = (...[kind, ...args]: Told<Kinds>): boolean => {
        const all = [...(listeners[kind] ?? [])];
        for (const listener of all) {
            try {
                // One before it may have taken it off.
                if (listeners[kind]!.has(listener)) listener(...args);
            } catch (error) {
                // Who listens to errors is not told of its own.
                (kind == "error" ? console.error : report)(error);
            }
        }
        return !!all[0];
    };
    return { _emit: emit, _public: { on, once, off } as Listenable<Kinds> };
};
