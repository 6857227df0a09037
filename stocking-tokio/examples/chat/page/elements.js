// What the page of the chat is made of: elements, people's faces, and what somebody said.

export const $ = (id) => document.getElementById(id);

/** An element with what is in it; texts stay texts. */
export const make = (tag, attributes, ...inside) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...inside);
    return element;
};

export const face = (name) => {
    const face = make("span", { className: "face", ariaHidden: "true" }, [...name][0].toUpperCase());
    face.style.setProperty("--hue", hue(name));
    return face;
};

/** Shows the last line of what `frame` has in it, also where that becomes smaller, if it was in sight. */
export const keepEnd = (frame) => {
    let height = 0;
    new ResizeObserver(() => {
        for (const log of frame.children) if (isAtEnd(log, height)) log.scrollTop = log.scrollHeight;
        height = frame.clientHeight;
    }).observe(frame);
};

export const isAtEnd = (log, height = log.clientHeight) => log.scrollHeight - log.scrollTop - height < 80;

const hue = (name) => [...name].reduce((hue, char) => (hue * 31 + char.codePointAt(0)) % 360, 7);

const clock = (at) => new Date(at).toLocaleTimeString([], { timeStyle: "short" });

export const said = (name, text, at, isOwn) => {
    const who = make("b", {}, name);
    who.style.setProperty("--hue", hue(name));
    const time = make("time", { dateTime: new Date(at).toISOString() }, clock(at));
    return make(
        "li",
        { className: isOwn ? "said own" : "said" },
        make("p", { className: "who" }, who, time),
        make("p", { className: "words" }, text),
    );
};
