/** Secrets: their values are in what a granted worker gets, and in nothing else that is kept, told or logged. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { isSpilled, MAX_INLINE } from "../../../src/core/payload/reference.ts";
import { markOf } from "../../../src/core/tasks/secrets.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { portOf } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryVault } from "../../../src/plugins/vaults/memory.ts";
import { assertNoCanaries, findCanaries, formsOf, listenToConsole } from "./canaries.ts";
import { closeSites, MANIFEST, openSite, type Site, type SiteOptions } from "./site.ts";

const CANARY = 'cañary-"quoted"\\-8461';
const DIGITS = "846100000123";
const mark = markOf("api");

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** What is on the disk, what was told to the page, and whatever else is given: nothing of it has a value, in any form. */
function assertNowhere(site: Site, more: Readonly<Record<string, unknown>> = {}): void {
  const { records } = portOf(site.disk);
  assertNoCanaries([CANARY, DIGITS], { disk: records, batches: site.batches, told: site.told, ...more });
}

async function open(options: SiteOptions = {}, secrets: string[] = ["api", "pin"]): Promise<Site> {
  const vault = createMemoryVault();
  const site = await openSite({ vault, ...options });
  await site.command({ type: "agent.register", data: { ...MANIFEST, secrets } });
  site.join();
  return site;
}

async function set(site: Site): Promise<void> {
  await site.ask({ type: "secret.set", name: "api", value: CANARY });
  await site.ask({ type: "secret.set", name: "pin", value: DIGITS });
}

const call: WorkflowInput = {
  id: "call",
  nodes: [
    {
      id: "ask",
      type: "task",
      capabilities: ["work"],
      input: "{'key': secrets.api, 'q': input.q, 'all': [secrets.pin, {'again': secrets.api}]}",
      retry: { base: 1, cap: 1 },
    },
  ],
};

async function start(site: Site, workflow = call): Promise<void> {
  const { refused } = await site.command(
    { type: "workflow.register", data: { text: JSON.stringify(workflow) } },
    { type: "execution.start", data: { id: "e", workflow: workflow.id, input: JSON.stringify({ q: mark }) } },
  );
  assert.deepEqual(refused, []);
}

describe("secrets", { timeout: 20_000 }, () => {
  afterEach(closeSites);

  it("come to the worker whole, and to nobody else, whatever the worker says", async (test) => {
    const kept: Uint8Array[] = [];
    const said = listenToConsole();
    test.after(said);
    const site = await open({
      snapshotEvery: 1,
      blobs: (blobs) => ({
        put(...given) {
          for (const one of given) if (one instanceof Uint8Array) kept.push(one.slice());
          return blobs.put(...given);
        },
      }),
    });
    await set(site);
    await start(site);
    const first = await site.ordered("run");
    assert.deepEqual(JSON.parse(first.input as string), { key: CANARY, q: mark, all: [DIGITS, { again: CANARY }] });
    let of = { task: "e/ask", attempt: 1 };
    const deep = { [`x${CANARY}`]: [CANARY, `a ${DIGITS} b`, JSON.stringify({ again: CANARY })] };
    const answered = async (frame: object): Promise<string | undefined> => {
      site.worker({ call: 1, ...of, ...frame });
      return (await site.ordered("answer")).error?.code;
    };
    site.worker({ kind: "log", ...of, level: "info", message: `it is ${CANARY}` });
    site.worker({ kind: "progress", ...of, fraction: 0.5, note: CANARY });
    await site.frame("signals");
    assert.equal(await answered({ kind: "stream", at: 0, items: [JSON.stringify(deep)] }), undefined);
    assert.equal(await answered({ kind: "checkpoint", value: JSON.stringify(deep) }), undefined);
    assert.equal(await answered({ kind: "checkpoint", value: bytesOf([deep, "x".repeat(MAX_INLINE)]) }), undefined);
    assert.equal(await answered({ kind: "effect", key: "n", value: `[${DIGITS}]` }), undefined);
    assert.equal(await answered({ kind: "effect", key: "k", value: JSON.stringify(CANARY) }), undefined);
    const payload = JSON.stringify({ status: CANARY, deep });
    const data = { id: "m", type: "status_update", recipient: "inbox", correlation: CANARY, payload };
    assert.equal(await answered({ kind: "mail", ask: { type: "mail.send", data } }), undefined);
    assert.equal(await answered({ kind: "write", bytes: new TextEncoder().encode(`a ${CANARY}`) }), "secret/leaked");
    assert.equal(await answered({ kind: "write", bytes: new TextEncoder().encode("harmless") }), undefined);
    const cause = { name: "E", message: CANARY, code: "inner" };
    site.worker({
      kind: "failed",
      ...of,
      error: { name: "E", message: `no: ${CANARY}`, code: "x", stack: CANARY, detail: deep, cause },
    });
    await site.ordered("settled");
    const second = await site.ordered("run");
    assert.deepEqual([second.attempt, second.effects], [2, { n: JSON.stringify(mark), k: JSON.stringify(mark) }]);
    of = { task: "e/ask", attempt: 2 };
    site.crash({ name: "Error", message: `died of ${CANARY}`, code: "agent/crashed" });
    site.join();
    const third = await site.ordered("run");
    site.worker({
      kind: "done",
      task: "e/ask",
      attempt: third.attempt,
      output: bytesOf([deep, "x".repeat(MAX_INLINE)]),
    });
    await site.ordered("settled");
    const task = await site.archived("e/ask");
    assert.deepEqual([task?.status, isSpilled(task?.output ?? "")], ["completed", true]);
    assert.deepEqual(JSON.parse(task?.input ?? ""), { key: mark, q: mark, all: [markOf("pin"), { again: mark }] });
    assert.ok(kept.length >= 3, "a checkpoint, bytes and the output are blobs");
    assert.deepEqual(findCanaries([CANARY], { kept: [new TextEncoder().encode(CANARY)] }).length > 0, true);
    assert.deepEqual(await site.ask({ type: "secret.list" }), ["api", "pin"]);
    const asked: unknown[] = [];
    for (const query of [
      { type: "archived", id: "e/ask" },
      { type: "archive", limit: 10 },
      { type: "dead-letters" },
      { type: "audit", after: 0 },
      { type: "standing", id: "e" },
    ]) {
      asked.push(await site.ask(query as never).catch((error: unknown) => error));
    }
    assert.deepEqual(asked.filter((answer) => answer instanceof Error).map(String), []);
    const { records } = portOf(site.disk);
    assert.ok(
      records.audit.size > 0 && records.archive.length > 0 && records.blobs.size > 0,
      "there is what is searched",
    );
    await site.stop();
    const restarted = await openSite({ disk: site.disk, vault: createMemoryVault(), session: "s2" });
    assertNowhere(site, { kept, asked, restarted: restarted.told, console: said() });
    const text = site.batches.map((batch) => batch.text).join();
    assert.ok(text.includes(`no: ${mark}`) && text.includes(`died of ${mark}`), "the marks show where they stood");
  });

  it("would be found: the search sees every form, in whatever holds it", () => {
    for (const [form, bytes] of formsOf(CANARY)) {
      const around = Buffer.concat([Buffer.from("before "), bytes, Buffer.from(" after")]);
      for (const holder of [
        around,
        new Map([[1, { deep: [around] }]]),
        { list: [around.buffer.slice(around.byteOffset, around.byteOffset + around.length)] },
      ])
        assert.ok(findCanaries([CANARY], { holder }).length > 0, form);
    }
    for (const before of ["", "a", "ab"])
      assert.ok(findCanaries([CANARY], { text: Buffer.from(`${before}${CANARY}!`).toString("base64") }).length > 0);
    assert.ok(findCanaries([CANARY], { error: new Error(`no: ${CANARY}`) }).length > 0);
    assert.ok(findCanaries([DIGITS], { number: { [DIGITS]: 1 } }).length > 0);
    assert.deepEqual(findCanaries([CANARY], { harmless: [mark, "ca", 1n, null, new Error("e")] }), []);
  });

  it("are none where only the mark stands: it can't be forged by a value", async () => {
    const site = await open();
    await set(site);
    const data = { id: "t", capabilities: ["work"], input: JSON.stringify({ key: mark, $secret: "api" }) };
    await site.command({ type: "task.create", data });
    assert.equal((await site.ordered("run")).input, data.input);
  });

  it("are given to a task that names their places, and refused where the place isn't there", async () => {
    const site = await open();
    await set(site);
    const data = { capabilities: ["work"], input: '{"a":[null,1]}', retry: { maxAttempts: 1 } };
    const create = (id: string, at: (string | number)[]): Promise<unknown> =>
      site.command({ type: "task.create", data: { ...data, id, secrets: [{ name: "api", at }] } });
    await create("there", ["a", 0]);
    assert.deepEqual(JSON.parse((await site.ordered("run")).input as string), { a: [CANARY, 1] });
    await create("whole", []);
    assert.equal(JSON.parse((await site.ordered("run")).input as string), CANARY);
    for (const at of [["b"], ["a", 2], ["a", "length"], ["__proto__"], ["a", 0, "x"]]) {
      const id = `not-${at.join("-")}`;
      await create(id, at);
      await site.until(async () => (await site.archived(id)) !== undefined);
      assert.equal((await site.archived(id))?.error?.code, "task/input-invalid");
    }
    site.worker({ kind: "done", task: "whole", attempt: 1, output: "1" });
    await site.ordered("settled");
    assertNowhere(site);
  });

  it("are waited for by tasks that no granted agent serves, and missed clearly", async () => {
    const site = await open({}, ["pin"]);
    await set(site);
    await start(site);
    const warned = site
      .events()
      .flatMap(({ type, data }) => (type === "workflow.registered" ? (data.warnings ?? []) : []));
    assert.match(warned.find(({ code }) => code === "capability-unknown")?.message ?? "", /work and the secret api/u);
    const why = (await site.ask({ type: "why", id: "e/ask" })) as { readonly reason: string; readonly text: string };
    assert.equal(why.reason, "capability");
    assert.match(why.text, /would match if it were granted the secret api/u);
    await site.ask({ type: "secret.delete", name: "pin" });
    await site.command({ type: "agent.register", data: { ...MANIFEST, secrets: ["api", "pin"], replace: true } });
    await site.until(async () => (await site.archived("e/ask")) !== undefined);
    const { error, attempts } = (await site.archived("e/ask")) ?? {};
    assert.deepEqual([error?.code, error?.detail?.["secret"], attempts?.length], ["secret/unknown", "pin", 1]);
    await assert.rejects(site.ask({ type: "secret.delete", name: "pin" }), { code: "secret/unknown" });
    await assert.rejects(site.ask({ type: "secret.set", name: "short", value: "1234567" }));
  });

  it("are unavailable at a host that keeps none", async () => {
    const site = await openSite();
    await site.command({ type: "agent.register", data: { ...MANIFEST, secrets: ["api", "pin"] } });
    site.join();
    await start(site);
    await site.until(async () => (await site.archived("e")) !== undefined);
    assert.equal((await site.archived("e/ask"))?.error?.code, "secret/unavailable");
    await assert.rejects(site.ask({ type: "secret.list" }), { code: "secret/unavailable" });
  });

  it("are found in whatever their worker says later, of other attempts and when it dies", async () => {
    const site = await open({}, ["api"]);
    await site.ask({ type: "secret.set", name: "api", value: CANARY });
    const secrets = [{ name: "api", at: [] }];
    for (const [id, more] of [
      ["first", { secrets }],
      ["second", {}],
    ] as const)
      await site.command({ type: "task.create", data: { id, capabilities: ["work"], input: "null", ...more } });
    await site.ordered("run");
    site.worker({ kind: "done", task: "first", attempt: 1, output: "1" });
    await site.ordered("settled");
    assert.equal((await site.ordered("run")).task, "second");
    site.worker({ kind: "checkpoint", call: 1, task: "second", attempt: 1, value: JSON.stringify([CANARY]) });
    assert.equal((await site.ordered("answer")).error, undefined);
    site.worker({ kind: "done", task: "second", attempt: 1, output: JSON.stringify(`it was ${CANARY}`) });
    await site.ordered("settled");
    assert.match(JSON.stringify(site.batches), /it was \[secret api\]/u);
    assertNowhere(site);
  });
});
