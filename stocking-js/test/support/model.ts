// A server that is as small as the promise allows: it counts, keeps everything, and says again what was not taken in.

interface Session {
    id: string;
    key: string;
    attempt: number;
    /** Counted frames of the client that were taken in. */
    taken: number;
    /** Every counted frame that the client was ever sent, or is to be. */
    said: string[];
    inside: Set<string>;
}

/** One connection: what the server has written that has not arrived. */
export class Line {
    toClient: string[] = [];
    session: Session | undefined;
    /** Whether the client has said goodbye, so that a close follows. */
    isOver = false;
}

export class ModelServer {
    sessions = new Map<string, Session>();
    /** What was handled, in order. */
    handled: unknown[] = [];
    /** Whether a join of this channel is refused. */
    refuses = (_channel: string) => false;
    /** What was said in the channel, and whether the client of the time was in it. */
    #made = 0;

    connect(): Line {
        const line = new Line();
        line.toClient.push("0");
        return line;
    }

    /** Every session is lost. */
    restart(): void {
        this.sessions.clear();
    }

    take(line: Line, text: string): void {
        const [, type, code, content] = /^(\d)(?:,([^,]*),([^]*))?$/.exec(text)!;
        if (type == "0") return this.#open(line, code == "1" ? JSON.parse(content!) : undefined);
        const { session } = line;
        if (!session) throw new Error(`before the answer: ${text}`);
        // Whoever is taken over is not read any more.
        if (this.sessions.get(session.id) != session) return;
        if (type == "3") return void line.toClient.push(`3,${session.taken},`);
        if (type == "2") {
            line.isOver = true;
            return void this.sessions.delete(session.id);
        }
        session.taken++;
        if (type == "6") {
            if (code == "1" && this.refuses(content!)) {
                this.#say(line, "1,403,not now");
                return this.#say(line, `6,${+session.inside.has(content!)},${content}`);
            }
            if (code == "1") session.inside.add(content!);
            else session.inside.delete(content!);
            this.#say(line, `6,${code},${content}`);
        } else if (type == "4") {
            const { p } = JSON.parse(content!);
            this.handled.push(p);
            if (code != "0") this.#say(line, `4,${code},${JSON.stringify({ c: -1, p })}`);
        }
    }

    /** Says something in the channel, to whoever is in. */
    broadcast(text: string, line: Line | undefined): void {
        for (const session of this.sessions.values()) {
            if (session.inside.has("news")) this.#tell(session, line, `5,news,${text}`);
        }
    }

    /** Puts whoever is at this line into a channel, or takes him out, if that changes anything. */
    move(line: Line, channel: string, isInside: boolean): void {
        const { session } = line;
        if (!session || session.inside.has(channel) == isInside) return;
        if (isInside) session.inside.add(channel);
        else session.inside.delete(channel);
        this.#tell(session, line, `6,${isInside ? 3 : 2},${channel}`);
    }

    #say(line: Line, text: string): void {
        this.#tell(line.session!, line, text);
    }

    #tell(session: Session, line: Line | undefined, text: string): void {
        session.said.push(text);
        if (line?.session == session) line.toClient.push(text);
    }

    #open(line: Line, asked: { id: string; key: string; got: number; try: number } | undefined): void {
        const known = asked && this.sessions.get(asked.id);
        if (asked && known?.key == asked.key && asked.try > known.attempt && asked.got <= known.said.length) {
            known.attempt = asked.try;
            line.session = known;
            line.toClient.push(`0,1,{"got":${known.taken}}`, ...known.said.slice(asked.got));
            return;
        }
        const id = `@${String(++this.#made).padStart(22, "0")}`;
        line.session = { id, key: `k${this.#made}`, attempt: 0, taken: 0, said: [], inside: new Set() };
        this.sessions.set(id, line.session);
        line.toClient.push(`0,0,${JSON.stringify({ id, key: line.session.key, ttl: 120, ping: 25, max: 65536 })}`);
    }
}
