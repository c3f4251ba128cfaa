/** Approvals in a browser: requests reach every tab, and signatures are made and looked at. */
import { expect } from "chai";
import type { ApprovalRequest } from "../../../src/client/approval-types.ts";
import type { Runtime } from "../../../src/client/runtime.ts";
import { createSigner } from "../../../src/client/signer.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { connectHere, deleteJournal, newName, rejection, until } from "../../fixtures/host/page.ts";

const sharedURL = new URL("../../../src/workers/shared-worker.ts", import.meta.url);

const flow = (trust: "click" | "signed", timeout?: number): WorkflowInput => ({
  id: "flow",
  nodes: [
    {
      id: "ask",
      type: "approval",
      message: "Send {{ input.n }}?",
      payload: "input",
      approvers: ["ann", "bob"],
      need: "all",
      trust,
      edit: { type: "object" },
      ...(timeout !== undefined && { timeout }),
    },
  ],
  output: "nodes.ask.output",
});

describe("approvals", () => {
  let name = "";
  const open: Runtime[] = [];
  /** Another page of the same host, as far as that can tell. */
  const connect = async (): Promise<Runtime> => {
    const shared = (host: string): SharedWorker =>
      new SharedWorker(sharedURL, { type: "module", name: `troupe:1:${host}` });
    const runtime = await connectHere({ name, modes: ["shared"], places: { shared } });
    open.push(runtime);
    return runtime;
  };
  const shownTo = async (runtime: Runtime): Promise<void> => until(runtime, ({ approvals }) => approvals.size > 0);

  beforeEach(() => {
    name = newName("approvals");
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((runtime) => runtime.close()));
    await deleteJournal(name);
    indexedDB.deleteDatabase(`keys-${name}`);
  });

  it("are told to every tab, to one that comes later too, and again when they are edited", async () => {
    const first = await connect();
    const second = await connect();
    const heard: Record<string, ApprovalRequest[]> = { first: [], second: [], third: [], off: [] };
    const listen = (who: string, runtime: Runtime): (() => void) =>
      runtime.on("human_approval_request", (request) => heard[who]?.push(request));
    listen("first", first);
    listen("second", second);
    listen("off", second)();
    first.registerWorkflow(flow("click", 3_600_000));
    const run = first.startWorkflow("flow", { n: 5 });
    await Promise.all([shownTo(first), shownTo(second)]);
    const third = await connect();
    listen("third", third);
    await until(third, () => true);
    const hears = async (who: string, times: number): Promise<void> => {
      while ((heard[who]?.length ?? 0) < times) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await hears("second", 1); // what listens is loaded with the first call
    const [view] = first.approvals.values();
    first.answer(view?.id ?? "", { approved: true, by: "ann", edits: { n: 6 } });
    await first.settled();
    await until(second, ({ approvals }) => approvals.get(`${run}/ask`)?.revision === 1);
    await Promise.all([hears("third", 1), hears("second", 2)]);
    const [request] = heard["second"] ?? [];
    expect(request).to.include({ id: `${run}/ask`, sender: `${run}/ask`, execution: run, node: "ask" });
    expect(request?.message).to.equal("Send 5?");
    expect((request?.expiresAt ?? 0) - (request?.requestedAt ?? 0)).to.equal(3_600_000);
    expect(request?.context).to.deep.equal({ n: 5 });
    expect(request?.schema).to.deep.equal({ type: "object" });
    expect(request?.approvers).to.deep.equal(["ann", "bob"]);
    expect(heard["second"]?.[1]?.context).to.deep.equal({ n: 6 });
    expect(heard["off"]).to.have.length(0);
    second.answer(`${run}/ask`, { approved: true, by: "bob", revision: 1 });
    expect(await first.result(run)).to.deep.include({ approved: true, by: "bob", payload: { n: 6 } });
  });

  it("take signatures that the SharedWorker finds genuine, of keys that outlive the page and can't be read", async () => {
    const first = await connect();
    const database = `keys-${name}`;
    const [ann, bob] = [await createSigner({ id: "ann", database }), await createSigner({ id: "bob", database })];
    expect((await createSigner({ id: "ann", database })).publicKey, "the same key").to.deep.equal(ann.publicKey);
    const [one, other] = await Promise.all([
      createSigner({ id: "carl", database }),
      createSigner({ id: "carl", database }),
    ]);
    expect(one.publicKey, "two tabs at once").to.deep.equal(other.publicKey);
    expect(await privateKeyOf(database, "ann")).to.include({ extractable: false, type: "private" });
    await first.registerApprover(ann, { id: "ann", require: true });
    await first.registerApprover(bob, { id: "bob" });
    expect((await rejection(first.registerApprover(bob, { id: "ann" }))).code).to.equal("approval/key-known");
    first.registerWorkflow(flow("signed"));
    const run = first.startWorkflow("flow", { n: 5 });
    const second = await connect();
    await shownTo(second);
    const [view] = second.approvals.values();
    if (!view) throw new Error("no request");
    const yes = { approved: true, reason: "ok" };
    second.answer(view.id, { approved: true, by: "ann" });
    expect((await rejection(second.settled(view.id))).code).to.equal("approval/untrusted");
    const forged = { ...bob, id: "ann" };
    expect((await rejection(second.decide(view, yes, forged))).code).to.equal("approval/signature-invalid");
    const elsewhere = { ...view, nonce: "another" };
    expect((await rejection(second.decide(elsewhere, yes, ann))).code).to.equal("approval/signature-invalid");
    await second.decide(view, yes, ann);
    await until(second, ({ approvals }) => approvals.get(view.id)?.votes?.length === 1);
    await second.decide(view, yes, bob);
    expect(await first.result(run)).to.deep.include({ approved: true, by: "bob" });
  });
});

function privateKeyOf(database: string, id: string): Promise<CryptoKey> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(database);
    opening.onerror = () => {
      reject(new Error("not opened"));
    };
    opening.onsuccess = () => {
      const reading = opening.result.transaction("keys").objectStore("keys").get(id) as IDBRequest<CryptoKeyPair>;
      reading.onsuccess = () => {
        opening.result.close();
        resolve(reading.result.privateKey);
      };
    };
  });
}
