#!/usr/bin/env python3
"""Takes the rules of sessions out of the code, one at a time: the simulator has to find each, and says at which seed.

    python3 stocking-core/tests/simulator/faults.py [part of a name]

The code is copied first; the tree stays as it is. `--check` only looks whether every rule is still where it was.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
HOLDER = "stocking-core/src/outbox/holder.rs"
KEPT = "stocking-core/src/outbox/kept.rs"
PARKING = "stocking-core/src/session/parking.rs"
COUNTING = "stocking-core/src/connection/counting.rs"

# What is wrong then, and each change: a file, what stands there, what is put in its place.
FAULTS = {
    "what still arrives on the old connection is taken in": [
        (HOLDER, "let is_own = state.epoch == epoch;", "let is_own = true;"),
        ("stocking-core/src/outbox/mod.rs", "            return Drained::Superseded;\n        }\n        if !state.waker", "            return Drained::All;\n        }\n        if !state.waker"),
    ],
    "an overtaken resume takes the session over": [
        (HOLDER, "stop != Stop::Kicked) || attempt <= counted.attempt", "stop != Stop::Kicked)"),
    ],
    "a resume forgets nothing": [
        (HOLDER, "!counted.kept.replay_after(got.get())", "!counted.kept.replay_after(counted.kept.first())"),
        (KEPT, "    fn frames(&self) -> u64 {", "    pub(super) fn first(&self) -> u64 {\n        self.forgotten\n    }\n\n    fn frames(&self) -> u64 {"),
    ],
    "the oldest is forgotten though it was not written on this connection": [
        (KEPT, "if self.replayed == 0 || !self.forget_first()", "if !self.forget_first()"),
    ],
    "one frame too many is left out of a replay": [
        (KEPT, "run.skip(count - self.forgotten)", "run.skip(count - self.forgotten + 1)"),
    ],
    "an acknowledgement forgets one frame too many": [
        (KEPT, "*last <= count) {\n            self.forget_first();\n        }\n        if self.runs.is_empty() &&", "*last <= count + 1) {\n            self.forget_first();\n        }\n        if self.runs.is_empty() &&"),
    ],
    "a frame of the client is counted twice": [
        (KEPT, "self.taken += frames;", "self.taken += frames + u64::from(frames > 5);"),
    ],
    "a join of the client is not counted": [
        (COUNTING, "&& counts_from_client(text)", "&& counts_from_client(text)\n            && !text.starts_with(\"6,1\")"),
    ],
    "what is answered during a replay overtakes it": [
        (HOLDER, "        self.mark_dirty();\n        Resumption::Resumed", "        Resumption::Resumed"),
    ],
    "a reply that came at once is not kept": [
        (COUNTING, "counting.frames += 1;", "counting.frames = 0;"),
    ],
    "what is written at once is not kept": [
        ("stocking-core/src/outbox/mod.rs", "            counted.kept.keep(run.clone());\n            counted.kept.make_room(0, 0, config);", "            let _ = (counted, config);"),
    ],
    "who has something for a client writes it though its connection writes too": [
        ("stocking-core/src/outbox/direct.rs", "        let State::Lent { turn } = &mut *state else", "        if matches!(*state, State::Kept) {\n            *state = State::Lent { turn: 0 };\n        }\n        let State::Lent { turn } = &mut *state else"),
    ],
    "requests that wait go with the connection": [
        ("stocking-core/src/session/lane.rs", "    fn next(&self)", "    pub(crate) fn forget(&self) {\n        if let Some(waiting) = &mut *self.waiting.lock() {\n            let count = waiting.len();\n            waiting.clear();\n            self.in_flight.fetch_sub(count, Ordering::AcqRel);\n        }\n    }\n\n    fn next(&self)"),
        (PARKING, "            Parking::Parked { epoch, space } => {", "            Parking::Parked { epoch, space } => {\n                self.lane.forget();"),
    ],
    "a timer ends another parking than its own": [
        (HOLDER, "            _ if state.epoch != epoch => return Parked::Over,\n", ""),
        (HOLDER, "if state.epoch != epoch || state.stop == Some(Stop::Ended) {", "if state.stop == Some(Stop::Ended) {"),
        (PARKING, "        self.session.end(self.epoch, &self.otherwise);\n", ""),
    ],
    "a break ends the session": [
        ("stocking-core/src/connection/close_reason.rs", "| Self::Silent | Self::WriteStalled => true", "| Self::Silent | Self::WriteStalled => false"),
    ],
    "a parked session leaves its channels": [
        (PARKING, "            Parking::Parked { epoch, space } => {", "            Parking::Parked { epoch, space } => {\n                for channel in self.channels() {\n                    self.leave(&channel);\n                }"),
        ("stocking-core/src/session/mod.rs", "By::Server if was_in => self.announce(channel, MembershipChange::TakenOut)", "By::Server if was_in => None"),
    ],
    "the client pipelines behind a resume": [
        ("stocking-core/src/client/machine/mod.rs", "if !self.is_open() ||", "if !(self.is_open() || matches!(self.phase, Phase::Opening { resumes: true, .. })) ||"),
    ],
    "the client sends again what may have been handled": [
        ("stocking-core/src/client/kept.rs", "drain(..(self.numbered - self.acknowledged) as usize)", "drain(..(self.numbered - self.acknowledged) as usize / 2)"),
    ],
    "the client takes for taken in what no answer proves": [
        ("stocking-core/src/client/kept.rs", "(first + at) as u64 + 1;", "self.first_unnumbered() as u64;"),
    ],
    "the client says that what was answered is unknown": [
        ("stocking-core/src/client/kept.rs", "written.into_iter().skip(first)", "written.into_iter().skip(first * 0)"),
    ],
    "the client resumes with one frame less than it has": [
        ("stocking-core/src/client/session.rs", "got: self.taken(), attempt", "got: Count::new(self.taken.saturating_sub(1)).unwrap_or_default(), attempt"),
    ],
    "the client does not number its attempts": [
        ("stocking-core/src/client/session.rs", "got: self.taken(), attempt", "got: self.taken(), attempt: { let _ = attempt; Count::new(1).unwrap_or_default() }"),
    ],
}


def apply(root, changes):
    """Makes the changes; an error where a rule is not where it was."""
    for name, old, new in changes:
        path = root / name
        text = path.read_text()
        if text.count(old) != 1:
            sys.exit(f"{name}: {text.count(old)} times, not once: {old!r}")
        if root is not ROOT:
            path.write_text(text.replace(old, new))


def play(copy, target):
    """The seed at which the simulator fails, or what else it said."""
    env = dict(os.environ, CARGO_TARGET_DIR=str(target), SEEDS=os.environ.get("SEEDS", "10000"), RUST_BACKTRACE="0")
    command = ["cargo", "test", "--release", "--locked", "-p", "stocking-core", "--test", "simulator"]
    run = subprocess.run(command + ["--", "--nocapture"], cwd=copy, env=env, capture_output=True, text=True)
    output = run.stdout + run.stderr
    found = re.search(r"FIRST_SEED=(\d+)", output)
    if found:
        reason = [line for line in output.splitlines() if line and not line.startswith(("thread", "note", " "))]
        at = next((i for i, line in enumerate(reason) if line.startswith("failed:")), 0)
        return int(found[1]), reason[max(at - 1, 0)]
    return None, output[-2000:]


def main():
    wanted = [argument for argument in sys.argv[1:] if argument != "--check"]
    if "--check" in sys.argv:
        for changes in FAULTS.values():
            apply(ROOT, changes)
        print(f"{len(FAULTS)} rules are where they were")
        return
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "faults"
    copy = target / "tree"
    passed_over = []
    for name, changes in FAULTS.items():
        if wanted and not any(part in name for part in wanted):
            continue
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("target", ".git", "node_modules"), symlinks=True)
        apply(copy, changes)
        seed, said = play(copy, target)
        print(f"{name}: " + (f"seed {seed}: {said}" if seed is not None else f"NOT FOUND\n{said}"), flush=True)
        if seed is None:
            passed_over.append(name)
    if passed_over:
        sys.exit(f"the simulator does not find: {', '.join(passed_over)}")


main()
