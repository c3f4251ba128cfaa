/** The audit log against the journal: a batch that isn't the one that was decided is found, as long as it is there. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { verifyLog } from "../../../src/client/audit.ts";
import type { AuditVerdict } from "../../../src/core/audit/verify.ts";
import { openEngine } from "../../../src/core/engine.ts";
import type { Batch } from "../../../src/core/ports.ts";
import type { PageRequest } from "../../../src/core/protocol.ts";
import { createMemoryDisk, type Damage, type MemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { withAudit } from "../../../src/workers/audit.ts";
import { createChance, seedOf } from "../core/chance.ts";
import { closeSites, connectTo, openSite, type Site } from "../host/site.ts";

const create = (id: string): PageRequest => ({
  type: "task.create",
  data: { id, capabilities: ["a"], input: '"pay 10"' },
});

const verify = (site: Site): Promise<AuditVerdict> => verifyLog(connectTo(site));

async function written(disk: MemoryDisk, count = 6): Promise<Site> {
  const site = await openSite({ disk });
  for (let at = 0; at < count; at++) await site.command(create(`t${String(at)}`));
  return site;
}

/** The same log over a journal in which one batch says something else, and which is whole in itself. */
async function forge(batches: readonly Batch[], change: (text: string, at: number) => string): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const journal = createMemoryJournal({ disk });
  await journal.open();
  for (const [at, batch] of batches.entries())
    await journal.append(batch.from - 1, { ...batch, text: change(batch.text, at) });
  await journal.close();
  return disk;
}

/** As an engine that makes a snapshot every few events. */
async function compacted(disk: MemoryDisk): Promise<void> {
  const journal = withAudit(createMemoryJournal({ disk }));
  const chance = createChance(1);
  const engine = await openEngine({
    journal,
    clock: () => 1,
    random: chance.next,
    ids: () => chance.next().toString(36),
    defer: queueMicrotask,
    audited: true,
    snapshotEvery: 5,
  });
  for (let at = 0; at < 40; at++) {
    engine.submit([create(`c${String(at)}`) as never]);
    await new Promise((done) => {
      engine.whenDurable(done);
    });
  }
  engine.stop();
}

describe("the audit log and the journal", () => {
  afterEach(closeSites);

  it("are compared batch by batch, and the verdict says how many were there", async () => {
    const site = await written(createMemoryDisk());
    const verdict = await verify(site);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.deepEqual([verdict.batches, verdict.lines], [site.batches.length, site.batches.length]);
  });

  it("are compared as far as snapshots have let go of nothing", async () => {
    const disk = createMemoryDisk();
    await compacted(disk);
    const site = await written(disk);
    const verdict = await verify(site);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.ok(verdict.batches >= 7 && verdict.batches < verdict.lines, JSON.stringify(verdict));
  });

  it("don't agree when any batch was changed, though the journal is whole in itself", async () => {
    const { batches } = await written(createMemoryDisk());
    const seed = seedOf(808);
    const chance = createChance(seed);
    for (const victim of batches.keys()) {
      const change = (text: string, at: number): string => {
        if (at !== victim) return text;
        const time = text.indexOf('"at":') + 5 + chance.below(8); // a digit of a moment: a valid event still
        return text.slice(0, time) + String((Number(text[time]) + 1) % 10) + text.slice(time + 1);
      };
      const site = await openSite({ disk: await forge(batches, change) });
      assert.deepEqual(
        await verify(site),
        { ok: false, line: victim + 1, problem: "the journal's batch is not the one that was decided" },
        `seed ${String(seed)}`,
      );
    }
    const same = await openSite({ disk: await forge(batches, (text) => text) });
    assert.ok((await verify(same)).ok);
  });

  it("don't agree when the journal ends before the log, or holds fewer batches", async () => {
    const { batches } = await written(createMemoryDisk());
    const whole = await openSite({ disk: await forge(batches, (text) => text) });
    const { ask } = connectTo(whole);
    const shorter = {
      ask: async (query: unknown) => {
        const found = (await ask(query as never)) as unknown[];
        return (query as { batches?: boolean }).batches ? found.slice(0, 3) : found;
      },
    } as never;
    let asked = 0;
    const ended = {
      ask: async (query: unknown) =>
        (query as { batches?: boolean }).batches && asked++ > 0 ? [] : (shorter as typeof whole).ask(query),
    } as never;
    assert.deepEqual(await verifyLog(ended), { ok: false, line: 4, problem: "the journal doesn't have its batch" });
    assert.ok((await verifyLog(shorter)).ok, "in pieces it is the same");
  });

  for (const damage of [
    "batch-text",
    "batch-torn",
    "batch-missing",
    "batch-foreign",
    "last-missing",
  ] satisfies Damage[])
    it(`don't agree over a journal that is damaged while it is used: ${damage}`, async () => {
      const disk = createMemoryDisk();
      const site = await written(disk);
      disk.corrupt(damage);
      const verdict = await verify(site);
      assert.ok(!verdict.ok && verdict.problem.startsWith("the journal"), JSON.stringify(verdict));
      assert.ok(verdict.line > 1, "the lines before it are right");
    });

  it("are compared from the first batch that is left, when some are let go of meanwhile", async () => {
    const disk = createMemoryDisk();
    const site = await written(disk);
    const { ask } = connectTo(site);
    let asked = 0;
    const connection = {
      ask: async (query: { readonly batches?: boolean; readonly after?: number }): Promise<unknown> => {
        if (!query.batches) return ask(query as never);
        if (++asked === 1) return ((await ask({ ...query } as never)) as unknown[]).slice(0, 2); // a short answer
        if (asked > 2) return ask(query as never);
        await compacted(disk); // another host, which lets go of what comes next
        const next = await openSite({ disk, session: "s2" });
        Object.assign(connection, { ask: connectTo(next).ask });
        return connection.ask(query);
      },
    };
    const verdict = await verifyLog({ ask: (query) => connection.ask(query as never) });
    assert.ok(verdict.ok, JSON.stringify(verdict));
  });
});
