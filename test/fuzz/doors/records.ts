/**
 * What a host finds on its disk. Records that were damaged are refused, or passed over where others say the same; the
 * state is never another one. Records whose seals are right, though nobody wrote them so, are refused or read, and the
 * engine that comes of them works.
 */
import { openEngine } from "../../../src/core/engine.ts";
import { RuntimeError } from "../../../src/core/errors.ts";
import { saveState } from "../../../src/core/runtime.ts";
import {
  createMemoryDisk,
  portOf,
  type MemoryDisk,
  type MemoryRecords,
} from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { decodeMeta, encodeMeta, type Meta } from "../../../src/plugins/journals/meta.ts";
import {
  seal,
  sealBatch,
  snapshotLabel,
  type BatchRecord,
  type Sealed,
} from "../../../src/plugins/journals/records.ts";
import { createChance } from "../../node/core/chance.ts";
import { openWorld } from "../../node/core/kit.ts";
import { chaotic, createLife } from "../../node/core/life.ts";
import { createTask } from "../../node/core/things.ts";
import { Finding, type Door, type Look } from "../door.ts";
import { bend, bendText } from "../schema.ts";
import type { Tape } from "../tape.ts";
import { drawPosted, drawText, NUMBERS, textOf, withKey } from "../values.ts";

interface Base {
  readonly records: MemoryRecords;
  /** What an engine makes of it. */
  readonly state: string;
  readonly databaseId: string;
}

/** Journals of some lives; odd ones have been compacted. */
const BASES = 5;

let made: Promise<readonly Base[]> | undefined;

async function makeBase(seed: number): Promise<Base> {
  const world = await openWorld(seed, {
    plain: true,
    behaviour: chaotic,
    ...(seed % 2 === 1 && { snapshotEvery: 40 }),
  });
  const step = createLife(createChance(seed), "", () => world.time.now(), true);
  for (let count = 0; count < 12 + seed * 3; count++) await world.advance(step(world));
  world.kill();
  const records = copyOf(portOf(world.disk.memory).records);
  const { state, databaseId } = await open(diskOf(records));
  return { records, state, databaseId };
}

function copyOf({ head, batches, snapshots, archive, audit, blobs }: MemoryRecords): MemoryRecords {
  const copy = { head, batches, snapshots, archive, audit, blobs };
  return structuredClone(copy);
}

function diskOf(records: MemoryRecords): MemoryDisk {
  const disk = createMemoryDisk({ databaseId: () => "another" });
  Object.assign(portOf(disk).records, records);
  return disk;
}

interface Opened {
  readonly state: string;
  readonly databaseId: string;
}

/** Recovers, and proves that work goes on. */
async function open(disk: MemoryDisk, thorough = false): Promise<Opened> {
  let now = 1_800_000_000_000;
  let stopped: RuntimeError | undefined;
  const engine = await openEngine({
    journal: createMemoryJournal({ disk }),
    clock: () => now,
    random: () => 0.5,
    ids: () => "id",
    defer: (flush) => {
      queueMicrotask(flush);
    },
    onStopped: (error) => (stopped = error),
  });
  const opened = { state: withoutEpoch(saveState(engine.state)), databaseId: engine.databaseId };
  if (thorough) {
    engine.submit([createTask("the probe")]);
    for (let count = 0; count < 5; count++) {
      now = Math.max(now, engine.nextDue() ?? now);
      engine.wake();
      await new Promise<void>((resolve) => {
        engine.whenDurable(() => {
          resolve();
        });
      });
    }
    if (stopped) throw stopped;
  }
  engine.stop();
  return opened;
}

/** Every opening has an epoch of its own. */
const withoutEpoch = (state: string): string => state.replace(/"epoch":\d+/u, '"epoch":0');

const REFUSALS = ["journal/corrupt", "runtime/storage-lost", "host/incompatible", "json/invalid"];

export const records: Door = {
  name: "records",
  length: 20,
  async open(tape, look) {
    const bases = await (made ??= Promise.all(Array.from({ length: BASES }, (_none, seed) => makeBase(seed))));
    return {
      async turn() {
        const base = tape.pick(bases);
        if (tape.once(2)) await giveForged(tape, look, base);
        else await giveDamaged(tape, look, base);
      },
    };
  },
};

async function giveDamaged(tape: Tape, look: Look, base: Base): Promise<void> {
  const records = copyOf(base.records);
  const what = damage(tape, records);
  look.input({ damaged: what });
  try {
    const { state, databaseId } = await open(diskOf(records));
    const isOther = databaseId !== base.databaseId; // pages see that, and say that storage was lost
    if (!isOther && state !== base.state)
      throw new Finding("a wrong state", "damaged records were read as another state");
    look.outcome(isOther ? "journal/lost" : "taken");
  } catch (thrown) {
    judge(look, thrown);
  }
}

function judge(look: Look, thrown: unknown, ...more: readonly string[]): void {
  if (!(thrown instanceof RuntimeError)) throw thrown;
  if (![...REFUSALS, ...more].includes(thrown.code))
    throw new Finding(`recovery ${thrown.code}`, thrown.message, thrown);
  look.outcome(thrown.code);
}

type Entries = Map<number, unknown>;

/** Hurts one record; gives what it is now. */
function damage(tape: Tape, records: MemoryRecords): unknown {
  const table: Entries = tape.pick([records.batches, records.snapshots, records.batches]);
  const key = table.size > 0 ? tape.pick([...table.keys()]) : 0;
  switch (tape.below(7)) {
    case 0:
      records.head = hurt(tape, records.head);
      return { head: records.head };
    case 1:
      table.delete(key);
      return { deleted: key };
    case 2:
      table.set(key, table.get(tape.pick([...table.keys(), 0])));
      return { replaced: key };
    case 3: {
      const other = tape.pick([...table.keys(), 0]);
      const [one, two] = [table.get(key), table.get(other)];
      table.set(key, two).set(other, one);
      return { swapped: [key, other] };
    }
    default:
      if (table.has(key)) table.set(key, hurt(tape, table.get(key)));
      return { [key]: table.get(key) };
  }
}

/** A record that is another one by a character, a field, or altogether. */
function hurt(tape: Tape, record: unknown): unknown {
  if (tape.once(12)) return drawPosted(tape, true);
  const copy = structuredClone(record) as Record<string, unknown>;
  const key = tape.pick(Object.keys(copy));
  const value = copy[key];
  switch (tape.below(4)) {
    case 0:
    case 1:
      copy[key] = typeof value === "string" ? bendText(tape, value) : tape.pick(NUMBERS);
      return copy;
    case 2:
      copy[key] = drawPosted(tape, true);
      return copy;
    default:
      Reflect.deleteProperty(copy, key);
      return copy;
  }
}

async function giveForged(tape: Tape, look: Look, base: Base): Promise<void> {
  const records = copyOf(base.records);
  const what = forge(tape, records);
  look.input({ forged: what });
  try {
    await open(diskOf(records), true);
    look.outcome("taken");
  } catch (thrown) {
    judge(look, thrown, "host/stopped"); // what only shows when it is used stops the host, which says so
  }
}

/** Changes what a record says, and seals it again, with all that follows. */
function forge(tape: Tape, records: MemoryRecords): string {
  const meta = decodeMeta(records.head) as Meta;
  const isSnapshot = records.snapshots.size > 0 && tape.once(2);
  const table = isSnapshot ? records.snapshots : records.batches;
  const keys = [...table.keys()];
  const key = isSnapshot ? (keys.at(-1) ?? 0) : tape.pick(keys.length > 0 ? keys.slice(-20) : [0]);
  const record = table.get(key) as Sealed | undefined;
  if (!record) return "";
  const text = bendRecord(tape, record.text);
  table.set(key, { ...record, text });
  reseal(records, meta);
  return text;
}

function bendRecord(tape: Tape, text: string): string {
  if (tape.once(8)) return bendText(tape, text);
  const value = JSON.parse(text) as unknown;
  if (Array.isArray(value) && tape.once(3)) {
    const event = tape.pick(value as Record<string, unknown>[]);
    if (tape.once(2))
      withKey(
        event,
        tape.pick(["type", "at", "data"]),
        tape.pick([drawPosted(tape, true), "task.created", "toString", drawText(tape)]),
      );
    else value.splice(tape.below(value.length), 1);
    return textOf(value);
  }
  return textOf(bend(tape, value));
}

function reseal(records: MemoryRecords, meta: Meta): void {
  let mark = meta.base;
  const chains = new Map([[mark.seq, mark.chain]]);
  for (const [from, value] of records.batches) {
    const batch = value as BatchRecord;
    if (batch.to <= mark.seq) continue;
    const sealed = sealBatch(mark.chain, batch);
    records.batches.set(from, sealed);
    mark = { seq: sealed.to, chain: sealed.sum };
    chains.set(mark.seq, mark.chain);
  }
  const snapshots = meta.snapshots.map(({ seq, chain }) => ({ seq, chain: chains.get(seq) ?? chain }));
  for (const at of snapshots) {
    const { text } = records.snapshots.get(at.seq) as Sealed;
    records.snapshots.set(at.seq, seal(snapshotLabel(at), text));
  }
  records.head = encodeMeta({ ...meta, head: mark, snapshots });
}
