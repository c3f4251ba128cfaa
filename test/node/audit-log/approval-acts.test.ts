/** Every step of an approval is in the audit log: who has asked for it, as whom, and what came of it. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import * as approving from "../../../src/client/approving.ts";
import { closeSites, connectTo, openSite, type Site } from "../host/site.ts";

interface Act {
  readonly by: string;
  readonly do: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly refused?: string;
  readonly then?: readonly (readonly [type: string, id: string, told?: Readonly<Record<string, unknown>>])[];
}

async function actsOf(site: Site): Promise<Act[]> {
  const lines = (await site.ask({ type: "audit", after: 0 })) as string[];
  return lines.flatMap((line) => (JSON.parse(line) as { readonly acts: Act[] }).acts);
}

describe("the audit log of approvals", () => {
  afterEach(closeSites);

  it("tells of identities, delegations, votes, refusals, reminders, escalations and ends", async () => {
    const site = await openSite();
    const page = connectTo(site);
    const escalation = [{ approvers: ["boss"], timeout: 30, onTimeout: "reject" }];
    const policy = { approvers: ["ann", "bob"], need: "all", remind: 1_000, timeout: 3_000, escalation };
    const nodes = [{ id: "ask", type: "approval", message: "?", onReject: "continue", ...policy }];
    const register = { type: "workflow.register", data: { text: JSON.stringify({ id: "w", nodes }) } } as const;
    const start = { type: "execution.start", data: { id: "e", workflow: "w", input: "{}" } } as const;
    assert.deepEqual((await site.command(register, start)).refused, []);
    const answer = { type: "approval.answer", data: { id: "e/ask", approved: true } } as const;
    await approving.identify(page, { id: "ann", roles: ["editor"] });
    await approving.delegate(page, { to: "carl", for: 60_000 });
    await approving.identify(page, { id: "eve" });
    await site.command(answer);
    await approving.identify(page, { id: "carl" });
    await site.command(answer);
    await site.until(() => site.events().some(({ type }) => type === "approval.decided"));
    await site.command({ type: "task.create", data: { id: "last", capabilities: ["x"], input: "1" } });
    const acts = await actsOf(site);
    const did = (what: string): Act[] => acts.filter((act) => act.do === what);
    assert.deepEqual(
      did("session.identify").map((act) => [act.by, act.with?.["actor"], act.then?.[0]?.[2]?.["actor"]]),
      ["ann", "eve", "carl"].map((id) => ["page:s1", id, id]),
    );
    const [delegated] = did("approval.delegate");
    assert.deepEqual([delegated?.by, delegated?.with], ["page:s1", { to: "carl", actor: "ann" }]);
    assert.deepEqual(delegated?.then?.[0]?.[2], { from: "ann", to: "carl", level: "click" });
    const [refused, voted] = did("approval.answer");
    assert.deepEqual([refused?.with, refused?.refused], [{ approved: true, actor: "eve" }, "approval/forbidden"]);
    assert.deepEqual(voted?.with, { approved: true, actor: "carl" });
    assert.deepEqual(voted.then, [["approval.voted", "e/ask", { by: "carl", approved: true, level: "click" }]]);
    const woken = did("approval.wake").flatMap((act) => act.then?.slice(0, 1) ?? []);
    const steps = woken.map(([type, , told]) => [type, told?.["number"] ?? told?.["step"] ?? told?.["by"]]);
    assert.deepEqual(steps[0], ["approval.reminded", 1]);
    assert.deepEqual(steps.slice(-2), [
      ["approval.escalated", 1],
      ["approval.decided", "timeout"],
    ]);
    assert.ok(did("approval.wake").every(({ by }) => by === "host"));
  });
});
