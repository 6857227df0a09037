// Listeners.

import type { Listenable, Listener } from "./types.js";

/** A kind, and what its listeners are called with. */
type Told<Kinds> = { [Kind in keyof Kinds]: [kind: Kind, ...args: Parameters<Listener<Kinds, Kind>>] }[keyof Kinds];
type Any = (...args: any[]) => unknown;

/**
 * `isSilent` says when nobody is to be called any more, `report` hears what a listener throws, `heeded` when there is another
 * listener.
 */
export const createEmitter = <Kinds>(isSilent: () => boolean, report: (error: unknown) => void, heeded?: () => void) => {
    /** By kind: each with whether it is called more than once. */
    const listeners: { [Kind in keyof Kinds]?: Map<Any, boolean | undefined> } = {};
    const of = (kind: keyof Kinds) => (listeners[kind] ??= new Map());
    const off = (kind: keyof Kinds, listener: Any) => void of(kind).delete(listener);
    const listen = (lasts: boolean) => (kind: keyof Kinds, listener: Any) => {
        // Who listens each time goes on.
        of(kind).set(listener, lasts || of(kind).get(listener));
        heeded?.();
        return () => off(kind, listener);
    };
    /** Calls all listeners, whatever one of them throws. */
    const emit = (...[kind, ...args]: Told<Kinds>): void => {
        for (const [listener, lasts] of [...of(kind)]) {
            // One before it may have taken it off, or said goodbye.
            if (isSilent() || !of(kind).has(listener)) continue;
            if (!lasts) off(kind, listener);
            try {
                listener(...args);
            } catch (error) {
                // Who listens to errors is not told of its own.
                if (kind == "error") console.error(error);
                else report(error);
            }
        }
    };
    return {
        _emit: emit,
        _isHeeded: (kind: keyof Kinds) => of(kind).size,
        _public: { on: listen(true), once: listen(false), off } as Listenable<Kinds>,
    };
};
