"""What README.md and its neighbours say, done.

readme.py links              looks for every file that the pages refer to
readme.py crate DIRECTORY [PAGE]
                             writes the crate that a reader of the page would have: its first `toml` block, and its first
                             `rust` block with a `main`
readme.py talk COMMAND…      starts a server that prints its address, and plays every conversation of README.md against it

A conversation is a `text` block with lines such as `> 3` (sent) and `< 3` (received), perhaps behind the name of one of
several clients. Where it begins with `$ nc` it is for a server that prints `nc HOST PORT`, the others are for one that
prints `ws://HOST:PORT/ws`. Only the standard library is needed.
"""

import base64
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language, page=README):
    return re.findall(rf"^```{language}\b[^\n]*\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def links():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("stocking-*/*.md"), *ROOT.glob("stocking-*/vectors/*.md")]
    targets = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
        if "://" not in target
    ]
    missing = [f"{page.relative_to(ROOT)}: {target}" for page, target in targets if not (page.parent / target).exists()]
    assert not missing, missing
    print(f"{len(targets)} references of {len(pages)} pages lead somewhere")


def crate(directory, page="README.md"):
    page = (ROOT / page).read_text()
    program = next(block for block in blocks("rust", page) if re.search(r"^(async )?fn main", block, re.MULTILINE))
    dependencies = blocks("toml", page)[0].replace("../stocking/", f"{ROOT}/")
    package = '[package]\nname = "readme"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
    directory = pathlib.Path(directory)
    (directory / "src").mkdir(parents=True, exist_ok=True)
    # The versions that were tested, not those of today.
    shutil.copy(ROOT / "Cargo.lock", directory)
    (directory / "Cargo.toml").write_text(package + dependencies)
    (directory / "src" / "main.rs").write_text(program)


class Client:
    """A WebSocket client, as little as will do."""

    def __init__(self, host, port):
        self.stream = socket.create_connection((host, port), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.stream.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self.bytes = self.stream.makefile("rb")
        status = self.bytes.readline()
        assert b" 101 " in status, status
        while self.bytes.readline() != b"\r\n":
            pass

    def send(self, text):
        payload = text.encode()
        assert len(payload) < 126, text
        # Masked with zeros: the text as it is.
        self.stream.sendall(bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload)

    def receive(self):
        first, length = self.bytes.read(2)
        if length == 126:
            (length,) = struct.unpack(">H", self.bytes.read(2))
        payload = self.bytes.read(length)
        if first == 0x88:
            code, reason = struct.unpack(">H", payload[:2])[0], payload[2:].decode()
            return f'Disconnected (code: {code}, reason: "{reason}")'
        assert first == 0x81, first
        return "< " + payload.decode()


class LineClient:
    """Does what `nc` does."""

    def __init__(self, host, port):
        self.stream = socket.create_connection((host, port), timeout=10)
        self.bytes = self.stream.makefile("rb")

    def send(self, text):
        self.stream.sendall(text.encode() + b"\n")

    def receive(self):
        return "< " + self.bytes.readline().decode().removesuffix("\n")


def play(conversation, make_client):
    clients = {}
    for line in conversation.splitlines():
        name, said = re.fullmatch(r"(?:(\w+)  +)?([<>] .*|Disconnected .*|.*)", line).groups()
        if said[:2] not in ("> ", "< ") and not said.startswith("Disconnected"):
            continue
        if name not in clients:
            clients[name] = make_client()
        if said.startswith("> "):
            clients[name].send(said[2:])
        else:
            received = clients[name].receive()
            assert received == said, f"README.md says {line!r}, but what came is {received!r}"


def talk(command):
    conversations = [block for block in blocks("text") if re.search(r"^(\w+  +)?< 0$", block, re.MULTILINE)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        kind, host, port = re.match(r"(ws://|nc )([^: ]+)[: ](\d+)", server.stdout.readline()).groups()
        client = LineClient if kind == "nc " else Client
        conversations = [block for block in conversations if block.startswith("$ nc ") == (kind == "nc ")]
        assert conversations, "README.md shows no conversation"
        for conversation in conversations:
            play(conversation, lambda: client(host, int(port)))
    finally:
        server.terminate()
        server.wait()
    print(f"{len(conversations)} conversations of README.md went as it says")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["links"]:
            links()
        case ["crate", directory, *page] if len(page) < 2:
            crate(directory, *page)
        case ["talk", *command] if command:
            talk(command)
        case _:
            sys.exit(__doc__)
