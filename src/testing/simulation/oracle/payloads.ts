/**
 * Rules of what lies beside the journal: bytes that a record names are there, whole, for as long as it may be read; bytes
 * of a checkpoint go when another takes its place, or its task has ended. And no secret lies anywhere.
 */
import type { SimulatedDisk, Written } from "../disk.ts";
import { textOf, type Claim, type JournalEvent } from "./rule.ts";

/** What every secret of a simulation has in it, and nothing else has: no way of writing JSON changes it. */
export const CANARY = "c4n4ry";

/** Stands before and behind a reference. */
const MARK = "\u001a";

interface Ref {
  readonly blob: string;
  readonly size: number;
}

export interface PayloadRules {
  /** Looks at what a batch is written with. */
  batch(written: Written): void;
  /** An event of a batch that was written by the host of the epoch; `isMarked` when there may be references in it. */
  event(event: JournalEvent, epoch: number, isMarked: boolean): void;
  /** The text, with the bytes that it refers to in their places. */
  whole(text: string): string;
  /** Looks at what has become of blobs and snapshots since. */
  look(): void;
  /** What holds when all have had time for what they do last; `epoch` is of the host that is there. */
  checkRest(epoch: number): void;
}

interface State {
  readonly claim: Claim;
  readonly disk: Pick<SimulatedDisk, "blobs" | "bytes" | "snapshots">;
  /** Named by what stays. */
  readonly kept: Set<string>;
  /** Named by the present checkpoint of a task, by task, and the other way round. */
  readonly present: Map<string, string>;
  readonly presentOf: Map<string, string>;
  /** Of checkpoints that nobody needs any more: the host that made it so. */
  readonly freed: Map<string, number>;
  seenBlobs: number;
  seenSnapshots: number;
}

export function createPayloadRules(claim: Claim, disk: State["disk"]): PayloadRules {
  const state: State = {
    claim,
    disk,
    kept: new Set(),
    present: new Map(),
    presentOf: new Map(),
    freed: new Map(),
    seenBlobs: 0,
    seenSnapshots: 0,
  };
  return {
    batch({ batch: { text, archive, acts = "", line } }) {
      checkText(claim, "an event", text);
      checkText(claim, "the audit log", acts + (line?.text ?? ""));
      for (const row of archive) checkText(claim, "the archive", row.text);
    },
    event({ type, data }, epoch, isMarked) {
      const id = textOf(data["id"]);
      const { code } = Object(data["error"]) as { readonly code?: unknown };
      claim(
        code !== "secret/not-granted",
        "secrets",
        () => `task ${id} was given to an agent that isn't granted its secret`,
      );
      if (type === "task.checkpointed") {
        free(state, id, epoch);
        for (const ref of isMarked ? refsIn(data) : []) {
          need(state, ref, `the checkpoint of ${id}`);
          state.present.set(id, ref.blob);
          state.presentOf.set(ref.blob, id);
        }
        return;
      }
      for (const ref of isMarked ? refsIn(data) : []) {
        need(state, ref, `${type} of ${id}`);
        state.kept.add(ref.blob);
      }
      if (ENDS.has(type) && data["retryAt"] === undefined) free(state, id, epoch);
    },
    whole: (text) =>
      text
        .split(MARK)
        .map((part, place) => (place % 2 === 0 ? part : read(state, JSON.parse(part) as Ref)))
        .join(""),
    look() {
      look(state);
    },
    checkRest(epoch) {
      look(state);
      checkRest(state, epoch);
    },
  };
}

function checkRest({ claim, disk, kept, presentOf, freed }: State, epoch: number): void {
  for (const blob of [...kept, ...presentOf.keys()])
    claim(disk.bytes.has(blob), "payloads", () => `blob ${blob} is named, and isn't there at rest`);
  for (const { kind, id, owner, epoch: by } of disk.blobs) {
    const isSpare = kind === "put" && CHECKPOINT.test(owner) && !presentOf.has(id);
    const isLeft = isSpare && by === epoch && (freed.get(id) ?? epoch) === epoch && disk.bytes.has(id);
    const isRefused = disk.blobs.some((other) => other.kind === "kept" && other.owner === owner);
    claim(!isLeft || isRefused, "payloads", () => `blob ${id} of a checkpoint that nobody needs is still there`);
  }
}

const ENDS: ReadonlySet<string> = new Set(["task.completed", "task.failed", "task.cancelled", "task.skipped"]);

/** How the bytes of a checkpoint are owned: by the task, the attempt and the call. */
const CHECKPOINT = /#\d+\.\d+$/u;

/** No secret stands in the text. */
export function checkText(claim: Claim, where: string, text: string): void {
  claim(!text.includes(CANARY), "secrets", () => {
    const at = text.indexOf(CANARY);
    return `a secret stands in ${where}: ${text.slice(Math.max(0, at - 80), at + 40)}`;
  });
}

function need({ claim, disk, freed }: State, { blob, size }: Ref, by: string): void {
  const found = disk.bytes.get(blob);
  claim(found?.bytes.byteLength === size, "payloads", () => {
    const there = found ? `has ${found.bytes.byteLength} bytes` : "isn't there";
    return `${by} names blob ${blob} of ${size} bytes, which ${there}`;
  });
  claim(!freed.has(blob), "payloads", () => `${by} names blob ${blob}, which was given up before`);
}

function free({ present, presentOf, freed }: State, task: string, epoch: number): void {
  const blob = present.get(task);
  if (blob === undefined) return;
  present.delete(task);
  presentOf.delete(blob);
  freed.set(blob, epoch);
}

function read({ disk }: State, { blob, size }: Ref): string {
  const found = disk.bytes.get(blob);
  return found ? decode(found.bytes.subarray(0, size)) : `(blob ${blob} is gone)`;
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function look(state: State): void {
  const { claim, disk, kept, presentOf } = state;
  for (; state.seenBlobs < disk.blobs.length; state.seenBlobs++) {
    const { kind, id, owner } = disk.blobs[state.seenBlobs] ?? {};
    if (id === undefined || kind === "kept") continue;
    if (kind === "put")
      checkText(claim, `a blob of ${owner ?? ""}`, decode(disk.bytes.get(id)?.bytes ?? new Uint8Array()));
    else claim(!kept.has(id) && !presentOf.has(id), "payloads", () => `blob ${id} was let go of, and is named`);
  }
  for (; state.seenSnapshots < disk.snapshots.length; state.seenSnapshots++)
    checkText(claim, "a snapshot", disk.snapshots[state.seenSnapshots]?.text ?? "");
}

/** All references in the texts of an event. */
function refsIn(value: unknown): Ref[] {
  if (typeof value === "string")
    return value.split(MARK).flatMap((part, place) => (place % 2 === 1 ? [JSON.parse(part) as Ref] : []));
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(refsIn) : [];
}
