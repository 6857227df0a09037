// Frames: text to parts (protocol, part 1).

/** A frame's type, code and content. */
export type Frame = [type: number, code: string, content: string];

const encoder = new TextEncoder();

/** How many bytes a text has on the wire. */
export const bytes = (text: string): number => encoder.encode(text).length;

/** Whether this can be the name of a channel, or with `@` a client's id. */
export const isName = (name: string): boolean => /^[^,\0-\x1f\x7f-\x9f]+$/.test(name) && bytes(name) < 256;

export const isChannel = (name: string): boolean => name[0] != "@" && isName(name);

/** Whether this is a count, or the id of a call. */
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Whether this is the code of an error: 32 bits. */
export const isCode = (value: unknown): boolean => ((value as number) | 0) === value;

/** Reads what a server sent; `undefined` where that is no frame. */
export const parse = (text: string): Frame | undefined => {
    const [, type, code = "", content = ""] = /^([0-6])(?:,([^,]*)(?:,([^]*))?)?$/.exec(text) ?? [];
    return /^(0[01]?|1(0|-?[1-9]\d*)|[25][^]*|3(0|[1-9]\d*)?|4[1-9]\d*|6[0-3])$/.test(type + code) &&
        (type == "1"
            ? code != "-1" && isCode(+code)
            : type == "2" || (type == "5" ? isName(code) : isCount(+code) && (type != "6" || isChannel(content))))
        ? [+type!, code, content]
        : undefined;
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
