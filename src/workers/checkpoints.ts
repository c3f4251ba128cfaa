/** Checkpoints that are blobs: each is its blob's only owner, so that it can go when another takes its place. */
import type { Engine } from "../core/engine.ts";
import { isSpilled, referTo, refsOf } from "../core/payload/reference.ts";
import type { Journal } from "../core/ports.ts";
import type { CoreEvent } from "../core/runtime.ts";
import { ownerOf, writeBlob } from "./blobs.ts";
import { endedBy } from "./ends.ts";

export interface Checkpoints {
  /** Stores one; gives back the reference to it. */
  write(of: { task: string; attempt: number; call: number }, bytes: Uint8Array): Promise<string>;
  /** Lets go of it unless it is the task's present one: it came too late. */
  check(task: string, value: string): void;
  /** Follows durable events: lets go of what nobody needs any more. */
  follow(events: readonly CoreEvent[]): void;
}

export function createCheckpoints(engine: Engine, journal: Pick<Journal, "blobs">): Checkpoints {
  const { tasks } = engine.state.tasks;
  /** The owners of present ones, by task. */
  const owners = new Map<string, string>();
  const release = (owner: string): void => {
    journal.blobs.release(owner).catch(() => undefined); // it only takes space
  };
  const keep = (id: string, value = ""): void => {
    const before = owners.get(id);
    const owner = isSpilled(value) ? holderOf(value) : undefined;
    if (before !== undefined && before !== owner) release(before);
    if (owner === undefined) owners.delete(id);
    else owners.set(id, owner);
  };
  for (const [id, { checkpoint }] of tasks.entries()) keep(id, checkpoint);
  return {
    async write({ task, attempt, call }, bytes) {
      const whole = ownerOf(engine, task); // its readers may read what begins like this
      return referTo(await writeBlob(journal, `${whole}:${task.slice(whole.length)}#${attempt}.${call}`, bytes));
    },
    check(task, value) {
      if (isSpilled(value) && tasks.get(task)?.checkpoint !== value) release(holderOf(value));
    },
    follow(events) {
      for (const event of events) {
        const { type, data } = event;
        const ended = owners.size > 0 && endedBy(event);
        if (type === "task.checkpointed") keep(data.id, data.value);
        else if (ended) keep(ended);
      }
    },
  };
}

/** The owner of a checkpoint's blob. */
function holderOf(value: string): string {
  const blob = refsOf(value)[0]?.blob ?? "";
  return blob.slice(0, blob.lastIndexOf(":"));
}
