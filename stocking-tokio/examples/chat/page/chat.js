// The page of the chat. What is worth reading of Stocking is in `comeIn`; the rest is what is seen.

import { $, face, isAtEnd, keepEnd, make, said } from "./elements.js";
import { isCut, Line, setCut } from "./line.js";
import { connect } from "./stocking.js";

const LOBBY = "lobby";
const ROOMS = [LOBBY, "music", "games"];
/** What of a place is kept to be read, and how many talks are: whoever whispers may be somebody new each time. */
const MAX_LINES = 1000;
const MAX_TALKS = 50;

// Places: the rooms, and the talks between two.

/** By key: a room's is its name, a talk's the other's id. Where somebody spoke last is last. */
const places = new Map();
let current;
let lastRoom = LOBBY;

const place = (key, title, name) => {
    if (places.has(key)) return places.get(key);
    const lines = make("ol", {});
    const log = make("div", { className: "log", hidden: true, tabIndex: 0, role: "log", ariaLabel: `Said: ${title}` }, lines);
    const badge = make("span", { className: "badge", ariaHidden: "true" });
    const unseen = make("span", { className: "unseen" });
    const label = make("span", { className: "label" }, title);
    const button = make("button", { type: "button", onclick: () => go(key) }, label, badge, unseen);
    const item = make("li", {}, button);
    const isTalk = key[0] == "@";
    const made = { key, title, name, log, lines, button, badge, unseen, item, isTalk, unread: 0, people: new Map(), draft: "" };
    if (isTalk) makeRoom();
    places.set(key, made);
    $("logs").append(log);
    $(isTalk ? "talks" : "rooms").append(item);
    if (isTalk) notice(made, `Only you and ${name} read what is said here.`);
    return made;
};

/** One more talk, and so one less: that which is silent for the longest time, and where nothing is about to be said. */
const makeRoom = () => {
    const talks = [...places.values()].filter(({ isTalk }) => isTalk);
    const idle = talks.find((to) => to != current && !to.draft && !to.waiting?.length);
    if (talks.length >= MAX_TALKS && idle) remove(idle);
};

const remove = ({ key, item, log }) => {
    places.delete(key);
    item.remove();
    log.remove();
};

/** What has changed since it was last shown: anything; who is here; and where something was said. */
let isChanged = false;
let arePeopleChanged = false;
const heard = new Set();

/** Has it shown, once for all that comes within one frame; a page that is not seen has no frames, but a title. */
const change = () => {
    if (isChanged) return;
    isChanged = true;
    if (document.hidden) setTimeout(show, 200);
    else requestAnimationFrame(show);
};

const show = () => {
    if (!isChanged) return;
    isChanged = false;
    let elsewhere = 0;
    for (const to of places.values()) {
        const { button, badge, unseen, unread, room, isTalk } = to;
        elsewhere += unread;
        badge.hidden = unseen.hidden = !unread;
        badge.textContent = unread;
        unseen.textContent = `${unread} unread`;
        button.className = room || isTalk ? "" : "outside";
        button.ariaCurrent = `${to == current}`;
    }
    $("direct").hidden = ![...places.values()].some(({ isTalk }) => isTalk);
    $("elsewhere").hidden = !elsewhere;
    $("elsewhere").textContent = elsewhere;
    document.title = elsewhere ? `(${elsewhere}) Stocking chat` : "Stocking chat";
    if (current) {
        $("title").textContent = current.title;
        $("say-label").textContent = `Message to ${current.title}`;
        $("text").placeholder = `Message to ${current.title}`;
        $("leave").hidden = current.key == LOBBY;
        $("leave").textContent = current.isTalk ? "Close" : "Leave";
        if (arePeopleChanged) showPeople(current.isTalk ? places.get(lastRoom) : current);
    }
    for (const to of heard) {
        if (to.isAtEnd) to.log.scrollTop = to.log.scrollHeight;
        to.isAtEnd = undefined;
    }
    heard.clear();
};

/** Whoever stays is not touched: somebody may be about to press that button. */
const showPeople = ({ title, people }) => {
    arePeopleChanged = false;
    $("here").textContent = `Here in ${title}: ${people.size}`;
    for (const item of [...$("people").children]) if (!people.has(item.dataset.id)) item.remove();
    let next = $("people").firstElementChild;
    for (const one of [...people.values()].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1))) {
        if (next?.dataset.id == one.id) next = next.nextElementSibling;
        else $("people").insertBefore(person(one), next);
    }
};

const person = ({ id, name }) => {
    const isSelf = id == client?.id;
    const inside = [face(name), make("span", { className: "label" }, isSelf ? `${name} (you)` : name)];
    const onclick = () => go(place(id, name, name).key);
    const title = `Talk with ${name} alone`;
    const [tag, attributes] = isSelf ? ["span", { className: "self" }] : ["button", { type: "button", title, onclick }];
    const item = make("li", {}, make(tag, attributes, ...inside));
    item.dataset.id = id;
    return item;
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
    arePeopleChanged = isChanged = true;
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
    const { log, lines } = to;
    // Asked before the first of a frame alone: each asking lays out all that is said.
    to.isAtEnd ??= isAtEnd(log);
    to.isAtEnd ||= item.classList.contains("own");
    lines.append(item);
    if (lines.childElementCount > MAX_LINES) lines.firstElementChild.remove();
    heard.add(to);
    change();
    return item;
};

const notice = (to, text, kind = "") => add(to, make("li", { className: `notice ${kind}` }, text));
const everywhere = (text, kind) => {
    for (const to of places.values()) if (to.room || to.isTalk) notice(to, text, `line ${kind}`);
};

/** Something has been said in a place by somebody else, or by oneself and is now there for all. */
const hear = (to, { from: { name }, text, at }, isOwn) => {
    const item = said(name, text, at, isOwn);
    let before = to.lines.lastElementChild;
    while (before?.matches(".waiting")) before = before.previousElementSibling;
    if (before?.matches(".said:not(.failed)") && before.querySelector("b").textContent == name) item.classList.add("more");
    if (isOwn) to.waiting?.shift()?.remove();
    add(to, item);
    // What still waits stays below.
    for (const waiting of to.waiting ?? []) to.lines.append(waiting);
    if (to != current || document.hidden) to.unread++;
    if (places.delete(to.key)) places.set(to.key, to);
};

const WAITS = "waits for the connection";
/** However long that takes: what has been shown as not said must not be said after all. */
const WHENEVER = { timeout: Infinity };

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
            await client.call("whisper", { to: to.key, text }, WHENEVER);
            hear(to, { from: { name: myName() }, text, at: Date.now() }, true);
        } else await client.call("say", { room: to.key, text }, WHENEVER);
    } catch ({ message, code }) {
        to.waiting = to.waiting.filter((waiting) => waiting != item);
        item.className = "said own failed";
        item.ariaHidden = null;
        const isUnknown = code == "SessionLost" || code == "TimedOut";
        fate.textContent = isUnknown ? "nobody knows whether this was heard" : `not said: ${message}`;
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
    $("state").textContent = isCut() && state != "connected" ? "Cut" : STATES[state];
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
    change();
};

/** What the server tells, of a room or of itself. */
const heed = (to, news) => {
    const { kind, who, from } = news;
    if (kind == "here") {
        to = places.get(news.room);
        if (!to) return;
        to.people = new Map(news.people.map((person) => [person.id, person]));
        arePeopleChanged = true;
        if (to.people.size == 1) notice(to, "Nobody else is here yet: open this page in a second tab.");
    } else if (kind == "came") {
        to.people.set(who.id, who);
        arePeopleChanged = true;
        notice(to, `${who.name} has come`);
    } else if (kind == "gone") {
        to.people.delete(who.id);
        arePeopleChanged = true;
        notice(to, `${who.name} has gone`);
    } else {
        if (lateWords != null && from.id != client.id) lateWords++;
        hear(to ?? place(from.id, from.name, from.name), news, from.id == client.id);
    }
    change();
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
keepEnd($("logs"));
$("text").addEventListener("keydown", (event) => {
    if (event.key != "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("say-form").requestSubmit();
});
$("cut").onclick = () => {
    setCut(!isCut());
    const [short, long] = isCut() ? ["Connect", " again"] : ["Cut", " the connection"];
    $("cut").replaceChildren(short, make("span", { className: "long" }, long));
    $("cut").classList.toggle("pressed", isCut());
};
$("menu").onclick = () => openMenu($("menu").ariaExpanded != "true");
$("leave").onclick = () => {
    const left = current;
    left.room?.leave();
    left.room = undefined;
    left.people.clear();
    if (left.isTalk || !ROOMS.includes(left.key)) {
        remove(left);
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
    if (!document.hidden && current) current.unread = 0;
    // A frame that was waited for may not come.
    isChanged = true;
    show();
});

// A page that is left says goodbye, so that nobody waits for it; one that is shown again comes in again.
addEventListener("pagehide", () => client?.close());
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

for (const name of ROOMS) place(name, `# ${name}`);
change();
