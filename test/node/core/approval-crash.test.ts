/** The host is killed at every write of a vote with delegation, edit, reminder and escalation; the end is the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState, type CoreCommand } from "../../../src/core/runtime.ts";
import type { MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import { actor, ask, says } from "./approval-kit.ts";
import { createChance, seedOf } from "./chance.ts";
import { createDisk, eventsOf } from "./disk.ts";
import { createTime, never, openHost, START, type Host } from "./kit.ts";
import { registerWorkflow, startExecution } from "./things.ts";

const FAULTS: readonly MemoryFault[] = ["refuse", "hang", "fail-after", "hang-after"];
const seed = seedOf(606);

const WORKFLOW = {
  id: "w",
  output: "{'ask': nodes.ask.output, 'other': nodes.other.output.approved, 'third': nodes.third.output.approved}",
  nodes: [
    ask({
      approvers: ["ann", "bob"],
      need: "all",
      payload: "input",
      edit: { type: "object" },
      revote: true,
      remind: 3_000,
      timeout: 10_000,
      escalation: [{ approvers: ["bob", "boss"], need: "all", timeout: 60_000 }],
    }),
    ask({ id: "other", group: "g", approvers: ["ann"] }),
    ask({ id: "third", group: "g" }),
  ],
};

/** What is said, and when; each is said until it has got an answer. */
const SCRIPT: readonly (readonly [after: number, command: CoreCommand])[] = [
  [0, registerWorkflow(WORKFLOW)],
  [1, startExecution("e", "w", { n: 1 })],
  [100, { type: "approval.delegate", data: { to: "carl", for: 86_400_000, actor: actor("ann") } }],
  [200, says(actor("carl"), true)],
  [300, says(actor("bob"), true, { edits: '{"n":2}' })],
  [400, says(actor("ann"), false, { id: "e/other", reason: "no" })],
  [20_000, says(actor("boss"), true, { revision: 1 })],
];

async function run(at: number, fault?: MemoryFault): Promise<{ readonly writes: number; readonly end: unknown }> {
  const disk = createDisk();
  const time = createTime();
  const chance = createChance(seed);
  let writes = 0;
  let host: Host | undefined;
  const dying = { now: false };
  const isDying = (): boolean => dying.now;
  const gate = (): MemoryFault | undefined => {
    if (++writes !== at) return undefined;
    dying.now = fault?.startsWith("hang") === true;
    if (dying.now) queueMicrotask(() => host?.kill());
    return fault;
  };
  const begin = async (): Promise<Host> => {
    host = undefined;
    dying.now = false;
    const next = await openHost({ disk, time, chance, behaviour: never, gate, snapshotEvery: 5 });
    host = next;
    if (isDying()) next.kill(); // in its very first write
    next.engine.wake(); // as the host's alarm does
    await next.settle();
    return next.isOver() ? begin() : next;
  };
  let current = await begin();
  for (const [after, command] of SCRIPT) {
    while (time.now() < START + after) {
      if (current.isOver()) current = await begin();
      await current.advance(Math.min(500, START + after - time.now()));
    }
    for (let tries = 0; tries < 5; tries++) {
      if (current.isOver()) current = await begin();
      const refused = await current.submit(command);
      if (current.isOver()) continue; // nobody has answered
      const known = ["execution/duplicate", "approval/closed", "approval/stale"]; // the one before had been decided
      assert.ok(
        refused.every((code) => tries > 0 && known.includes(code)),
        `${command.type}: ${refused.join()}`,
      );
      break;
    }
  }
  if (current.isOver()) current = await begin();
  await current.advance(1_000);
  if (current.isOver()) current = await begin();
  assert.equal(current.engine.state.approvals.approvals.size, 0);
  assert.equal(saveState(current.mirror), saveState(current.engine.state));
  const row = JSON.parse(disk.archived.find(({ id }) => id === "e")?.text ?? "{}") as Record<string, string>;
  const count = (type: string): number => eventsOf(disk).filter((event) => event.type === type).length;
  const counts = ["requested", "voted", "edited", "escalated", "decided"].map((noun) => count(`approval.${noun}`));
  return { writes, end: { status: row["status"], output: JSON.parse(row["output"] ?? "null") as unknown, counts } };
}

describe(`approvals of a host that is killed (seed ${String(seed)})`, () => {
  it("end the same, with each vote, edit and step counted once, at whatever write and however it dies", async () => {
    const plain = await run(0);
    const { output } = plain.end as { readonly output: Record<string, Record<string, unknown>> };
    assert.deepEqual(
      [output["ask"]?.["approved"], output["ask"]?.["payload"], output["other"], output["third"]],
      [true, { n: 2 }, false, false],
    );
    for (let at = 1; at <= plain.writes; at++)
      for (const fault of FAULTS) {
        const { end } = await run(at, fault);
        assert.deepEqual(end, plain.end, `${fault} at ${String(at)}`);
      }
  });
});
