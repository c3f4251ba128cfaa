/** The audit log of a real host: what it tells, that Node verifies its export, and that whatever is changed is found. */
import { expect } from "chai";
import type { Runtime } from "../../../src/client/runtime.ts";
import { createSigner } from "../../../src/client/signer.ts";
import { verifyAudit, type AuditLine } from "../../../src/core/audit/verify.ts";
import { sha256 } from "../../../src/workers/audit.ts";
import { rejection, until } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";
import { createChance } from "../../node/core/chance.ts";

interface Act {
  readonly by: string;
  readonly do: string;
  readonly id: string;
  readonly at: number;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly refused?: string;
  readonly why?: string;
  readonly then?: readonly (readonly [type: string, id: string, told?: Readonly<Record<string, unknown>>])[];
}

describe("the audit log", () => {
  const suite = ownRuntimes("audit-log");
  const url = new URL("../../fixtures/host/rerun-worker.ts", import.meta.url);
  const places = { shared: (host: string) => new SharedWorker(url, { type: "module", name: host }) };
  const connect = (): Promise<Runtime> => suite.connect({ modes: ["shared"], places });
  const actsOf = (text: string): Act[] =>
    text
      .split("\n")
      .slice(0, -2)
      .flatMap((line) => (JSON.parse(line) as AuditLine).acts as Act[]);

  afterEach(() => void indexedDB.deleteDatabase(`keys-${suite.name}`));

  it("tells of forged and replayed approvals who, what and why, and is verified by Node's script, whatever is changed", async () => {
    const page = await connect();
    const database = `keys-${suite.name}`;
    const [ann, eve] = [await createSigner({ id: "ann", database }), await createSigner({ id: "eve", database })];
    await page.registerApprover(ann, { id: "ann" });
    page.registerWorkflow({
      id: "pay",
      nodes: [{ id: "ask", type: "approval", message: "Pay?", approvers: ["ann"], trust: "signed" }],
    });
    const run = page.startWorkflow("pay", { amount: 10, iban: "secret" });
    const id = `${run}/ask`;
    await until(page, ({ approvals }) => approvals.has(id));
    const view = page.approvals.get(id);
    if (!view) throw new Error("no request");
    const yes = { approved: true, reason: "fine" };
    const refused = async (promise: Promise<unknown>): Promise<string> => (await rejection(promise)).code;
    expect(await refused(page.decide(view, yes, { ...eve, id: "ann" }))).to.equal("approval/signature-invalid");
    page.answer(id, { approved: true, by: "mallory" });
    expect(await refused(page.settled(id))).to.equal("approval/untrusted");
    let signed = "";
    const noting = { ...ann, sign: async (text: string) => (signed = await ann.sign(text)) };
    await page.decide(view, yes, noting);
    await page.result(run);
    const other = await connect();
    const replaying = { ...ann, sign: () => Promise.resolve(signed) };
    expect(await refused(other.decide(view, yes, replaying)), "replayed").to.equal("approval/closed");

    const rerun = new BroadcastChannel(`rerun:${suite.name}`);
    const { epoch } = page.store.getState();
    rerun.postMessage(0);
    await until(page, (state) => state.epoch > epoch);
    rerun.close();
    await page.settled(page.createTask({ capabilities: ["nobody"] })); // a line of the next host

    const verdict = await page.audit.verify();
    if (!verdict.ok) throw new Error(JSON.stringify(verdict));
    expect(verdict.batches).to.equal(verdict.lines); // of a journal so short nothing was let go of
    const bytes = new Uint8Array(await (await page.audit.export()).arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const acts = actsOf(text).filter((act) => act.do === "approval.answer");
    expect(acts.map((act) => [act.with?.["by"], act.with?.["approved"], act.refused])).to.deep.equal([
      ["ann", true, "approval/signature-invalid"],
      ["mallory", true, "approval/untrusted"],
      ["ann", true, undefined],
      ["ann", true, "approval/closed"],
    ]);
    for (const act of acts) {
      expect(act.by, "which page").to.match(/^page:/u);
      expect(act.id).to.equal(id);
      expect(act.at).to.be.a("number");
      if (act.refused) expect(act.why).to.include(id);
    }
    expect(new Set(acts.map(({ by }) => by)).size, "two pages").to.equal(2);
    const [type, , told] = acts[2]?.then?.[0] ?? [];
    expect([type, told?.["by"], told?.["reason"]]).to.deep.equal(["approval.decided", "ann", "fine"]);
    expect(text).not.to.include("secret");
    await changesAreFound(bytes, verdict.head);
  });
});

/** In Node, and here. */
async function changesAreFound(
  bytes: Uint8Array<ArrayBuffer>,
  head: { readonly n: number; readonly hash: string },
): Promise<void> {
  const script = async (log: Uint8Array<ArrayBuffer>, kept?: string): Promise<{ ok: boolean; said: string }> => {
    const url = `/audit-script${kept === undefined ? "" : `?kept=${kept}`}`;
    return (await (await fetch(url, { method: "POST", body: log })).json()) as { ok: boolean; said: string };
  };
  const { ok, said } = await script(bytes, `${String(head.n)}:${head.hash}`);
  expect(ok, said).to.equal(true);
  expect(said).to.include(`head ${String(head.n)}:${head.hash}`);
  expect((await script(bytes, `${String(head.n)}:${"0".repeat(64)}`)).ok, "another head was kept").to.equal(false);
  const given = await (await fetch("/seed")).text();
  const seed = given === "none" ? Math.floor(Math.random() * 1e9) : Number(given);
  const chance = createChance(seed);
  for (let round = 0; round < 60; round++) {
    const at = chance.below(bytes.length);
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8));
    const where = `seed ${String(seed)}, byte ${String(at)}`;
    const lines = new TextDecoder().decode(changed).split("\n");
    const last = lines.pop();
    const isFound = last !== "" || !(await verifyAudit(lines, { digest: sha256 })).ok;
    expect(isFound, where).to.equal(true);
    if (round % 12 === 0) expect((await script(changed)).ok, `${where}, in Node`).to.equal(false);
  }
}
