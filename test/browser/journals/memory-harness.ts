/** The conformance suite's harness over memory, for browsers and Node. */
import {
  createMemoryDisk,
  createMemoryJournal,
  type MemoryFault,
  type MemoryWrite,
} from "../../../src/plugins/journals/index.ts";
import type { ConformanceOptions, JournalHarness } from "../../../src/testing.ts";

/** What memory can't be made to do, with the reason. */
export const cannotInMemory: NonNullable<ConformanceOptions["cannot"]> = {
  wipe: "a disk in memory always tells",
  disconnect: "memory has no connection",
  block: "memory has no versions",
  upgrade: "memory has no versions",
};

/** Makes a harness over an empty disk. */
export function openMemoryHarness(): JournalHarness {
  const disk = createMemoryDisk();
  const now = (act: () => void): Promise<void> => {
    act();
    return Promise.resolve();
  };
  const once = (fault: MemoryFault, verb: MemoryWrite["verb"]): Promise<void> =>
    now(() =>
      disk.fail((write) => {
        if (write.verb !== verb) return undefined;
        disk.fail();
        return fault;
      }),
    );
  return {
    journal: () => createMemoryJournal({ disk }),
    corrupt: (damage) => now(() => disk.corrupt(damage)),
    full: (on) => now(() => (disk.capacity = on ? disk.used : Number.POSITIVE_INFINITY)),
    clear: () => now(() => disk.clear()),
    loseReply: () => once("fail-after", "append"),
    interruptCompact: () => once("no-trim", "compact"),
    close: () => now(() => disk.clear()),
  };
}
