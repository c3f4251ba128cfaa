/** Messages, schedules and versions from the page's calls to a whole host and back. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import * as timing from "../../../src/client/timing.ts";
import type { RuntimeError } from "../../../src/core/errors.ts";
import type { Workflow, WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { closeSites, connectTo, openSite, type Site } from "./site.ts";

type Connection = Parameters<typeof timing.publish>[0];

const waiting: WorkflowInput = {
  id: "w",
  nodes: [
    { id: "word", type: "event", name: "word", key: "input" },
    { id: "pause", type: "timer", for: 1 },
  ],
  edges: [{ from: "word", to: "pause" }],
  output: "nodes.word.output.payload",
};

const isCode =
  (code: string) =>
  (error: unknown): boolean =>
    (error as RuntimeError).code === code;

async function open(...definitions: readonly WorkflowInput[]): Promise<{ site: Site; page: Connection }> {
  const site = await openSite();
  for (const definition of definitions) {
    const text = JSON.stringify(definition);
    assert.deepEqual((await site.command({ type: "workflow.register", data: { text } })).refused, []);
  }
  return { site, page: connectTo(site) };
}

describe("a page", () => {
  afterEach(closeSites);

  it("publishes a message for a run that waits", async () => {
    const { site, page } = await open(waiting);
    await timing.publish(page, "word", { early: true }, { key: "7", id: "m" });
    await timing.publish(page, "word", { again: true }, { key: "7", id: "m" });
    await site.command({ type: "execution.start", data: { id: "e", workflow: "w", input: "7" } });
    await site.until(() => site.events().some(({ type }) => type === "execution.completed"));
    const ended = site.events().flatMap(({ type, data }) => (type === "execution.completed" ? [data.output] : []));
    assert.deepEqual(ended, ['{"early":true}']);
    await assert.rejects(timing.publish(page, "word", 1, { ttl: -1 }), isCode("command/invalid"));
    await assert.rejects(timing.publish(page, "word", "x".repeat(300_000)), isCode("json/too-large"));
  });

  it("sets a schedule whose runs begin, sees it, and ends it", async () => {
    const { site, page } = await open(waiting);
    const options = { id: "s", workflow: "w", cron: "* * * * * *", input: 5, overlap: "allow" } as const;
    await timing.schedule(page, options);
    await timing.schedule(page, options);
    await site.until(() => site.events().some(({ type }) => type === "schedule.fired"));
    const [seen, ...others] = await timing.schedules(page);
    assert.equal(others.length, 0);
    assert.deepEqual([seen?.id, seen?.input, seen?.timeZone, seen?.catchUp], ["s", 5, "UTC", "one"]);
    assert.ok(seen && seen.fired >= 1 && seen.running.length >= 1);
    await timing.unschedule(page, "s");
    assert.deepEqual(await timing.schedules(page), []);
    assert.equal(site.events().filter(({ type }) => type === "schedule.set").length, 1);
    await assert.rejects(timing.unschedule(page, "s"), isCode("schedule/unknown"));
    await assert.rejects(timing.schedule(page, { ...options, cron: "soon" }), isCode("schedule/invalid"));
    await assert.rejects(timing.schedule(page, { ...options, window: 1 }), isCode("command/invalid"));
    assert.equal((await timing.nextFireTimes(page, "@daily")).length, 10);
  });

  it("lists versions, rolls back, and has a run change its version, after a look at what that does", async () => {
    const nodes = [...waiting.nodes, { id: "new", type: "timer", for: 1 } as const];
    const edges = [...(waiting.edges ?? []), { from: "pause", to: "new" }];
    const more: WorkflowInput = { ...waiting, title: "more", nodes, edges };
    const { site, page } = await open(waiting, more);
    const [one, other] = await timing.versions(page, "w");
    const [latest, first] = one?.active ? [one, other] : [other, one];
    assert.equal((latest?.definition as Workflow | undefined)?.title, "more");
    await site.command({ type: "execution.start", data: { id: "e", workflow: "w", input: "7" } });
    const to = first?.version ?? "";
    await timing.rollback(page, "w", to);
    const active = (await timing.versions(page, "w")).map(({ version, active: is, withdrawn }) => [
      version,
      is,
      withdrawn,
    ]);
    assert.deepEqual(new Map(active.map(([version, ...rest]) => [version, rest])).get(to), [true, false]);
    const preview = await timing.migrate(page, "e", to, { dryRun: true });
    assert.deepEqual([preview.running, preview.blocks, preview.to], [["word"], [], to]);
    assert.ok(!site.events().some(({ type }) => type === "execution.migrated"));
    assert.deepEqual(await timing.migrate(page, "e", to), preview);
    assert.ok(site.events().some(({ type }) => type === "execution.migrated"));
    await assert.rejects(timing.versions(page, "none"), isCode("workflow/unknown"));
    await assert.rejects(timing.rollback(page, "w", "none"), isCode("workflow/unknown"));
    await assert.rejects(timing.migrate(page, "none", to), isCode("execution/unknown"));
  });
});
