// The page of the chat. What is worth reading of Stocking is in `comeIn`; the rest is what is seen.

import { connect } from "./stocking.js";

const LOBBY = "lobby";
const ROOMS = [LOBBY, "music", "games"];
/** What of a place is kept to be read. */
const MAX_LINES = 1000;

const $ = (id) => document.getElementById(id);

/** An element with what is in it; texts stay texts. */
const make = (tag, attributes, ...inside) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...inside);
    return element;
};

// The network, as far as the button has a say in it.

let isCut = false;
let socket;

/** In place of `WebSocket`: opens none while the connection is cut. */
function Line(url, protocols) {
    if (!isCut) return (socket = new WebSocket(url, protocols));
    const dead = { bufferedAmount: 0, send() {}, close() {} };
    setTimeout(() => dead.onclose?.({ code: 1006, reason: "cut" }));
    return dead;
}

const setCut = (cut) => {
    isCut = cut;
    const [short, long] = cut ? ["Connect", " again"] : ["Cut", " the connection"];
    $("cut").replaceChildren(short, make("span", { className: "long" }, long));
    $("cut").classList.toggle("pressed", cut);
    // No goodbye: the client hears that it is cut, and the server finds it gone.
    if (cut) socket?.onclose?.({ code: 1006, reason: "cut" });
    else dispatchEvent(new Event("online"));
};

// Places: the rooms, and the talks between two.

/** By key: a room's is its name, a talk's the other's id. */
const places = new Map();
let current;
let lastRoom = LOBBY;

const place = (key, title, name) => {
    if (places.has(key)) return places.get(key);
    const log = make("ol", { className: "log", hidden: true, tabIndex: 0, role: "log", ariaLabel: `Said: ${title}` });
    const button = make("button", { type: "button", onclick: () => go(key) });
    const item = make("li", {}, button);
    const made = { key, title, name, log, button, item, unread: 0, people: new Map(), isTalk: key[0] == "@", draft: "" };
    places.set(key, made);
    $("logs").append(log);
    $(made.isTalk ? "talks" : "rooms").append(item);
    return made;
};

const show = () => {
    let elsewhere = 0;
    for (const { key, title, button, unread, room, isTalk } of places.values()) {
        elsewhere += unread;
        button.replaceChildren(make("span", { className: "label" }, title));
        if (unread) {
            button.append(make("span", { className: "badge", ariaHidden: "true" }, `${unread}`));
            button.append(make("span", { className: "unseen" }, `${unread} unread`));
        }
        button.className = room || isTalk ? "" : "outside";
        button.ariaCurrent = `${places.get(key) == current}`;
    }
    $("direct").hidden = ![...places.values()].some(({ isTalk }) => isTalk);
    $("elsewhere").hidden = !elsewhere;
    $("elsewhere").textContent = elsewhere;
    document.title = elsewhere ? `(${elsewhere}) Stocking chat` : "Stocking chat";
    if (!current) return;
    $("title").textContent = current.title;
    $("say-label").textContent = `Message to ${current.title}`;
    $("text").placeholder = `Message to ${current.title}`;
    $("leave").hidden = current.key == LOBBY;
    $("leave").textContent = current.isTalk ? "Close" : "Leave";
    const room = current.isTalk ? places.get(lastRoom) : current;
    $("here").textContent = `Here in ${room.title}: ${room.people.size}`;
    $("people").replaceChildren(...[...room.people.values()].sort((a, b) => a.name.localeCompare(b.name)).map(person));
};

const face = (name) => {
    const face = make("span", { className: "face", ariaHidden: "true" }, [...name][0].toUpperCase());
    face.style.setProperty("--hue", hue(name));
    return face;
};

const hue = (name) => [...name].reduce((hue, char) => (hue * 31 + char.codePointAt(0)) % 360, 7);

const person = ({ id, name }) => {
    const label = make("span", { className: "label" }, name);
    if (id == client?.id) return make("li", {}, make("span", { className: "self" }, face(name), make("span", {}, `${name} (you)`)));
    const button = make("button", { type: "button", title: `Talk with ${name} alone` }, face(name), label);
    button.onclick = () => go(place(id, name, name).key);
    return make("li", {}, button);
};

/** Shows a place, and joins it first where that is a room. */
const go = async (key) => {
    const to = places.get(key);
    if (current) {
        current.draft = $("text").value;
        current.log.hidden = true;
    }
    current = to;
    if (!to.isTalk) lastRoom = key;
    to.unread = 0;
    to.log.hidden = false;
    to.log.scrollTop = to.log.scrollHeight;
    $("text").value = to.draft;
    grow();
    show();
    openMenu(false);
    // Where typing covers half of the page, that is not begun unasked.
    (matchMedia("(pointer: coarse)").matches ? to.log : $("text")).focus();
    if (!to.isTalk) await join(to);
};

const openMenu = (isOpen) => {
    $("places").classList.toggle("open", isOpen);
    $("menu").ariaExpanded = `${isOpen}`;
    if (isOpen) $("places").querySelector("[aria-current=true]")?.focus();
};

// What is said.

const add = (to, item) => {
    const { log } = to;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    log.append(item);
    if (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
    if (isAtEnd || item.classList.contains("own")) log.scrollTop = log.scrollHeight;
    return item;
};

const notice = (to, text, kind = "") => add(to, make("li", { className: `notice ${kind}` }, text));
const everywhere = (text, kind) => {
    for (const to of places.values()) if (to.room || to.isTalk) notice(to, text, `line ${kind}`);
};

const clock = (at) => new Date(at).toLocaleTimeString([], { timeStyle: "short" });

const said = (name, text, at, isOwn) => {
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

/** Something has been said in a place by somebody else, or by oneself and is now there for all. */
const hear = (to, { from: { name }, text, at }, isOwn) => {
    const item = said(name, text, at, isOwn);
    const before = to.log.querySelector(":scope > :nth-last-child(1 of :not(.waiting))");
    if (before?.matches(".said:not(.failed)") && before.querySelector("b").textContent == name) item.classList.add("more");
    if (isOwn) to.waiting?.shift()?.remove();
    add(to, item);
    // What still waits stays below.
    for (const waiting of to.waiting ?? []) to.log.append(waiting);
    if (to != current || document.hidden) to.unread++;
    show();
};

const WAITS = "waits for the connection";

/** Says something. It is shown at once, and stands among the others' words when the server has told them. */
const say = async (to, text) => {
    const item = said(myName(), text, Date.now(), true);
    const fate = make("p", { className: "fate" }, client.state == "connected" ? "" : WAITS);
    item.classList.add("waiting");
    // It is read out when it has been told.
    item.ariaHidden = "true";
    item.append(fate);
    add(to, item);
    (to.waiting ??= []).push(item);
    try {
        if (to.isTalk) {
            await client.call("whisper", { to: to.key, text });
            hear(to, { from: { name: myName() }, text, at: Date.now() }, true);
        } else await client.call("say", { room: to.key, text });
    } catch ({ message, code }) {
        to.waiting = to.waiting.filter((waiting) => waiting != item);
        item.className = "said own failed";
        item.ariaHidden = null;
        fate.textContent = code == "SessionLost" ? "nobody knows whether this was heard" : `not said: ${message}`;
    }
};

// The client.

let client;
let lostAt;
let lateWords;

const myName = () => [...places.values()].map(({ people }) => people.get(client?.id)?.name).find(Boolean) ?? $("name").value.trim();

const STATES = {
    waiting: "Connection lost",
    connecting: "Connecting …",
    opening: "Connecting …",
    connected: "Connected",
    closed: "Not connected",
};

const showState = () => {
    const state = client?.state ?? "closed";
    $("state").dataset.state = state;
    $("state").textContent = isCut && state != "connected" ? "Cut" : STATES[state];
};

const join = async (to) => {
    if (to.room || to.isJoining || !client) return;
    to.isJoining = true;
    try {
        const room = await client.join(to.key);
        to.room = room;
        room.on("message", (news) => heed(to, JSON.parse(news)));
        room.on("leave", () => (to.room = undefined));
        notice(to, `You are in ${to.title}`);
    } catch ({ message }) {
        notice(to, `Not let in: ${message}`, "lost");
    }
    to.isJoining = false;
    show();
};

/** What the server tells, of a room or of itself. */
const heed = (to, news) => {
    const { kind, who, from } = news;
    if (kind == "here") {
        to = places.get(news.room);
        if (!to) return;
        to.people = new Map(news.people.map((person) => [person.id, person]));
    } else if (kind == "came") {
        to.people.set(who.id, who);
        notice(to, `${who.name} has come`);
    } else if (kind == "gone") {
        to.people.delete(who.id);
        notice(to, `${who.name} has gone`);
    } else {
        if (lateWords != null && from.id != client.id) lateWords++;
        hear(to ?? place(from.id, from.name, from.name), news, from.id == client.id);
    }
    show();
};

const comeIn = (name) => {
    client = connect("ws", { auth: () => ({ query: { name } }), WebSocket: Line, backoffMax: 2000 });
    // Of a room that was just left there may still be news.
    client.on("message", (news, to) => to == client.id && heed(undefined, JSON.parse(news)));
    client.on("connect", () => {
        $("door").hidden = true;
        $("chat").hidden = $("cut").hidden = $("menu").hidden = false;
        if (!current) go(LOBBY);
    });
    client.on("disconnect", () => {
        lostAt = Date.now();
        everywhere("Connection lost. What you say now waits.", "lost");
        for (const fate of document.querySelectorAll(".waiting .fate")) fate.textContent = WAITS;
    });
    client.on("resumed", async () => {
        if (lateWords != null) return;
        lateWords = 0;
        // Its answer comes behind all that was missed: where the connection breaks again before, after the next resume.
        const isThere = await client.call("time").catch(() => false);
        const seconds = Math.round((Date.now() - lostAt) / 1000);
        const words = lateWords == 1 ? "one message" : `${lateWords || "no"} messages`;
        if (isThere) everywhere(`Back after ${seconds} s. Said meanwhile: ${words}, none missing.`, "back");
        lateWords = undefined;
    });
    client.on("reset", () => everywhere("Connected anew: what was said meanwhile is missing here.", "lost"));
    client.on("error", (error) => current && notice(current, `${error}`, "lost"));
    client.on("close", ({ reason }) => {
        // Not let in, or let in no more: that is where it began, and why is said there.
        client = undefined;
        for (const to of places.values()) {
            to.room = undefined;
            to.people.clear();
        }
        if (current) current.log.hidden = true;
        current = undefined;
        $("door").hidden = false;
        $("chat").hidden = $("cut").hidden = $("menu").hidden = true;
        $("why").textContent = reason;
        $("name").focus();
    });
    for (const kind of ["connect", "disconnect", "reconnecting", "resumed", "close"]) client.on(kind, showState);
    showState();
};

// What is typed and clicked.

const grow = () => {
    $("text").style.height = "auto";
    $("text").style.height = `${$("text").scrollHeight + 2}px`;
};

const onSubmit = (id, run) =>
    $(id).addEventListener("submit", (event) => {
        event.preventDefault();
        run();
    });

onSubmit("name-form", () => {
    $("why").textContent = "";
    const name = $("name").value.trim().replace(/\s+/g, " ");
    if (name && !client) comeIn(name);
});
onSubmit("room-form", () => {
    const name = $("room").value.trim().toLowerCase().replace(/^#/, "").replace(/\s+/g, "-");
    if (!/^[\p{L}\p{N}-]+$/u.test(name)) return $("room").select();
    $("room").value = "";
    go(place(name, `# ${name}`).key);
});
onSubmit("say-form", () => {
    const text = $("text").value.trim();
    if (!text) return;
    $("text").value = "";
    grow();
    say(current, text);
    $("text").focus();
});
$("text").addEventListener("input", grow);
$("text").addEventListener("keydown", (event) => {
    if (event.key != "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("say-form").requestSubmit();
});
$("cut").onclick = () => setCut(!isCut);
$("menu").onclick = () => openMenu($("menu").ariaExpanded != "true");
$("leave").onclick = () => {
    const left = current;
    left.room?.leave();
    left.room = undefined;
    left.people.clear();
    if (left.isTalk || !ROOMS.includes(left.key)) {
        places.delete(left.key);
        left.item.remove();
        left.log.remove();
        current = undefined;
    }
    go(left.isTalk ? lastRoom : LOBBY);
};
addEventListener("keydown", (event) => {
    if (event.key != "Escape" || !current) return;
    if ($("menu").ariaExpanded == "true") {
        openMenu(false);
        $("menu").focus();
    } else if (current.isTalk) go(lastRoom);
    else $("text").focus();
});
document.addEventListener("visibilitychange", () => {
    if (document.hidden || !current) return;
    current.unread = 0;
    show();
});

// A page that is left says goodbye, so that nobody waits for it; one that is shown again comes in again.
addEventListener("pagehide", () => client?.close());
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

for (const name of ROOMS) place(name, `# ${name}`);
