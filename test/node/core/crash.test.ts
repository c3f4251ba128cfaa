/**
 * A run of everything whose host is killed at every write, and that is paused or cancelled at every write: it comes to
 * the same end, or to that of a cancelled run.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { saveState, type CoreCommand, type CoreEvent } from "../../../src/core/runtime.ts";
import { NodeSchema } from "../../../src/core/workflows/definition.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import type { MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import { createChance, roundsOf, seedOf } from "./chance.ts";
import { createDisk, eventsOf, type Disk } from "./disk.ts";
import { everything } from "./everything.ts";
import { createTime, openHost, type Behaviour, type Host, type VirtualTime } from "./kit.ts";
import { rowOf } from "./runs.ts";
import { answer, complete, fail, join, registerAgent, registerWorkflow, startExecution } from "./things.ts";

const seed = seedOf(404);

interface Ran {
  readonly disk: Disk;
  readonly row: Execution;
  readonly writes: number;
  /** How often the effect of the task `big` was carried out. */
  readonly charges: number;
  readonly hosts: number;
}

/** What befalls the run, by the number of the write. */
interface Fate {
  readonly kills?: ReadonlyMap<number, MemoryFault>;
  /** Beside the state another one is folded of what was written, with frozen records. */
  readonly mirrored?: boolean;
  /** Said while that write is on its way. */
  readonly said?: ReadonlyMap<number, readonly (readonly [after: number, command: CoreCommand])[]>;
}

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
  const tell = (): void => {
    if (stage.host && !stage.host.isOver()) stage.host.push(command);
  };
  if (after === 0) tell();
  else stage.time.at(stage.time.now() + after, tell);
}

const failForGood = (id: string, attempt: number): CoreCommand => ({
  type: "task.fail",
  data: { id, attempt, error: { name: "Error", message: "never", code: "never", retryable: false } },
});

/** Workers whose answers depend on the task alone, not on the attempt or the host. */
function createWorkers(stage: Stage): Behaviour {
  return ({ task, attempt }) => {
    const { id, parent } = task;
    const node = parent?.node ?? "";
    const isUndo = parent?.undo !== undefined;
    if (node.startsWith("flaky_") && !isUndo && task.failures === 0) say(stage, 7, fail(id, attempt));
    else if (node.startsWith("bad_") || (node === "each" && parent?.index === 1))
      say(stage, 5, failForGood(id, attempt));
    else if (node.startsWith("again_") && parent?.round === undefined) say(stage, 5, failForGood(id, attempt));
    else if (node === "big") {
      if (task.effects?.["charge"] === undefined) {
        const done = eventsOf(stage.disk).some(({ type }) => type === "task.effected");
        assert.ok(!done, "what is recorded isn't done again");
        stage.charge();
        say(stage, 3, { type: "task.effect", data: { id, attempt, key: "charge", value: '"paid"' } });
      }
      say(stage, 4, { type: "task.checkpoint", data: { id, attempt, value: '"half"' } });
      say(stage, 8, complete(id, attempt, '"paid"'));
    } else {
      say(stage, node === "slow" ? 12 : 6, complete(id, attempt, task.input));
      say(stage, 15, complete(id, attempt, '"twice"'));
    }
    return [];
  };
}

/** The message that a node waits for; however often it is sent, it is one. */
const publish = (wait: string): CoreCommand => ({
  type: "message.publish",
  data: { id: `for ${wait}`, name: "x", key: "", payload: "1", ttl: 1_000 },
});

/** A page that asks for the run, answers its questions, and asks again wherever it didn't hear that it was done. */
function knock(host: Host, stage: Stage): void {
  const { hosting, approvals, messages } = host.engine.state;
  host.push(registerAgent("a", { capabilities: ["a", "b"], slots: 6 }), join("l", "a"));
  for (const { id, message } of approvals.approvals.values()) if (message === "Go on?") say(stage, 2, answer(id, true));
  for (const { id, name } of messages.waits.values()) if (name === "x") say(stage, 5, publish(id));
  if ((hosting.sessions.get("page")?.mark ?? 0) > 0) return;
  const mark: CoreCommand = {
    type: "session.advance",
    data: { session: "page", mark: 1, refused: [], acknowledged: 0 },
  };
  host.push(...everything.map(registerWorkflow), startExecution("run", "everything", { items: [1, 2, 3] }), mark);
}

const isHanging = (stage: Stage): boolean => stage.isHanging;
const hasEnded = ({ disk }: Stage): boolean => disk.archived.some(({ id }) => id === "run");

async function run({ kills, said, mirrored = false }: Fate = {}): Promise<Ran> {
  let [writes, hosts, charges] = [0, 0, 0];
  const disk = createDisk();
  const stage: Stage = { disk, time: createTime(), charge: () => charges++, host: undefined, isHanging: false };
  const chance = createChance(seed);
  const behaviour = createWorkers(stage);
  const onCommitted = (events: readonly CoreEvent[]): void => {
    for (const { type, data } of events) {
      if (type === "approval.requested" && data.message === "Go on?") say(stage, 2, answer(data.id, true));
      if (type === "wait.opened" && data.name === "x") say(stage, 5, publish(data.id));
    }
  };
  const gate = (): MemoryFault | undefined => {
    writes++;
    for (const [after, command] of said?.get(writes) ?? []) say(stage, after, command);
    const fault = kills?.get(writes);
    stage.isHanging = fault?.startsWith("hang") ?? false;
    if (stage.isHanging) queueMicrotask(() => stage.host?.kill());
    return fault;
  };
  const options = { behaviour, gate, onCommitted, snapshotEvery: 30, plain: !mirrored };
  while (!hasEnded(stage) || stage.host?.isOver() === true) {
    assert.ok(++hosts < 10, "it never ends");
    stage.host = undefined;
    stage.isHanging = false;
    const host = await openHost({ ...stage, ...options, chance });
    stage.host = host;
    if (isHanging(stage)) host.kill(); // in its very first write
    if (!host.isOver()) knock(host, stage);
    await host.finish();
    if (!hasEnded(stage) || host.isOver()) continue;
    checkNothingLives(host);
    if (mirrored) assert.equal(saveState(host.mirror), saveState(host.engine.state));
  }
  const row = rowOf(disk, "run");
  assert.ok(row);
  return { disk, row, writes, charges, hosts };
}

function checkNothingLives({ engine: { state } }: Host): void {
  const { tasks, approvals, workflows, timers, messages } = state;
  for (const table of [tasks.tasks, approvals.approvals, workflows.executions, workflows.nodes, workflows.items])
    assert.equal(table.size, 0);
  for (const table of [workflows.undos, workflows.variables, workflows.entries, timers.timers, messages.waits])
    assert.equal(table.size, 0);
}

/** Nodes whose output tells when something came, or how long it took. */
const TIMED: ReadonlySet<string> = new Set(["nap", "hear", "calm"]);

/** The same end as without a kill, and every result used once. */
function checkSame(ran: Ran, plain: Ran): void {
  assert.equal(ran.row.status, "completed");
  assert.equal(ran.row.output, plain.row.output);
  const ids = ({ disk }: Ran): string[] => disk.archived.map(({ kind, id }) => `${kind} ${id}`).sort();
  assert.deepEqual(ids(ran), ids(plain), "the same things are archived, each once");
  const ends = ({ disk, row }: Ran): string[] => [
    ...eventsOf(disk).flatMap(({ type, data }) => {
      if (type === "task.completed") return [`${type} ${data.id} ${data.output}`];
      if (type === "node.completed")
        return [`${type} ${data.execution}/${data.node} ${TIMED.has(data.node) ? "" : (data.output ?? "")}`];
      if (type === "node.skipped" || type === "node.failed") return [`${type} ${data.execution}/${data.node}`];
      if (type === "execution.completed" || type === "execution.failed") return [`${type} ${data.id}`];
      return type === "approval.decided" || type === "compensation.ended" ? [`${type} ${data.id}`] : [];
    }),
    ...(row.nodes ?? []).map(({ node, status }) => `${node} ${status}`),
  ];
  assert.deepEqual(ends(ran).sort(), ends(plain).sort(), "each result is recorded once, and is the same");
}

/** What was done is undone once, the last thing first; or it stays, when the run had ended before. */
function checkCancelled({ disk, row }: Ran): void {
  const events = eventsOf(disk);
  const done = events.flatMap(({ type, data }) =>
    type === "node.completed" && data.undo ? [`${data.execution}/${data.node}`] : [],
  );
  const undone = events.flatMap(({ type, data }) =>
    type === "task.completed" && data.parent?.undo !== undefined ? [data.id.replace(/\.undo\d*$/u, "")] : [],
  );
  if (row.status === "completed") return;
  assert.equal(row.status, done.length > 0 ? "compensated" : "cancelled");
  assert.deepEqual([...undone].sort(), [...done].sort());
  const own = (id: string): boolean => !id.startsWith("run/undone/"); // that one undoes its own while the others go on
  assert.deepEqual(undone.filter(own), done.filter(own).reverse());
  const ended = events.findIndex(
    ({ type, data }) => type.startsWith("execution.") && "id" in data && data.id === "run",
  );
  assert.ok(ended >= 0);
}

describe(`a host that is killed (seed ${String(seed)})`, () => {
  it("leaves nothing undone and nothing done twice, at whatever write and in whatever way it dies", async () => {
    const plain = await run();
    const each = [1, { error: { code: "never", message: "never" } }, 3];
    const { each: made, big, told, replaced, helped } = JSON.parse(plain.row.output ?? "") as Record<string, unknown>;
    assert.deepEqual([made, big, told, replaced, helped], [each, "paid", true, "never", "never"]);
    assert.deepEqual([plain.hosts, plain.charges], [1, 1]);
    let charges = 0;
    for (let at = 1; at <= plain.writes; at++)
      for (const fault of ["refuse", "hang-after"] as const) {
        const ran = await run({ kills: new Map([[at, fault]]) });
        const isLate = at >= plain.writes - 1 && ran.hosts === 1; // a snapshot whose failure nobody needs
        assert.ok(ran.hosts === 2 || isLate, `${fault} at ${String(at)}: ${String(ran.hosts)} hosts`);
        assert.ok(ran.charges <= 2);
        charges = Math.max(charges, ran.charges);
        checkSame(ran, plain);
      }
    assert.equal(charges, 2, "an effect whose record was lost is done again, which nobody can help");
  });

  it("may be followed by others that are killed too", async () => {
    const plain = await run();
    const chance = createChance(seed);
    const faults: readonly MemoryFault[] = ["refuse", "hang", "fail-after", "hang-after", "no-trim"];
    for (let round = 0; round < roundsOf(60); round++) {
      const kills = new Map<number, MemoryFault>();
      for (let at = 0; at < 2 + chance.below(4); at++)
        kills.set(1 + chance.below(plain.writes * 2), chance.pick(faults));
      checkSame(await run({ kills, mirrored: true }), plain);
    }
  });
});

describe("a run of everything", () => {
  it("has nodes of every type, and all of them begin", async () => {
    const begun = new Set(
      eventsOf((await run()).disk).map((event) => event.type === "node.started" && event.data.kind),
    );
    for (const { entries } of NodeSchema.options) {
      const { literal } = entries.type;
      const kind = literal === "human_approval" ? "approval" : literal; // it is read as one
      assert.ok(begun.has(kind), `${kind} has no row in everything.ts`);
    }
  });

  it("comes to the same end when it is paused at whatever write, with or without what runs", async () => {
    const plain = await run();
    for (let at = 3; at <= plain.writes; at++) {
      const pause: CoreCommand = { type: "execution.pause", data: { id: "run", interrupt: at % 2 > 0 } };
      const resume: CoreCommand = { type: "execution.resume", data: { id: "run" } };
      checkSame(await run({ said: new Map([[at, [[0, pause], [70, resume]]]]) }), plain); // prettier-ignore
    }
  });

  it("leaves nothing alive when it is cancelled at whatever write, and undoes what it has done, though its host dies", async () => {
    const { writes } = await run();
    const statuses = new Set<string>();
    for (let at = 3; at <= writes; at++)
      for (const kill of [undefined, 2]) {
        const said = new Map([[at, [[0, { type: "execution.cancel", data: { id: "run" } }] as const]]]);
        const kills = kill === undefined ? {} : { kills: new Map([[at + kill, "hang-after"] as const]) };
        const ran = await run({ said, ...kills });
        checkCancelled(ran);
        statuses.add(ran.row.status);
      }
    assert.deepEqual([...statuses].sort(), ["cancelled", "compensated", "completed"]);
  });
});
