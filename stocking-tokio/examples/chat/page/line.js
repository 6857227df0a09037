// The network, as far as a button has a say in it.

let isDown = false;
let socket;

/** In place of `WebSocket`: opens none while the connection is cut. */
export function Line(url, protocols) {
    if (!isDown) return (socket = new WebSocket(url, protocols));
    const dead = { bufferedAmount: 0, send() {}, close() {} };
    setTimeout(() => dead.onclose?.({ code: 1006, reason: "cut" }));
    return dead;
}

export const isCut = () => isDown;

export const setCut = (cut) => {
    isDown = cut;
    // No goodbye: the client hears that it is cut, and the server finds it gone.
    if (cut) socket?.onclose?.({ code: 1006, reason: "cut" });
    else dispatchEvent(new Event("online"));
};
