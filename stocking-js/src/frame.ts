// Frames: text to parts (protocol, part 1).

/** A frame's type, code and content. */
export type Frame = [type: number, code: string, content: string];

const encoder = new TextEncoder();

/** How many bytes a text has on the wire. */
export const bytes = (text: string): number => encoder.encode(text).length;

/** Whether this can be the name of a channel, or with `@` a client's id. */
export const isName = (name: string): boolean => /^[^,\p{Cc}\p{Cs}]+$/u.test(name) && bytes(name) < 256;

export const isChannel = (name: string): boolean => name[0] != "@" && isName(name);

/** Whether this is a count, or the id of a call. */
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Whether this is the code of an error: 32 bits. */
export const isCode = (value: unknown): boolean => ((value as number) | 0) === value;

/** Whether a code is such a number, and written as one. */
const isWritten = (code: string, is: (value: unknown) => boolean): boolean => is(+code) && `${+code}` == code;

/** What may stand in a frame, by its type. */
const fits: ((code: string, content: string) => unknown)[] = [
    (code) => /^[01]?$/.test(code),
    (code) => code != "-1" && isWritten(code, isCode),
    () => true,
    (code) => !code || isWritten(code, isCount),
    (code) => code != "0" && isWritten(code, isCount),
    isName,
    (code, channel) => /^[0-3]$/.test(code) && isChannel(channel),
];

/** Reads what a server sent; nothing where that is no frame. */
export const parse = (text: string): Frame | [] => {
    const [, type, code = "", content = ""] = /^([0-6])(?:,([^,]*),?([^]*))?$/.exec(text) ?? [];
    return type && fits[+type]!(code, content) ? [+type, code, content] : [];
};

/** Whether this text of the server is counted, be it a frame or not. */
export const isCounted = (text: string): boolean => /^[1456](,|$)/.test(text);

/** What JSON says. What is none, or `null`, has no members. */
export const read = (json: string): any => {
    try {
        return JSON.parse(json) ?? 0;
    } catch {
        return 0;
    }
};
