/**
 * The origin's storage: a memory disk behind a queue of its own, as IndexedDB is behind a process of its own. A request
 * takes its time, is carried out wholly or not at all, and its answer is lost with whoever asked.
 */
import { RuntimeError } from "../../core/errors.ts";
import type { ArchiveRow, Batch, BlobStore, Journal, Snapshot } from "../../core/ports.ts";
import { createMemoryDisk, portOf, type MemoryDisk } from "../../plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../plugins/journals/memory.ts";
import type { Process, World } from "./world.ts";

/** What befalls the next write. quota: there is no space; unsaid: it is written, and said to have failed; slow: it takes so long. */
export interface WriteFault {
  readonly kind: "quota" | "unsaid" | "refused" | "slow";
  readonly ms?: number;
}

/** A batch that was written, and by the host of which epoch. */
export interface Written {
  readonly batch: Batch;
  readonly epoch: number;
  /** The highest epoch that was opened before it was written. */
  readonly owner: number;
  readonly by: Process;
}

/** Bytes that the host of an epoch has stored or let go of; kept: it was told that this has failed. */
export interface BlobDeed {
  readonly kind: "put" | "released" | "kept";
  readonly id: string;
  readonly owner: string;
  readonly epoch: number;
}

export interface SimulatedDisk {
  readonly memory: MemoryDisk;
  readonly process: Process;
  /** Every batch that was ever written. */
  readonly history: readonly Written[];
  /** Every snapshot that was ever asked for. */
  readonly snapshots: readonly Snapshot[];
  /** What became of blobs, in order. */
  readonly blobs: readonly BlobDeed[];
  /** The bytes that are there now, by id. */
  readonly bytes: ReadonlyMap<string, { readonly owner: string; readonly bytes: Uint8Array }>;
  /** A journal for the process whose turn it is. */
  openJournal(): Journal;
  /** Befalls the next write that is not a read. */
  befall(fault: WriteFault): void;
  /** All that is under way is lost: the whole browser is gone. */
  drop(): void;
}

export interface DiskOptions {
  readonly world: World;
  /** Milliseconds that a request takes, and its answer. */
  delay(): number;
}

export function createSimulatedDisk(options: DiskOptions): SimulatedDisk {
  const { world } = options;
  const memory = createMemoryDisk({ databaseId: () => "simulated" });
  const state: State = {
    ...options,
    process: world.start("disk", "disk"),
    faults: [],
    owner: 0,
    generation: 0,
    snapshots: [],
    blobs: [],
    bytes: portOf(memory).records.blobs,
  };
  const history: Written[] = [];
  let writing: { readonly epoch: number; readonly by: Process } | undefined;
  memory.onAppend((batch) => {
    history.push({ batch, epoch: writing?.epoch ?? 0, owner: state.owner, by: writing?.by ?? state.process });
  });
  return {
    memory,
    process: state.process,
    history,
    snapshots: state.snapshots,
    blobs: state.blobs,
    bytes: state.bytes,
    openJournal() {
      const by = world.current;
      return createJournal(state, createMemoryJournal({ disk: memory }), (epoch, write) => {
        writing = { epoch, by };
        return write();
      });
    },
    befall: (fault) => void state.faults.push(fault),
    drop() {
      state.generation++;
      state.faults = [];
    },
  };
}

interface State extends DiskOptions {
  readonly process: Process;
  faults: WriteFault[];
  owner: number;
  /** Requests of an earlier one are lost. */
  generation: number;
  readonly snapshots: Snapshot[];
  readonly blobs: BlobDeed[];
  readonly bytes: SimulatedDisk["bytes"];
}

type Verb = "read" | "write";

/** One connection, whose requests are carried out one after the other; those of others may come between. */
interface Line {
  lastAt: number;
}

/** Has the disk do it, and the process that asks hear of it. */
function request<T>(state: State, line: Line, verb: Verb, about: string, work: () => Promise<T>): Promise<T> {
  const { world, process, generation } = state;
  const asker = world.current;
  if (!world.spend()) return new Promise(() => undefined);
  const fault = verb === "write" ? state.faults.shift() : undefined;
  return new Promise((resolve, reject) => {
    const answer = (settle: () => void): void => {
      world.plan(asker, state.delay(), `answer: ${about}`, settle);
    };
    line.lastAt = Math.max(line.lastAt, world.now() + state.delay() + (fault?.ms ?? 0));
    world.plan(process, line.lastAt - world.now(), about, () => {
      if (generation !== state.generation) return;
      if (fault?.kind === "quota" || fault?.kind === "refused") {
        answer(() => {
          reject(failureOf(fault));
        });
        return;
      }
      work().then(
        (value) => {
          answer(() => {
            if (fault?.kind === "unsaid") reject(failureOf(fault));
            else resolve(value);
          });
        },
        (error: unknown) => {
          answer(() => {
            reject(error instanceof Error ? error : new Error(String(error)));
          });
        },
      );
    });
  });
}

function failureOf({ kind }: WriteFault): RuntimeError {
  const code = kind === "quota" ? "journal/quota" : "journal/unavailable";
  return new RuntimeError(code, { reason: `the simulation's disk: ${kind}` });
}

type Owned = (epoch: number, write: () => Promise<void>) => Promise<void>;

function createJournal(state: State, inner: Journal, owned: Owned): Journal {
  let epoch = 0;
  const line: Line = { lastAt: 0 };
  const { blobs, audit } = inner;
  const read = <T>(about: string, work: () => Promise<T>): Promise<T> => request(state, line, "read", about, work);
  const write = <T>(about: string, work: () => Promise<T>): Promise<T> => request(state, line, "write", about, work);
  return {
    open: () =>
      read("the journal is opened", async () => {
        const opening = await inner.open();
        state.owner = Math.max(state.owner, opening.epoch);
        epoch = opening.epoch;
        return opening;
      }),
    append: (head, batch) =>
      write(`events ${String(batch.from)} to ${String(batch.to)} are written`, () =>
        owned(epoch, () => inner.append(head, batch)),
      ),
    async *read(after) {
      yield* await read("the journal is read", async () => {
        const batches: Batch[] = [];
        for await (const batch of inner.read(after)) batches.push(batch);
        return batches;
      });
    },
    compact: (snapshot) =>
      write(`a snapshot at ${String(snapshot.seq)}`, () => {
        state.snapshots.push(snapshot);
        return inner.compact(snapshot);
      }),
    archived: (id) => read<ArchiveRow | undefined>(`the archive is asked for ${id}`, () => inner.archived(id)),
    archive: (query) => read("the archive is listed", () => inner.archive(query)),
    blobs: createBlobs(state, blobs, { read, write, epoch: () => epoch }),
    audit: audit && {
      end: () => read("the end of the audit log", () => audit.end()),
      read: (after, limit) => read("the audit log is read", () => audit.read(after, limit)),
    },
    onLost: inner.onLost,
    close: inner.close,
  };
}

type Ask = <T>(about: string, work: () => Promise<T>) => Promise<T>;

interface Asking {
  readonly read: Ask;
  readonly write: Ask;
  readonly epoch: () => number;
}

function createBlobs(state: State, blobs: BlobStore, { read, write, epoch }: Asking): BlobStore {
  const note = (kind: BlobDeed["kind"], owner: string, id = ""): void =>
    void state.blobs.push({ kind, id, owner, epoch: epoch() });
  return {
    async put(id, owner, bytes) {
      try {
        await write(`blob ${id} is written`, async () => {
          await blobs.put(id, owner, bytes);
          note("put", owner, id);
        });
      } catch (error) {
        note("kept", owner); // it may be there all the same
        throw error;
      }
    },
    get: (id, offset, size) => read(`blob ${id} is read`, () => blobs.get(id, offset, size)),
    owners: () => read("blobs' owners are listed", () => blobs.owners()),
    async release(owner) {
      try {
        await write(`blobs of ${owner} are released`, async () => {
          const gone = [...state.bytes].filter(([, blob]) => blob.owner === owner);
          await blobs.release(owner);
          for (const [id] of gone) note("released", owner, id);
        });
      } catch (error) {
        note("kept", owner);
        throw error;
      }
    },
  };
}
