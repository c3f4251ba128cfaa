/** A whole host over a memory disk, with one page and one worker that a test speaks for. */
import assert from "node:assert/strict";
import type { HostFrame as WorkerFrame } from "../../../src/core/agents/protocol.ts";
import type { Connection } from "../../../src/client/connection.ts";
import { decodeError, type ErrorData } from "../../../src/core/errors.ts";
import type { Batch, BlobStore, Journal, Vault } from "../../../src/core/ports.ts";
import type { HostFrame, PageFrame, PageRequest } from "../../../src/core/protocol.ts";
import type { CoreEvent } from "../../../src/core/runtime.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import { PROTOCOL } from "../../../src/core/version.ts";
import { createMemoryDisk, type MemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { startHost, type HostOptions } from "../../../src/workers/host.ts";

type Said<F extends { kind: string }, K extends F["kind"]> = Extract<F, { kind: K }>;

/** A host over a memory disk, one page, and one worker whose frames the page relays. */
export interface Site {
  readonly disk: MemoryDisk;
  readonly batches: readonly Batch[];
  /** All that the page was told. */
  readonly told: readonly HostFrame[];
  events(): CoreEvent[];
  command(...commands: PageRequest[]): Promise<Said<HostFrame, "replies">>;
  ask(query: Said<PageFrame, "query">["query"]): Promise<unknown>;
  /** A worker is up. */
  join(): void;
  /** It is gone. */
  leave(): void;
  /** It has crashed. */
  crash(error: ErrorData): void;
  worker(...frames: unknown[]): void;
  /** The next frame for the worker of that kind that nobody took. */
  ordered<K extends WorkerFrame["kind"]>(kind: K): Promise<Said<WorkerFrame, K>>;
  frame<K extends HostFrame["kind"]>(kind: K): Promise<Said<HostFrame, K>>;
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
  owners(): Promise<readonly string[]>;
  archived(id: string): Promise<Task | undefined>;
  stop(): Promise<void>;
}

const open: Site[] = [];

/** In a browser an engine's own channel goes with its worker; here it would keep the process. */
const channels: MessageChannel[] = [];
const { MessageChannel: PlainChannel } = globalThis;
globalThis.MessageChannel = class extends PlainChannel {
  constructor() {
    super();
    channels.push(this);
  }
};

export async function closeSites(): Promise<void> {
  for (const site of open.splice(0)) await site.stop();
  for (const { port1 } of channels.splice(0)) port1.close();
}

/** Frames that came, to be taken by whoever waits for them. */
function inbox<F extends { kind: string }>(): { add(frame: F): void; take(kind: string): Promise<F> } {
  const frames: F[] = [];
  let wake: (() => void)[] = [];
  return {
    add(frame) {
      frames.push(frame);
      for (const go of wake.splice(0)) go();
    },
    async take(kind) {
      for (;;) {
        const at = frames.findIndex((frame) => frame.kind === kind);
        const [found] = at === -1 ? [] : frames.splice(at, 1);
        if (found) return found;
        await new Promise<void>((resolve) => (wake = [...wake, resolve]));
      }
    },
  };
}

export interface SiteOptions {
  readonly disk?: MemoryDisk;
  readonly blobs?: (blobs: BlobStore) => Partial<BlobStore>;
  readonly vault?: Vault;
  /** Commands of the session so far. */
  readonly sent?: number;
  readonly identify?: HostOptions["identify"];
  /** Events between two snapshots. Default the host's own. */
  readonly snapshotEvery?: number;
  /** The page's session. Default "s1". */
  readonly session?: string;
}

export async function openSite({
  disk = createMemoryDisk(),
  blobs = () => ({}),
  sent = 0,
  vault,
  identify,
  snapshotEvery,
  session = "s1",
}: SiteOptions = {}): Promise<Site> {
  const plain = createMemoryJournal({ disk });
  const journal: Journal = { ...plain, blobs: { ...plain.blobs, ...blobs(plain.blobs) } };
  const batches: Batch[] = [];
  disk.onAppend((batch) => batches.push(batch));
  const told: HostFrame[] = [];
  const host = await startHost({
    journal,
    version: "0.1.0",
    place: "page",
    watchLock: () => () => undefined,
    identify,
    vault,
    snapshotEvery,
  });
  const page = inbox<HostFrame>();
  const worker = inbox<WorkerFrame>();
  const line = host.connect((frame) => {
    if (frame.kind === "relay") for (const each of frame.frames as WorkerFrame[]) worker.add(each);
    else {
      told.push(frame);
      page.add(frame);
    }
  });
  const say = (frame: PageFrame): void => {
    line.receive(frame, []);
  };
  let first = sent + 1;
  let calls = 0;
  const site: Site = {
    disk,
    batches,
    told,
    events: () => batches.flatMap(({ text }) => JSON.parse(text) as CoreEvent[]),
    async command(...commands) {
      say({ kind: "commands", first, acknowledged: first - 1, commands });
      first += commands.length;
      return (await page.take("replies")) as Said<HostFrame, "replies">;
    },
    async ask(query) {
      say({ kind: "query", call: ++calls, query });
      const { value, error } = (await page.take("answer")) as Said<HostFrame, "answer">;
      if (error) throw decodeError(error);
      return value;
    },
    join() {
      say({ kind: "joined", link: "l1", agent: "a@1.0.0" });
    },
    leave() {
      say({ kind: "left", link: "l1", cause: "crashed" });
    },
    crash(error) {
      say({ kind: "left", link: "l1", cause: "crashed", error });
    },
    worker(...frames) {
      say({ kind: "relay", link: "l1", frames });
    },
    ordered: async (kind) => (await worker.take(kind)) as never,
    frame: async (kind) => (await page.take(kind)) as never,
    async until(holds) {
      while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    owners: () => journal.blobs.owners(),
    async archived(id) {
      const row = await journal.archived(id);
      return row && (JSON.parse(row.text) as Task);
    },
    stop: () => host.stop(),
  };
  open.push(site);
  const about = { protocol: PROTOCOL, version: "0.1.0", session, lock: "lock", listening: true };
  say({ kind: "hello", number: 1, ...about });
  await page.take("welcome");
  return site;
}

export const MANIFEST = { name: "a", version: "1.0.0", capabilities: ["work"], url: "/a.js", slots: 4 };

/** With a worker that serves, and a task of this id given to it. */
export async function openRunning(id: string, options?: SiteOptions): Promise<Site> {
  const site = await openSite(options);
  const { refused } = await site.command(
    { type: "agent.register", data: MANIFEST },
    { type: "task.create", data: { id, capabilities: ["work"], input: "1", retry: { base: 1 } } },
  );
  assert.deepEqual(refused, []);
  site.join();
  await site.ordered("run");
  return site;
}

/** As much of a page's connection as calls need that are loaded later. */
export function connectTo(site: Site): Pick<Connection, "command" | "outbox" | "ask"> {
  const sent = new Map<string, ReturnType<Site["command"]>>();
  return {
    command(id, command) {
      sent.set(id, site.command(command));
    },
    outbox: {
      async settled(id = "") {
        const [refusal] = (await sent.get(id))?.refused ?? [];
        if (refusal) throw decodeError(refusal[1]);
      },
    } as Connection["outbox"],
    ask: (query) => site.ask(typeof query === "function" ? query() : query),
  };
}
