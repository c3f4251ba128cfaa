/** The host is killed at every write of a run of everything; whoever takes over brings it to the same end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState, type CoreCommand, type CoreEvent } from "../../../src/core/runtime.ts";
import type { MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import { createChance, seedOf } from "./chance.ts";
import { createDisk, eventsOf, type Disk } from "./disk.ts";
import { createTime, openHost, type Behaviour, type Host, type VirtualTime } from "./kit.ts";
import { minorWorkflow, mixedWorkflow } from "./life.ts";
import { answer, complete, fail, join, registerAgent, registerWorkflow, startExecution } from "./things.ts";

const FAULTS: readonly MemoryFault[] = ["refuse", "hang", "fail-after", "hang-after"];
const seed = seedOf(404);

interface Ran {
  readonly disk: Disk;
  readonly writes: number;
  readonly output: unknown;
  /** How often the effect of the task `big` was carried out. */
  readonly charges: number;
  readonly hosts: number;
}

/** What a kill of the host does, and at which write. */
type Kills = ReadonlyMap<number, MemoryFault>;

interface Stage {
  readonly disk: Disk;
  readonly time: VirtualTime;
  readonly charge: () => void;
  /** The host that lives now: workers and pages outlive hosts, and speak to whichever there is. */
  host: Host | undefined;
  /** A write hangs. */
  isHanging: boolean;
}

function say(stage: Stage, after: number, command: CoreCommand): void {
  stage.time.at(stage.time.now() + after, () => {
    if (stage.host && !stage.host.isOver()) stage.host.push(command);
  });
}

/** Workers whose answers depend on the task alone, not on the attempt or the host. */
function createWorkers(stage: Stage): Behaviour {
  return ({ task, attempt }) => {
    const { id, parent, effects } = task;
    const node = parent?.node ?? "";
    if (node === "fetch" && task.failures === 0) say(stage, 7, fail(id, attempt));
    else if (node === "each" && parent?.index === 1) say(stage, 5, fail(id, attempt, "never"));
    else if (node === "risky" || id.startsWith("run/rounds/1/")) say(stage, 5, fail(id, attempt, "never"));
    else if (node === "big") {
      if (effects?.["charge"] === undefined) {
        assert.ok(
          !eventsOf(stage.disk).some(({ type }) => type === "task.effected"),
          "what is recorded isn't done again",
        );
        stage.charge();
        say(stage, 3, { type: "task.effect", data: { id, attempt, key: "charge", value: '"paid"' } });
      }
      say(stage, 4, { type: "task.checkpoint", data: { id, attempt, value: '"half"' } });
      say(stage, 8, complete(id, attempt, '"paid"'));
    } else {
      say(stage, 6, complete(id, attempt, task.input));
      say(stage, 9, complete(id, attempt, '"twice"'));
    }
    return [];
  };
}

/** A page that asks for the run, answers its question, and asks again wherever it didn't hear that it was done. */
function knock(host: Host, stage: Stage): void {
  const { hosting, approvals } = host.engine.state;
  host.push(registerAgent("a", { capabilities: ["a", "b"], slots: 3 }), join("l", "a"));
  for (const { id } of approvals.approvals.values()) say(stage, 2, answer(id, true));
  if ((hosting.sessions.get("page")?.mark ?? 0) > 0) return;
  const mark: CoreCommand = {
    type: "session.advance",
    data: { session: "page", mark: 1, refused: [], acknowledged: 0 },
  };
  host.push(
    registerWorkflow(minorWorkflow),
    registerWorkflow(mixedWorkflow),
    startExecution("run", "mixed", { items: [1, 2, 3] }),
    mark,
  );
}

const isHanging = (stage: Stage): boolean => stage.isHanging;
const hasEnded = ({ disk }: Stage): boolean => disk.archived.some(({ id }) => id === "run");

async function run(kills: Kills): Promise<Ran> {
  let [writes, hosts, charges] = [0, 0, 0];
  const disk = createDisk();
  const stage: Stage = { disk, time: createTime(), charge: () => charges++, host: undefined, isHanging: false };
  const chance = createChance(seed);
  const behaviour = createWorkers(stage);
  const onCommitted = (events: readonly CoreEvent[]): void => {
    for (const { type, data } of events) if (type === "approval.requested") say(stage, 2, answer(data.id, true));
  };
  const gate = (): MemoryFault | undefined => {
    const fault = kills.get(++writes);
    stage.isHanging = fault?.startsWith("hang") ?? false;
    if (stage.isHanging) queueMicrotask(() => stage.host?.kill());
    return fault;
  };
  while (!hasEnded(stage) || stage.host?.isOver() === true) {
    assert.ok(++hosts < 10, "it never ends");
    stage.host = undefined;
    stage.isHanging = false;
    const host = await openHost({ ...stage, chance, behaviour, gate, onCommitted, snapshotEvery: 12 });
    stage.host = host;
    if (isHanging(stage)) host.kill(); // in its very first write
    if (!host.isOver()) knock(host, stage);
    await host.finish();
    if (hasEnded(stage) && !host.isOver()) checkEnd(host);
  }
  const row = JSON.parse(disk.archived.find(({ id }) => id === "run")?.text ?? "") as {
    status: string;
    output: string;
  };
  assert.equal(row.status, "completed");
  return { disk, writes, output: JSON.parse(row.output), charges, hosts };
}

function checkEnd({ engine, mirror }: Host): void {
  const { tasks, approvals, workflows } = engine.state;
  for (const table of [tasks.tasks, approvals.approvals, workflows.executions, workflows.nodes, workflows.items])
    assert.equal(table.size, 0);
  assert.equal(saveState(mirror), saveState(engine.state));
}

/** The same end as without a kill, and every result used once. */
function checkSame(ran: Ran, plain: Ran): void {
  assert.deepEqual(ran.output, plain.output);
  const ids = ({ disk }: Ran): string[] => disk.archived.map(({ kind, id }) => `${kind} ${id}`).sort();
  assert.deepEqual(ids(ran), ids(plain), "the same things are archived, each once");
  const ends = ({ disk }: Ran): string[] =>
    eventsOf(disk)
      .flatMap(({ type, data }) => {
        if (type === "task.completed") return [`${type} ${data.id} ${data.output}`];
        const isMeasured = type === "node.completed" && data.node === "calm"; // how long tasks took is another each time
        if (type === "node.completed")
          return [`${type} ${data.execution}/${data.node} ${isMeasured ? "" : (data.output ?? "")}`];
        if (type === "execution.completed" || type === "approval.decided") return [`${type} ${data.id}`];
        return [];
      })
      .sort();
  assert.deepEqual(ends(ran), ends(plain), "each result is recorded once, and is the same");
}

describe(`a host that is killed (seed ${String(seed)})`, () => {
  it("leaves nothing undone and nothing done twice, at whatever write and in whatever way it dies", async () => {
    const plain = await run(new Map());
    const each = [1, { error: { code: "never", message: "never" } }, 3];
    assert.deepEqual(plain.output, { each, ask: true, last: each });
    assert.deepEqual([plain.hosts, plain.charges], [1, 1]);
    let charges = 0;
    for (let at = 1; at <= plain.writes; at++)
      for (const fault of FAULTS) {
        const ran = await run(new Map([[at, fault]]));
        const isLate = at >= plain.writes - 1 && ran.hosts === 1; // a snapshot whose failure nobody needs
        assert.ok(ran.hosts === 2 || isLate, `${fault} at ${String(at)}: ${String(ran.hosts)} hosts`);
        assert.ok(ran.charges <= 2);
        charges = Math.max(charges, ran.charges);
        checkSame(ran, plain);
      }
    assert.equal(charges, 2, "an effect whose record was lost is done again, which nobody can help");
  });

  it("may be followed by others that are killed too", async () => {
    const plain = await run(new Map());
    const chance = createChance(seed);
    for (let round = 0; round < 150; round++) {
      const kills = new Map<number, MemoryFault>();
      for (let at = 0; at < 2 + chance.below(4); at++)
        kills.set(1 + chance.below(plain.writes * 2), chance.pick([...FAULTS, "no-trim"]));
      checkSame(await run(kills), plain);
    }
  });
});
