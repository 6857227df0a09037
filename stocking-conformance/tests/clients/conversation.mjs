// The conversation of every client here, with Node's `ws`: node conversation.mjs ws://127.0.0.1:12345/ws
import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";

const url = process.argv[2];

class Client {
  constructor() {
    this.socket = new WebSocket(url);
    this.texts = [];
    this.waiting = [];
    this.closed = once(this.socket, "close");
    this.socket.on("message", (data, isBinary) => {
      assert(!isBinary);
      const next = this.waiting.shift();
      if (next) next(data.toString());
      else this.texts.push(data.toString());
    });
  }

  static async connect() {
    const client = new Client();
    assert.equal(await client.receive(), "0");
    return client;
  }

  receive() {
    if (this.texts.length > 0) return Promise.resolve(this.texts.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  send(text) {
    this.socket.send(text);
  }

  ask(text) {
    this.send(text);
    return this.receive();
  }
}

const one = await Client.connect();
const other = await Client.connect();

assert.equal(await one.ask('4,7,{"e":"echo","p":"doge"}'), '4,7,{"c":-1,"p":"doge"}');
assert.equal(await one.ask('4,8,{"e":"greet","p":{"name":"doge"}}'), '4,8,{"c":-1,"p":"Hello doge"}');
assert.equal(await one.ask('4,9,{"e":"fail"}'), '4,9,{"c":401,"p":"who are you?"}');
assert.equal(await one.ask('4,0,{"e":"fail"}'), "1,401,who are you?");
assert.equal(await one.ask('4,9,{"e":"panic"}'), '4,9,{"c":-32603,"p":"internal error"}');
assert.equal(await one.ask("5,nobody,hi"), '1,0,Channel "nobody" not found');
assert.match(await one.ask("hello"), /^1,-32600,./);
assert.equal(await one.ask("3"), "3");

one.send("6,1,news");
assert.equal(await one.ask("3"), "3");
for (const content of ["", "a,b\r\n\0", "größe 🧦", "x".repeat(65_000)]) {
  other.send(`5,news,${content}`);
  assert.equal(await one.receive(), `5,news,${content}`);
}

const { p: id } = JSON.parse((await one.ask('4,1,{"e":"id"}')).slice("4,1,".length));
assert.match(id, /^@[0-9A-Za-z]{22}$/);
other.send(`5,${id},psst`);
assert.equal(await one.receive(), `5,${id},psst`);

// Several in one write, answered in order.
for (let number = 1; number <= 100; number += 1) one.send(`4,${number},{"e":"echo","p":${number}}`);
for (let number = 1; number <= 100; number += 1) {
  assert.equal(await one.receive(), `4,${number},{"c":-1,"p":${number}}`);
}

other.socket.ping("are you there?");
const [pong] = await once(other.socket, "pong");
assert.equal(pong.toString(), "are you there?");

one.send("2");
assert.equal((await one.closed)[0], 1000);
other.socket.close(1000, "goodbye");
assert.equal((await other.closed)[0], 1000);

const late = await Client.connect();
late.send(`5,news,${"x".repeat(65_536)}`);
assert.equal((await late.closed)[0], 1009);

// Of what is offered, the first that the server knows; a client whose offer is not taken gives up by itself.
const agreed = new WebSocket(url, ["a-token", "chat", "stocking"]);
await once(agreed, "open");
assert.equal(agreed.protocol, "chat");
agreed.close(1000);
const [disagreed] = await once(new WebSocket(url, ["a-token"]), "error");
assert.match(disagreed.message, /no subprotocol/);
const [code, reason] = await once(new WebSocket(`${url}?refuse`, ["a-token"]), "close");
assert.deepEqual([code, reason.toString()], [3000, "who are you?"]);

const elsewhere = new WebSocket(url.replace(/\/ws$/, "/elsewhere"));
const [error] = await once(elsewhere, "error");
assert.match(error.message, /404/);
console.log("done");
