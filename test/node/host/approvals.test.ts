/** Who answers, from a page's calls to a whole host: identities, delegations, and signed answers. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { AnswerInput, Signer } from "../../../src/client/approval-types.ts";
import * as approving from "../../../src/client/approving.ts";
import type { Connection as ClientConnection } from "../../../src/client/connection.ts";
import { sendMessage } from "../../../src/client/mail.ts";
import type { ApprovalView } from "../../../src/client/runtime.ts";
import type { Approval } from "../../../src/core/approvals/approval.ts";
import type { PublicKey } from "../../../src/core/approvals/key.ts";
import { algorithmOf } from "../../../src/core/approvals/statement.ts";
import type { RuntimeError } from "../../../src/core/errors.ts";
import { decodeJson } from "../../../src/core/json.ts";
import type { Query } from "../../../src/core/protocol.ts";
import type { CoreEvents } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { createMemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { closeSites, connectTo, openSite, type Site, type SiteOptions } from "./site.ts";

type Connection = Parameters<typeof approving.delegate>[0] & Parameters<typeof approving.decide>[0];
type Asked = Extract<Query, { readonly type: "decide" }>;
type Ask = Partial<Extract<WorkflowInput["nodes"][number], { type: "approval" }>>;

const isCode =
  (code: string) =>
  (error: unknown): boolean =>
    (error as RuntimeError).code === code;

const tokens: SiteOptions["identify"] = ({ token }) => {
  const [id = "", ...roles] = token?.split(" ") ?? [];
  return Promise.resolve(id === "forged" ? undefined : { id, roles }); // without a token the id is empty
};

async function open(ask: Ask = {}, options: SiteOptions = {}): Promise<{ site: Site; page: Connection }> {
  const site = await openSite(options);
  const node = {
    id: "ask",
    type: "approval",
    message: "Send {{input.n}}?",
    payload: "input",
    onReject: "continue",
  } as const;
  const text = JSON.stringify({ id: "w", nodes: [{ ...node, ...ask }] });
  assert.deepEqual((await site.command({ type: "workflow.register", data: { text } })).refused, []);
  return { site, page: connectTo(site) };
}

async function start(site: Site, id = "e"): Promise<ApprovalView> {
  const { refused } = await site.command({ type: "execution.start", data: { id, workflow: "w", input: '{"n": 1.0}' } });
  assert.deepEqual(refused, []);
  return shown(site, `${id}/ask`);
}

const dataOf = <K extends keyof CoreEvents>(site: Site, type: K): CoreEvents[K][] =>
  site.events().flatMap((event) => (event.type === type ? [event.data as CoreEvents[K]] : []));

/** The request as a page's view has it. */
function shown(site: Site, id: string): ApprovalView {
  const asked = dataOf(site, "approval.requested").find((one) => one.id === id);
  assert.ok(asked);
  const { payload, ...rest } = asked as Approval;
  return { ...rest, payload: decodeJson(payload) };
}

const answered = async (site: Site, data: { approved: boolean; by?: string }, id = "e/ask"): Promise<string[]> =>
  (await site.command({ type: "approval.answer", data: { id, ...data } })).refused.map(([, { code }]) => code);

async function signer(id: string, crv: PublicKey["crv"] = "Ed25519"): Promise<Signer> {
  const algorithm = algorithmOf({ crv });
  const pair = (await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"])) as CryptoKeyPair;
  const { kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return {
    id,
    publicKey: { kty, crv, x, ...(y !== undefined && { y }) } as PublicKey,
    async sign(text) {
      const bytes = await crypto.subtle.sign(algorithm, pair.privateKey, new TextEncoder().encode(text));
      return Buffer.from(bytes).toString("base64");
    },
  };
}

describe("a page that says who is there", () => {
  afterEach(closeSites);

  it("answers as that one and as nobody else, and that is recorded as a click", async () => {
    const { site, page } = await open({ approvers: [{ role: "editor" }] });
    await approving.identify(page, { id: "ann", roles: ["editor"] });
    await start(site);
    assert.deepEqual(await answered(site, { approved: true, by: "bob" }), ["approval/forbidden"]);
    assert.deepEqual(await answered(site, { approved: true }), ["approval/self"], "she has started it");
    await approving.identify(page, { id: "bob", roles: ["editor"] });
    assert.deepEqual(await answered(site, { approved: true }), []);
    const [decided] = dataOf(site, "approval.decided");
    assert.deepEqual([decided?.by, decided?.level], ["bob", undefined]);
  });

  it("is believed by a verifier only what it proves, across hosts, until somebody else is there", async () => {
    const disk = createMemoryDisk();
    const { site, page } = await open({ approvers: ["editor"], trust: "session" }, { disk, identify: tokens });
    await assert.rejects(approving.identify(page, { id: "ann", roles: ["editor"] }), isCode("approval/untrusted"));
    await assert.rejects(approving.identify(page, { id: "ann", token: "forged" }), isCode("approval/untrusted"));
    await start(site);
    assert.deepEqual(await answered(site, { approved: true, by: "ann" }), ["approval/untrusted"]);
    const found = await approving.identify(page, { id: "eve", token: "ann editor" });
    assert.deepEqual(found, { id: "ann", roles: ["editor"], level: "session" });
    await site.stop();
    const next = await openSite({ disk, identify: tokens, sent: 3 });
    assert.deepEqual(await answered(next, { approved: true }), []);
    const last = dataOf(next, "approval.decided").at(-1);
    assert.deepEqual([last?.by, last?.level], ["ann", "session"]);
    assert.equal(await approving.identify(connectTo(next)), undefined);
    assert.deepEqual(await answered(next, { approved: true }), ["command/invalid"], "nobody answers");
  });

  it("isn't believed at all where there is a verifier, though the approval would take a click", async () => {
    const { site, page } = await open({ approvers: ["ann"] }, { identify: tokens });
    await start(site);
    assert.deepEqual(await answered(site, { approved: true, by: "ann" }), ["approval/untrusted"]);
    await approving.identify(page, { token: "ann" });
    assert.deepEqual(await answered(site, { approved: true }), []);
  });

  it("can't say itself how sure that is", async () => {
    const { site } = await open({ approvers: ["ann"], trust: "session" });
    await start(site);
    const actor = { id: "ann", roles: [], level: "session" };
    const forged = { id: "e/ask", approved: true, by: "ann", actor } as never;
    const { refused } = await site.command({ type: "approval.answer", data: forged });
    assert.deepEqual(
      refused.map(([, { code }]) => code),
      ["command/invalid"],
    );
  });

  it("names another for a while", async () => {
    const { site, page } = await open({ approvers: ["ann"] });
    await start(site);
    await assert.rejects(approving.delegate(page, { to: "bob", for: 1_000 }), isCode("command/invalid"));
    await approving.identify(page, { id: "ann" });
    await assert.rejects(
      approving.delegate(page, { from: "carl", to: "bob", for: 1_000 }),
      isCode("approval/forbidden"),
    );
    await approving.delegate(page, { to: "bob", for: 60_000 });
    await approving.identify(page, { id: "bob" });
    assert.deepEqual(await answered(site, { approved: true }), []);
    assert.equal(dataOf(site, "approval.decided")[0]?.for, "ann");
  });
});

describe("a signed answer", () => {
  afterEach(closeSites);
  const yes: AnswerInput = { approved: true, reason: "fine", data: { note: 1 } };

  for (const crv of ["Ed25519", "P-256"] as const)
    it(`is taken when it is genuine (${crv}), and kept with its signature`, async () => {
      const { site, page } = await open({ approvers: ["ann"], trust: "signed" });
      const view = await start(site);
      const ann = await signer("ann", crv);
      await approving.registerApprover(page, ann, { id: "ann" });
      assert.deepEqual(await answered(site, { approved: true, by: "ann" }), ["approval/untrusted"]);
      await approving.decide(page, view, yes, ann);
      const [decided] = dataOf(site, "approval.decided");
      assert.deepEqual([decided?.by, decided?.level, decided?.proof?.genuine], ["ann", "signed", true]);
      await assert.rejects(approving.decide(page, view, { ...yes, reason: "" }, ann), isCode("approval/closed"));
    });

  it("is refused when any part of it is another than was signed", async () => {
    const { site, page } = await open({ approvers: ["ann", "bob"], trust: "signed", edit: {} });
    const first = await start(site);
    const other = await start(site, "f");
    const ann = await signer("ann");
    const bob = await signer("bob");
    await approving.registerApprover(page, ann, { id: "ann" });
    await approving.registerApprover(page, bob, { id: "bob" });
    let signed: Extract<Query, { type: "decide" }> | undefined;
    const catching = { ask: (query: unknown) => Promise.resolve(void (signed = query as typeof signed)) };
    await approving.decide(catching, first, yes, ann);
    assert.ok(signed);
    const { answer, signature } = signed;
    const eve = await signer("ann");
    const forgeries: [string, Partial<typeof answer>, string?][] = [
      ["another decision", { approved: false }],
      ["another approver", { by: "bob" }],
      ["another request", { id: other.id }],
      ["another reason", { reason: "not so fine" }],
      ["other data", { data: "2" }],
      ["an edit", { edits: '{"n":2}' }],
      ["no signature", {}, ""],
      ["no base64", {}, "~~"],
      ["another key", {}, await eve.sign("whatever")],
    ];
    for (const [what, changed, by = signature] of forgeries)
      await assert.rejects(
        site.ask({ type: "decide", answer: { ...answer, ...changed }, signature: by }),
        isCode("approval/signature-invalid"),
        what,
      );
    const wrong: [string, Partial<ApprovalView>][] = [
      ["another payload", { payload: { n: 2 } }],
      ["another message", { message: "Send 2?" }],
      ["another nonce", { nonce: other.nonce }],
      ["another end", { expiresAt: 5 }],
    ];
    for (const [what, changed] of wrong)
      await assert.rejects(
        approving.decide(page, { ...first, ...changed }, yes, ann),
        isCode("approval/signature-invalid"),
        what,
      );
    const all = forgeries.length + wrong.length;
    assert.equal(dataOf(site, "approval.refused").length, all, "each of them is recorded");
    await site.ask({ type: "decide", answer, signature });
    assert.equal(dataOf(site, "approval.decided").length, 1);
  });

  it("comes as a message, too, with its signature", async () => {
    const { site, page } = await open({ approvers: ["ann"], trust: "signed" });
    const view = await start(site);
    const ann = await signer("ann");
    await approving.registerApprover(page, ann, { id: "ann" });
    const payload = await approving.signAnswer(view, yes, ann);
    const answering = { approvals: () => new Map([[view.id, view]]), answer: () => assert.fail("it isn't signed") };
    const say = (more: object): Promise<string> => {
      const message = { type: "human_approval_response", recipient: "e/ask", payload: { ...payload, ...more } };
      return sendMessage(page as ClientConnection, answering, message);
    };
    await assert.rejects(say({ approved: false }), isCode("approval/signature-invalid"));
    await assert.rejects(say({ approver: "bob", by: undefined }), isCode("approval/signature-invalid"));
    await assert.rejects(say({ vote: 1 }), isCode("command/invalid"));
    assert.equal(await say({}), "e/ask");
    const [decided] = dataOf(site, "approval.decided");
    assert.deepEqual([decided?.by, decided?.level, decided?.reason], ["ann", "signed", "fine"]);
  });

  it("is taken once, and the page that asks again, of another host too, hears that it was", async () => {
    const disk = createMemoryDisk();
    const ask: Ask = { approvers: ["ann", "bob"], need: "all", trust: "signed", revote: true };
    const { site, page } = await open(ask, { disk });
    const view = await start(site);
    const [ann, bob] = [await signer("ann"), await signer("bob", "P-256")];
    for (const one of [ann, bob]) await approving.registerApprover(page, one, { id: one.id });
    const asked: Query[] = [];
    const noting: Pick<Connection, "ask"> = {
      ask: (query) => {
        asked.push(query as Query);
        return page.ask(query);
      },
    };
    await approving.decide(noting, view, yes, ann);
    await approving.decide(noting, view, yes, bob);
    const [first, last] = asked as [Asked, Asked];
    const { length } = site.events();
    await site.stop();
    const next = await openSite({ disk, sent: 2 });
    await next.ask(last);
    await next.ask(first);
    const told = site.events().slice(length);
    assert.ok(
      told.every(({ type }) => !type.startsWith("approval.")),
      "nothing more has come of them",
    );
    const lie = { ...last, answer: { ...last.answer, approved: false } };
    await assert.rejects(next.ask(lie), isCode("approval/closed"));
    await assert.rejects(next.ask({ ...last, answer: { ...last.answer, by: "ann" } }), isCode("approval/closed"));
    await next.stop();
    const other = await openSite({ disk, session: "s2" });
    await assert.rejects(other.ask(last), isCode("approval/closed"), "another page replays it");
    assert.equal(dataOf(site, "approval.refused").length, 3);
  });

  it("can't be given again when its approver has changed their mind since", async () => {
    const disk = createMemoryDisk();
    const ask: Ask = { approvers: ["ann", "bob"], need: "all", rejections: 2, trust: "signed", revote: true };
    const { site, page } = await open(ask, { disk });
    const view = await start(site);
    const ann = await signer("ann");
    await approving.registerApprover(page, ann, { id: "ann" });
    let first: Query | undefined;
    const noting: Pick<Connection, "ask"> = { ask: (query) => page.ask((first = query as Query)) };
    await approving.decide(noting, view, yes, ann);
    await approving.decide(page, view, { approved: false }, ann);
    const votes = (): unknown => dataOf(site, "approval.voted").map(({ vote }) => vote.approved);
    assert.deepEqual(votes(), [true, false]);
    assert.ok(first);
    await site.ask(first); // this page may only hear of it again
    await site.stop();
    const other = await openSite({ disk, session: "s2" });
    await assert.rejects(other.ask(first), isCode("approval/signature-invalid"));
    assert.deepEqual(votes(), [true, false]);
    await approving.decide(connectTo(other), { ...view, turn: 1 }, yes, ann);
    assert.deepEqual(votes(), [true, false, true], "signed anew it counts");
  });

  it("of a request that was asked anew isn't taken: it has another nonce", async () => {
    const { site, page } = await open({ approvers: ["ann"], trust: "signed" });
    const first = await start(site);
    const ann = await signer("ann");
    await approving.registerApprover(page, ann, { id: "ann" });
    await site.command({ type: "execution.cancel", data: { id: "e" } });
    const anew = await start(site); // the run of the same id, begun once more
    const second = dataOf(site, "approval.requested").at(-1);
    assert.notEqual(second?.nonce, first.nonce);
    await assert.rejects(approving.decide(page, first, yes, ann), isCode("approval/signature-invalid"));
    await approving.decide(page, { ...anew, nonce: second?.nonce }, yes, ann);
    assert.equal(dataOf(site, "approval.decided").length, 1);
  });

  it("is all that counts of somebody whose key says so, and a key is replaced only by one who is known", async () => {
    const { site, page } = await open({ approvers: ["ann"] }, { identify: tokens });
    const view = await start(site);
    const [ann, eve] = [await signer("ann"), await signer("ann")];
    const broken = { publicKey: { ...ann.publicKey, x: "A".repeat(42) } as PublicKey };
    await assert.rejects(approving.registerApprover(page, broken, { id: "ann" }), isCode("command/invalid"));
    await approving.registerApprover(page, ann, { id: "ann", require: true });
    assert.deepEqual(await answered(site, { approved: true, by: "ann" }), ["approval/untrusted"]);
    await assert.rejects(approving.registerApprover(page, eve, { id: "ann" }), isCode("approval/key-known"));
    await approving.identify(page, { token: "bob" });
    await assert.rejects(approving.registerApprover(page, eve, { id: "ann" }), isCode("approval/forbidden"));
    await approving.identify(page, { token: "ann" });
    await approving.registerApprover(page, eve, { require: true });
    await assert.rejects(approving.decide(page, view, yes, ann), isCode("approval/signature-invalid"));
    await approving.decide(page, view, yes, eve);
    assert.equal(dataOf(site, "approval.decided")[0]?.level, "signed");
  });
});
