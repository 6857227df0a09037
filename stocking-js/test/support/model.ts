// A server that is as small as the promise allows: it counts, keeps everything, and says again what was not taken in.

interface Session {
    id: string;
    key: string;
    attempt: number;
    /** Counted frames of the client that were taken in. */
    taken: number;
    /** Every counted frame that the client was ever sent, or is to be. */
    said: string[];
    isIn: boolean;
}

/** One connection: what the server has written that has not arrived. */
export class Line {
    toClient: string[] = [];
    session: Session | undefined;
}

export class ModelServer {
    sessions = new Map<string, Session>();
    /** What was handled, in order. */
    handled: unknown[] = [];
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
        session.taken++;
        if (type == "6") {
            session.isIn = code == "1";
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
            if (!session.isIn) continue;
            session.said.push(`5,news,${text}`);
            if (line?.session == session) line.toClient.push(`5,news,${text}`);
        }
    }

    #say(line: Line, text: string): void {
        line.session!.said.push(text);
        line.toClient.push(text);
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
        line.session = { id, key: `k${this.#made}`, attempt: 0, taken: 0, said: [], isIn: false };
        this.sessions.set(id, line.session);
        line.toClient.push(`0,0,${JSON.stringify({ id, key: line.session.key, ttl: 120, ping: 25, max: 65536 })}`);
    }
}
