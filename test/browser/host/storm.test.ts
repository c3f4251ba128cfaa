/** Chance against the protocol: whatever happens to hosts, pages and workers, each task is done once and none hangs. */
import { expect } from "chai";
import { deleteJournal, eventsOf, type Told } from "../../fixtures/host/page.ts";
import { createStorm } from "../../fixtures/host/storm.ts";

const ROUNDS = 8;

/** `SEED=…` before the command plays a run again. */
async function seedOf(): Promise<number> {
  const given = Number(await (await fetch("/seed")).text());
  return Number.isNaN(given) ? Math.floor(Math.random() * 2 ** 31) : given;
}

function idsOf(events: readonly Told[], wanted: string): string[] {
  return events.filter(({ type }) => type === wanted).map(({ data }) => String(data["id"]));
}

describe("a storm of chance", () => {
  for (const kind of ["shared", "elected", "page"] as const)
    it(`over ${kind} hosts leaves no task undone, and none done twice`, async () => {
      const seed = await seedOf();
      const deadline = performance.now() + 20_000;
      try {
        const storm = await createStorm(kind, seed);
        try {
          for (let round = 0; round < ROUNDS; round++) await storm.round();
          await storm.calm(deadline);
        } finally {
          await storm.end();
        }
        const events = await eventsOf(storm.name);
        await deleteJournal(storm.name);
        const completed = idsOf(events, "task.completed");
        expect(completed.length, "each once").to.equal(new Set(completed).size);
        const due = [...storm.acknowledged].filter((id) => !storm.doomed.has(id));
        expect(completed).to.include.members(due);
        expect(idsOf(events, "task.created")).to.include.members(completed);
      } catch (error) {
        throw new Error(`SEED=${String(seed)}: ${String(error)}`, { cause: error });
      }
    }).timeout(60_000);
});
