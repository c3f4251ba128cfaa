/** The audit log: chained, written with its batch, cut without a break; and whatever is done to an export is found. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, describe, it } from "node:test";
import { verifyLog } from "../../../src/client/audit.ts";
import { exportAudit, verifyAudit, type AuditHead, type AuditLine } from "../../../src/core/audit/verify.ts";
import { openEngine, type Engine } from "../../../src/core/engine.ts";
import type { Journal } from "../../../src/core/ports.ts";
import type { CoreCommand } from "../../../src/core/runtime.ts";
import { createMemoryDisk, type MemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { all } from "../../../src/testing/claims.ts";
import { sha256, withAudit, type AuditOptions } from "../../../src/workers/audit.ts";
import { auditScript, runAuditScript } from "../../harness/audit-script.ts";
import { createChance, seedOf } from "../core/chance.ts";
import { closeSites, openRunning, openSite } from "../host/site.ts";

type Act = Readonly<Record<string, unknown>>;
type Line = AuditLine & { readonly acts: readonly Act[] };

afterEach(closeSites);

async function open(disk: MemoryDisk, options?: AuditOptions): Promise<{ engine: Engine; journal: Journal }> {
  const journal = withAudit(createMemoryJournal({ disk }), options);
  const chance = createChance(1);
  let now = 1_700_000_000_000;
  const engine = await openEngine({
    journal,
    clock: () => ++now,
    random: chance.next,
    ids: () => chance.next().toString(36).slice(2),
    defer: queueMicrotask,
    audited: true,
  });
  return { engine, journal };
}

function decide(engine: Engine, ...commands: CoreCommand[]): Promise<void> {
  engine.submit(commands, "page:p");
  return new Promise((done) => {
    engine.whenDurable(() => {
      done();
    });
  });
}

const create = (id: string): CoreCommand => ({
  type: "task.create",
  data: { id, capabilities: ["a"], input: `"secret ${id}"` },
});

async function linesOf({ audit }: Journal): Promise<string[]> {
  assert.ok(audit);
  return all(exportAudit(audit));
}

const verify = (lines: Iterable<string>, anchors: readonly AuditHead[] = []) =>
  verifyAudit(lines, { digest: sha256, anchors });

const runScript = (text: string | Buffer, ...kept: string[]): { ok: boolean; said: string } =>
  runAuditScript(Buffer.from(text), kept);

async function someLog(): Promise<string[]> {
  const { engine, journal } = await open(createMemoryDisk());
  for (const id of ["eins", "zwei", "drei"]) await decide(engine, create(id));
  await decide(engine, { type: "task.cancel", data: { id: "zwei", reason: "a change of mind, für später" } });
  return linesOf(journal);
}

describe("the audit log", () => {
  it("tells who asked for what, when and why, and what came of it, without payloads", async () => {
    const { engine, journal } = await open(createMemoryDisk());
    await decide(engine, create("t1"), create("t1"));
    await decide(engine, { type: "task.cancel", data: { id: "t1", reason: "enough" } });
    const lines = await linesOf(journal);
    const acts = lines.slice(0, -1).flatMap((line) => (JSON.parse(line) as Line).acts);
    assert.deepEqual(
      acts.map((act) => [act["by"], act["do"], act["id"], act["refused"] ?? act["seq"]]),
      [
        ["host", "host.start", "", 1],
        ["page:p", "task.create", "t1", 2],
        ["page:p", "task.create", "t1", "task/duplicate"],
        ["page:p", "task.cancel", "t1", 3],
      ],
    );
    assert.deepEqual(acts[3]?.["with"], { reason: "enough" });
    assert.ok(JSON.stringify(acts[3]).includes('"then":[["task.cancelled","t1"'));
    assert.ok(!lines.join("").includes("secret"));
  });

  it("keeps nothing of refused commands but what it tells, of so many, and says how many more there were", async () => {
    const { engine, journal } = await open(createMemoryDisk());
    const refused: CoreCommand = { type: "task.cancel", data: { id: "nobody" } };
    const flood = { type: "task.dream", data: { id: "x", input: "y".repeat(1_000) } } as unknown as CoreCommand;
    await decide(engine, create("t1"));
    for (let sent = 0; sent < 12_345; sent++) engine.submit([flood], "link:l");
    await decide(engine, create("t2"), refused);
    const acts = (await linesOf(journal)).slice(0, -1).flatMap((line) => (JSON.parse(line) as Line).acts);
    const told = acts.filter((act) => act["do"] === "task.dream");
    const [last] = acts.filter((act) => act["do"] === "acts.omitted");
    const { count } = last?.["with"] as { readonly count: number };
    assert.deepEqual([told.length, count], [10_000, 2_346], "the last refusal is among those that are only counted");
    assert.ok(
      acts.some((act) => act["do"] === "task.create" && act["id"] === "t2"),
      "what makes events is always told",
    );
    assert.ok(!JSON.stringify(acts).includes("yyy"));
  });

  it("binds the batch by its digest, and the line before by its own", async () => {
    const disk = createMemoryDisk();
    const batches: string[] = [];
    disk.onAppend(({ text }) => batches.push(text));
    const { engine, journal } = await open(disk);
    await decide(engine, create("t1"));
    await decide(engine, create("t2"));
    const lines = await linesOf(journal);
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    let prev = "0".repeat(64);
    for (const [at, text] of lines.slice(0, -1).entries()) {
      const line = JSON.parse(text) as Line;
      assert.equal(line.prev, prev);
      assert.equal(line.batch, hash(batches[at] ?? ""));
      prev = hash(text);
    }
    assert.deepEqual(JSON.parse(lines.at(-1) ?? ""), { head: { n: lines.length - 1, hash: prev } });
  });

  it("goes on over hosts that are killed, and holds no line of a batch that isn't there", async () => {
    const disk = createMemoryDisk();
    let at = 0;
    const chance = createChance(seedOf(71));
    const faults = ["refuse", "fail-after", undefined, undefined] as const;
    for (let round = 0; round < 30; round++) {
      disk.fail(({ verb }) => (verb === "append" ? faults[chance.below(4)] : undefined));
      const { engine } = await open(disk);
      try {
        for (let more = 0; more < 4; more++) await decide(engine, create(`t${String(at++)}`));
      } catch {
        continue; // it stopped
      }
    }
    disk.fail();
    const { engine, journal } = await open(disk);
    await decide(engine, create("last"));
    const lines = await linesOf(journal);
    const verdict = await verify(lines);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.deepEqual(verdict.gaps, []);
    assert.equal(verdict.from, 1);
    assert.equal((JSON.parse(lines.at(-2) ?? "") as Line).to, engine.head);
    assert.ok(verdict.lines > 20, String(verdict.lines));
  });

  it("begins where a journal of before ends, and tells of events that were written without it", async () => {
    const disk = createMemoryDisk();
    const plain = async (id: string): Promise<number> => {
      const journal = createMemoryJournal({ disk });
      const { head } = await journal.open();
      const text = `[{"type":"test.done","at":1,"data":{"id":"${id}"}}]`;
      await journal.append(head, { from: head + 1, to: head + 1, at: 1, text, archive: [] });
      return head + 1;
    };
    const before = await plain("old");
    await decide((await open(disk)).engine, create("t1"));
    const gap = await plain("older release");
    const { engine, journal } = await open(disk);
    await decide(engine, create("t2"));
    const verdict = await verify(await linesOf(journal));
    assert.ok(verdict.ok);
    assert.equal(verdict.from, before + 1);
    assert.deepEqual(verdict.gaps, [{ from: gap, to: gap }]);
  });

  it("lets go of the older half with a checkpoint that the chain goes on from, also after a restart", async () => {
    const disk = createMemoryDisk();
    const keep = 5_000;
    const heads: AuditHead[] = [];
    let [most, cuts] = [0, 0];
    for (let round = 0; round < 4; round++) {
      const { engine, journal } = await open(disk, { keep, onAnchor: (head) => heads.push(head) });
      for (let at = 0; at < 40; at++) {
        await decide(engine, create(`t${String(round)}.${String(at)}`));
        const lines = await linesOf(journal);
        const kept = lines.join("").length;
        most = Math.max(most, kept);
        if (lines[0]?.includes("checkpoint")) assert.ok(kept > keep, `only ${String(kept)} are kept`);
        cuts += (JSON.parse(lines.at(-2) ?? "") as Line).cut === undefined ? 0 : 1;
        const verdict = await verify(lines, heads.slice(-2));
        assert.ok(verdict.ok, JSON.stringify(verdict));
      }
      assert.equal(runScript((await linesOf(journal)).map((line) => `${line}\n`).join("")).ok, true);
    }
    assert.ok(cuts > 3, String(cuts));
    assert.ok(most < 2 * keep + 2_000, String(most));
    const { journal } = await open(disk);
    const lines = await linesOf(journal);
    const forged = [
      lines[0]?.replace(/"n":\d+/u, `"n":${String((JSON.parse(lines[3] ?? "") as Line).n)}`),
      ...lines.slice(4),
    ];
    assert.equal((await verify(forged as string[])).ok, false);
    const { n, prev } = JSON.parse(lines[4] ?? "") as Line;
    const front = [JSON.stringify({ checkpoint: { n: n - 1, hash: prev } }), ...lines.slice(4)];
    assert.deepEqual(await verify(front), {
      ok: false,
      line: front.length,
      problem: "no line tells that those before the checkpoint were let go of",
    });
    assert.equal(runScript(front.map((line) => `${line}\n`).join("")).ok, false);
  });

  it("is exported from the beginning again when lines are let go of meanwhile, and never as if it were damaged", async () => {
    const disk = createMemoryDisk();
    const { engine, journal } = await open(disk, { keep: 60_000 });
    for (let at = 0; at < 210; at++) await decide(engine, create(`t${String(at)}`));
    let asked = 0;
    const ask = async (query: { readonly after?: number; readonly batches?: boolean }): Promise<unknown> => {
      if (query.batches) return []; // the journal has let go of all
      if (query.after === undefined) return journal.audit?.end();
      if (++asked === 2) for (let at = 0; at < 400; at++) await decide(engine, create(`more${String(at)}`));
      return journal.audit?.read(query.after, 200);
    };
    const connection = { ask } as unknown as Parameters<typeof verifyLog>[0];
    const verdict = await verifyLog(connection);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.ok(asked > 3 && verdict.from !== 1, "it was cut, and begun again");
  });

  it("finds every byte that is changed", async () => {
    const whole = Buffer.from((await someLog()).map((line) => `${line}\n`).join(""));
    assert.ok((await verify(whole.toString().split("\n").slice(0, -1))).ok);
    for (const [at, byte] of whole.entries())
      for (const other of [byte ^ 1, byte ^ 0x20, 10]) {
        if (other === byte) continue;
        const changed = Buffer.from(whole);
        changed[at] = other;
        const text = changed.toString("utf8");
        if (!text.endsWith("\n")) continue; // the page's form has no last break; the script below looks at it
        const { ok } = await verify(text.split("\n").slice(0, -1));
        assert.equal(ok, false, `byte ${String(at)} as ${String(other)}`);
      }
  });

  it("finds lines that are left out, added, repeated or moved, at the front, the end and anywhere", async () => {
    const lines = await someLog();
    const wrong = new Map<string, string[]>();
    for (const at of lines.keys()) {
      wrong.set(`without ${String(at)}`, lines.toSpliced(at, 1));
      wrong.set(`twice ${String(at)}`, lines.toSpliced(at, 0, lines[at] ?? ""));
      if (at > 0) wrong.set(`moved ${String(at)}`, lines.toSpliced(at - 1, 2, lines[at] ?? "", lines[at - 1] ?? ""));
      if (at > 0) wrong.set(`from ${String(at)}`, lines.slice(at));
      wrong.set(`up to ${String(at)}`, lines.slice(0, at));
      wrong.set(`an own one at ${String(at)}`, lines.toSpliced(at, 0, '{"n":1,"acts":[]}'));
    }
    for (const [name, some] of wrong) assert.equal((await verify(some)).ok, false, name);
    assert.ok((await verify(lines)).ok);
  });

  it("is verified by the script of the docs, which finds the same", async () => {
    const lines = await someLog();
    const whole = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    const { ok, said } = runScript(whole);
    assert.ok(ok, said);
    assert.match(said, /^ok: 6 lines, head 5:/u);
    const chance = createChance(seedOf(72));
    const places = [0, whole.length - 1, ...Array.from({ length: 40 }, () => chance.below(whole.length))];
    for (const at of places) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(runScript(changed).ok, false, `byte ${String(at)}`);
    }
    assert.equal(runScript(lines.slice(0, -1).join("\n") + "\n").ok, false);
    assert.equal(runScript("").ok, false);
    const { n, prev } = JSON.parse(lines[3] ?? "") as Line;
    assert.ok(runScript(whole, `${String(n - 1)}:${prev}`).ok);
    assert.equal(runScript(whole, `${String(n)}:${prev}`).ok, false);
    assert.ok(auditScript().split("\n").length <= 36, "about 30 lines");
  });

  it("shows by a head that was kept elsewhere that all of it was written anew", async () => {
    const kept: AuditHead[] = [];
    const { engine } = await open(createMemoryDisk(), { onAnchor: (head) => kept.push(head) });
    await decide(engine, create("true"));
    const other = await open(createMemoryDisk());
    await decide(other.engine, create("false"));
    const forged = await linesOf(other.journal);
    assert.ok((await verify(forged)).ok, "it is whole in itself");
    assert.deepEqual(await verify(forged, kept.slice(-1)), { ok: false, line: 2, problem: "not what was anchored" });
    assert.equal((await verify(forged, [{ n: 99, hash: "x" }])).ok, false);
  });
});

describe("the audit log of a host", () => {
  it("tells of pages and workers, of what could not be read, and of answers that come too late", async () => {
    const site = await openRunning("t1");
    await site.command({ type: "task.cancel", data: { id: "nobody" } }, { type: "nonsense" } as never);
    site.worker({ kind: "done", task: "t1", attempt: 1, output: "1" });
    await site.ordered("settled");
    site.worker({ kind: "done", task: "t1", attempt: 1, output: "2" });
    await site.ordered("settled");
    await site.command({ type: "task.create", data: { id: "t2", capabilities: ["work"], input: "1" } });
    const end = (await site.ask({ type: "audit" })) as AuditHead;
    const lines = (await site.ask({ type: "audit", after: 0 })) as string[];
    assert.equal(end.n, lines.length);
    assert.ok((await verify([...lines, JSON.stringify({ head: { n: end.n, hash: end.hash } })])).ok);
    const acts = lines.flatMap((line) => (JSON.parse(line) as Line).acts);
    const seen = acts.map((act) => [act["by"], act["do"], act["id"], act["refused"]].filter(Boolean).join(" "));
    for (const one of [
      "page:s1 task.create t1",
      "host link.join",
      "page:s1 unreadable command/invalid",
      "link:l1 task.complete t1",
      "link:l1 task.complete t1 task/finished",
      "page:s1 task.create t2",
    ])
      assert.ok(seen.includes(one), `${one} in ${seen.join("; ")}`);
    assert.equal(seen.filter((one) => one.includes("session.advance")).length, 0);
  });

  it("is not asked of a journal that keeps none", async () => {
    const site = await openSite();
    assert.deepEqual(await site.ask({ type: "audit", after: 10_000 }), []);
    const { audit: _, ...bare } = createMemoryJournal();
    assert.equal(withAudit(bare), bare);
  });
});
