// A server on ws: what comes to /echo goes back, what comes to /publish goes to everybody at /subscribe.
import { WebSocketServer, WebSocket } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
const members = new Set();

server.on("connection", (socket, request) => {
  socket.on("error", () => {});
  if (request.url === "/subscribe") {
    members.add(socket);
    socket.on("close", () => members.delete(socket));
    socket.send("joined");
  } else if (request.url === "/publish") {
    socket.on("message", (data, binary) => {
      for (const member of members) {
        if (member.readyState === WebSocket.OPEN) member.send(data, { binary });
      }
    });
  } else {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  }
});

server.on("listening", () => console.log(`listening 127.0.0.1:${server.address().port}`));
