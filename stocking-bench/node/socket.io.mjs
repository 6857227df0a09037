// A server on Socket.IO: an event with an acknowledgement, and a room.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });

io.on("connection", (socket) => {
  socket.on("echo", (payload, acknowledge) => acknowledge(payload));
  socket.on("join", (acknowledge) => {
    socket.join("bench");
    acknowledge("joined");
  });
  socket.on("publish", (payload) => socket.to("bench").emit("message", payload));
});

http.listen(0, "127.0.0.1", () => console.log(`listening 127.0.0.1:${http.address().port}`));
