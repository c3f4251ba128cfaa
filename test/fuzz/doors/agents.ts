/** Frames of a worker: about the attempt that it has, about others, and about nothing. */
import { AgentFrameSchema } from "../../../src/core/agents/protocol.ts";
import { Finding, type Door } from "../door.ts";
import { checkRefusal, hintsOf } from "../scene.ts";
import { bend, drawFrom } from "../schema.ts";
import type { Stand } from "../stand.ts";
import type { Tape } from "../tape.ts";
import { drawPosted } from "../values.ts";
import { overScene } from "./pages.ts";

const MISSING = "l9";

function drawFrame(stand: Stand, tape: Tape): unknown {
  const { holdings } = stand.engine.state.agents;
  const own = [...holdings.values()];
  const held = own.length > 0 && !tape.once(5) ? tape.pick(own) : undefined;
  const hints = {
    ...hintsOf(stand),
    ...(held && { task: () => held.task, attempt: () => held.attempt }),
    id: (from: Tape) =>
      from.pick([
        "m1",
        "m2",
        ...(stand.engine.state.mail.mails.size > 0
          ? [[...stand.engine.state.mail.mails.entries()][0]?.[0] ?? "m1"]
          : []),
      ]),
    recipient: (from: Tape) => from.pick(["agent", "task", "box"]),
    blob: (from: Tape) => from.pick([`${held?.task ?? "t1"}:x`, "run1:x", "other:x"]),
    item: () => "1",
    code: (from: Tape) => from.pick(["boom", "task/cancelled", "unknown"]),
  };
  if (tape.once(40)) return drawPosted(tape);
  const frame = drawFrom(tape, AgentFrameSchema, hints);
  return tape.below(6) < 4 ? frame : bend(tape, frame);
}

/** What no worker may bring about. */
const FORBIDDEN =
  /^(?:approval\.(?:decided|voted|edited|delegated)|workflow\.|agent\.(?:registered|switched)|capability\.|limit\.(?:set|removed)|schedule\.(?:set|removed)|session\.identified)/u;

export const agents: Door = {
  name: "agents",
  length: 40,
  open: overScene(async (stand, tape, look) => {
    if (!stand.engine.state.agents.links.has("l1")) await stand.post({ kind: "joined", link: "l1", agent: "a@1.0.0" });
    const list = Array.from({ length: tape.pick([1, 1, 1, 2, 3, 0]) }, () => drawFrame(stand, tape));
    const given = tape.once(60) ? drawPosted(tape) : list;
    const link = tape.once(20) ? MISSING : "l1";
    const written = stand.events.length;
    look.input(given);
    const { orders, killed } = await stand.relay(link, given);
    for (const [, frame] of orders)
      if (frame.kind === "answer" && frame.error && frame.error.code !== "task/finished") checkRefusal(frame.error); // which says it all
    const bad = stand.events.slice(written).find(({ type }) => FORBIDDEN.test(type));
    if (bad) throw new Finding(`a worker brought ${bad.type}`, JSON.stringify(bad));
    if (link === MISSING && stand.events.length > written) throw new Finding("a foreign link", "was listened to");
    look.outcome(killed.length > 0 ? "agent/message-invalid" : "taken");
    if (stand.engine.state.tasks.tasks.size < 4) await refill(stand);
  }),
};

/** More for the worker to do. */
async function refill(stand: Stand): Promise<void> {
  const id = `more ${String(stand.engine.head)}`;
  await stand.command(
    { type: "task.create", data: { id, capabilities: ["work"], input: "1" } },
    {
      type: "mail.send",
      data: { id: `${id} mail`, type: "control", recipient: "agent:a", payload: '{"action":"go"}' },
    },
  );
}
