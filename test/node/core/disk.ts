/** The memory disk with what tests look at: all that was ever written on it. */
import { applyEvent, createState, restoreState, type CoreEvent, type CoreState } from "../../../src/core/runtime.ts";
import { decodeEvents } from "../../../src/core/events.ts";
import type { Kit } from "../../../src/core/kernel.ts";
import type { ArchiveRow, Batch } from "../../../src/core/ports.ts";
import { createMemoryDisk, type MemoryDisk, type MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";

export interface Disk {
  readonly memory: MemoryDisk;
  /** Every batch that was ever appended, compacted or not. */
  readonly history: readonly Batch[];
  /** Every row that was ever archived, in the order of writing. */
  readonly archived: readonly ArchiveRow[];
  /** Sequence number of the last event. */
  readonly head: number;
}

/** Says what befalls a write; a promise holds it back. */
export type Gate = (verb: "append" | "compact") => MemoryFault | undefined | Promise<MemoryFault | undefined>;

export function createDisk(): Disk {
  const memory = createMemoryDisk({ databaseId: () => "memory" });
  const history: Batch[] = [];
  const archived: ArchiveRow[] = [];
  memory.onAppend((batch) => {
    history.push(batch);
    archived.push(...batch.archive);
  });
  return {
    memory,
    history,
    archived,
    get head() {
      return history.at(-1)?.to ?? 0;
    },
  };
}

/** All events that were ever written. */
export function eventsOf({ history }: Disk): CoreEvent[] {
  return history.flatMap(({ text }) => [...decodeEvents(text)]);
}

/** What a new owner would read: the snapshot and the tail, folded. */
export async function readState({ memory }: Disk, kit: Kit): Promise<CoreState> {
  const journal = createMemoryJournal({ disk: memory });
  const { snapshot } = await journal.open();
  const state = createState(kit);
  if (snapshot) restoreState(state, snapshot.text);
  for await (const { text } of journal.read(snapshot?.seq ?? 0))
    for (const event of decodeEvents(text)) applyEvent(state, event);
  return state;
}
