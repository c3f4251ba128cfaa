/** Random policies against a plain model that shares nothing with them, and three approvals in every order. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Actor } from "../../../src/core/hosting/hosting.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { createChance, roundsOf, seedOf, type Chance } from "./chance.ts";
import { never, openHost, openWorld, START, type Host } from "./kit.ts";
import { answer, registerWorkflow, startExecution } from "./things.ts";

type Node = Extract<WorkflowInput["nodes"][number], { type: "approval" }>;

const seed = seedOf(505);
const PEOPLE: Readonly<Record<string, readonly string[]>> = {
  ann: ["lead"],
  bob: ["lead", "law"],
  carl: [],
  dora: ["law"],
  eve: ["x"],
};
const NAMES = Object.keys(PEOPLE);

interface Chair {
  readonly who: string;
  readonly kind: "id" | "role" | "either";
  readonly weight: number;
  readonly veto: boolean;
}

interface Rule {
  readonly chairs: readonly Chair[];
  readonly need: "any" | "all" | number | { readonly weight: number };
  readonly rejections: number | undefined;
  readonly timeout: number | undefined;
  readonly late: "approve" | "reject";
}

interface Policy {
  readonly rules: readonly Rule[];
  readonly revote: boolean;
  readonly starter: string | undefined;
  readonly ownAllowed: boolean;
}

function drawRule(chance: Chance, isLast: boolean): Rule {
  const kinds = ["id", "role", "either"] as const;
  const chairs = Array.from({ length: 1 + chance.below(3) }, (): Chair => {
    const kind = chance.pick(kinds);
    const who = kind === "role" ? chance.pick(["lead", "law"]) : chance.pick([...NAMES, "lead"]);
    if (kind === "either") return { who, kind, weight: 1, veto: false };
    return { who, kind, weight: chance.below(4), veto: chance.once(4) };
  });
  const need = chance.pick(["any", "all", 1, 2, 3, { weight: 1 + chance.below(5) }] as const);
  const rejections = chance.once(3) ? 1 + chance.below(3) : undefined;
  const timeout = isLast && chance.once(2) ? undefined : 1_000 * (1 + chance.below(4));
  return { chairs, need, rejections, timeout, late: chance.pick(["approve", "reject"]) };
}

function drawPolicy(chance: Chance): Policy {
  const steps = chance.pick([1, 1, 2, 3]);
  return {
    rules: Array.from({ length: steps }, (_, at) => drawRule(chance, at === steps - 1)),
    revote: chance.once(2),
    starter: chance.once(2) ? chance.pick(NAMES) : undefined,
    ownAllowed: chance.once(3),
  };
}

function nodeOf({ rules, revote, ownAllowed }: Policy): Node {
  const steps = rules.map(({ chairs, need, rejections, timeout, late }, at) => ({
    approvers: chairs.map(({ who, kind, weight, veto }) =>
      kind === "either" ? who : kind === "id" ? { id: who, weight, veto } : { role: who, weight, veto },
    ),
    need,
    ...(rejections !== undefined && { rejections }),
    ...(timeout !== undefined && { timeout }),
    ...(at === rules.length - 1 && { onTimeout: late }),
  }));
  const [first, ...escalation] = steps;
  const node = {
    id: "ask",
    type: "approval",
    message: "?",
    onReject: "continue",
    revote,
    selfApproval: ownAllowed,
  } as const;
  return { ...node, ...first, ...(escalation.length > 0 && { escalation }) };
}

/** What is known of an approval, as a list of what everybody said last. */
interface Model {
  readonly policy: Policy;
  at: number;
  /** When the present step is over. */
  until: number;
  said: { readonly mouth: string; readonly head: string; readonly yes: boolean }[];
  /** Who speaks for whom, until when, in the order in which it was said. */
  spokesmen: { readonly head: string; readonly mouth: string; readonly until: number }[];
  end: { readonly yes: boolean; readonly late: boolean } | undefined;
}

const sits = ({ who, kind }: Chair, name: string): boolean => {
  const hasRole = PEOPLE[name]?.includes(who) === true;
  return kind === "id" ? name === who : kind === "role" ? hasRole : name === who || hasRole;
};

/** Every way to seat people on chairs, tried one after the other. */
function canSeat(chairs: readonly Chair[], people: readonly string[]): boolean {
  const [first, ...others] = chairs;
  if (!first) return true;
  return people.some(
    (name) =>
      sits(first, name) &&
      canSeat(
        others,
        people.filter((other) => other !== name),
      ),
  );
}

function outcomeOf({ chairs, need, rejections }: Rule, said: Model["said"]): boolean | undefined {
  const heard = said.filter(({ head }) => chairs.some((chair) => sits(chair, head)));
  const pros = heard.filter(({ yes }) => yes).map(({ head }) => head);
  const cons = heard.filter(({ yes }) => !yes).map(({ head }) => head);
  for (const chair of chairs) if (chair.veto && cons.some((name) => sits(chair, name))) return false;
  const worth = (name: string): number => {
    if (typeof need !== "object") return 1;
    let best = 0;
    for (const chair of chairs) if (sits(chair, name) && chair.weight > best) best = chair.weight;
    return best;
  };
  let against = 0;
  for (const name of cons) against += worth(name);
  let inFavour = 0;
  for (const name of pros) inFavour += worth(name);
  if (need === "any" || need === "all") {
    if (against >= (rejections ?? 1)) return false;
    return (need === "any" ? pros.length > 0 : canSeat(chairs, pros)) || undefined;
  }
  let all = 0;
  for (const chair of chairs) all += typeof need === "object" ? chair.weight : 1;
  const goal = typeof need === "object" ? need.weight : need;
  if (against >= (rejections ?? Math.max(1, all - goal + 1))) return false;
  return inFavour >= goal || undefined;
}

function speak(model: Model, now: number, mouth: string, yes: boolean): string {
  const { policy, end, said } = model;
  const rule = policy.rules[model.at];
  if (end || !rule) return "approval/closed";
  const isBarred = (name: string): boolean => name === policy.starter && !policy.ownAllowed;
  if (isBarred(mouth)) return "approval/self";
  const mayVote = (name: string): boolean => !isBarred(name) && rule.chairs.some((chair) => sits(chair, name));
  const absent = model.spokesmen.find((one) => one.mouth === mouth && one.until > now && mayVote(one.head));
  const head = mayVote(mouth) ? mouth : absent?.head;
  if (head === undefined) return "approval/forbidden";
  const earlier = said.filter((one) => one.head === head || one.mouth === mouth);
  if (earlier.length === 1 && earlier[0]?.mouth === mouth && earlier[0].yes === yes) return "";
  if (earlier.length > 0 && !policy.revote) return "approval/voted";
  model.said = [...said.filter((one) => !earlier.includes(one)), { mouth, head, yes }];
  const outcome = outcomeOf(rule, model.said);
  if (outcome !== undefined) model.end = { yes: outcome, late: false };
  return "";
}

function pass(model: Model, now: number): void {
  while (!model.end && model.until <= now) {
    const rule = model.policy.rules[model.at];
    const next = model.policy.rules[model.at + 1];
    if (!next) {
      model.end = { yes: rule?.late === "approve", late: true };
      return;
    }
    model.at++;
    model.until += next.timeout ?? Infinity;
    const outcome = outcomeOf(next, model.said);
    if (outcome !== undefined) model.end = { yes: outcome, late: false };
  }
}

async function play(chance: Chance): Promise<void> {
  const policy = drawPolicy(chance);
  const world = await openWorld(chance.below(2 ** 31), { behaviour: never, plain: true });
  let host: Host = world;
  const actor = (id: string): Actor => ({ id, roles: PEOPLE[id] ?? [], level: "session" });
  const { starter } = policy;
  const data = { id: "e", workflow: "w", input: "{}", ...(starter !== undefined && { actor: actor(starter) }) };
  assert.deepEqual(
    await host.submit(registerWorkflow({ id: "w", nodes: [nodeOf(policy)] }), { type: "execution.start", data }),
    [],
  );
  const until = START + (policy.rules[0]?.timeout ?? Infinity);
  const model: Model = { policy, at: 0, until, said: [], spokesmen: [], end: undefined };
  for (let step = 0; step < 14; step++) {
    const now = world.time.now();
    const [who, other] = chance.shuffle(NAMES);
    assert.ok(who !== undefined && other !== undefined);
    switch (chance.below(8)) {
      case 0: {
        const span = chance.pick([500, 700, 1_500]);
        pass(model, now + span);
        await host.advance(span);
        break;
      }
      case 1: {
        const span = chance.pick([0, 600, 3_000]);
        await host.submit({ type: "approval.delegate", data: { to: other, for: span, actor: actor(who) } });
        model.spokesmen = model.spokesmen.filter((one) => one.head !== who || one.mouth !== other);
        if (span > 0) model.spokesmen.push({ head: who, mouth: other, until: now + span });
        break;
      }
      case 2:
        host.kill();
        host = await openHost({ ...world, behaviour: never, plain: true });
        break;
      default: {
        const yes = chance.once(2);
        const code = speak(model, now, who, yes);
        const command = { type: "approval.answer", data: { id: "e/ask", approved: yes, actor: actor(who) } } as const;
        assert.deepEqual(await host.submit(command), code === "" ? [] : [code], `${who} says ${String(yes)}`);
      }
    }
    assert.equal(host.engine.state.approvals.approvals.has("e/ask"), model.end === undefined);
  }
  const ends = world.disk.history.flatMap(({ text }) => [...text.matchAll(/"approval\.decided"/gu)]);
  assert.equal(ends.length, model.end ? 1 : 0);
  const row = world.disk.archived.find(({ kind }) => kind === "execution");
  if (!model.end) return;
  const { output } = JSON.parse(row?.text ?? "{}") as { readonly output: string };
  const { approved, by } = JSON.parse(output) as { readonly approved: boolean; readonly by: string };
  assert.deepEqual([approved, by === "timeout"], [model.end.yes, model.end.late]);
}

describe(`random policies (seed ${String(seed)})`, () => {
  it("decide as a plain model does, with answers, delegations, deadlines and restarts in any order", async () => {
    for (let game = 0; game < roundsOf(600); game++) {
      const own = seed * 10_000 + game;
      try {
        await play(createChance(own));
      } catch (cause) {
        throw new Error(`game ${String(game)} of SEED=${String(seed)}`, { cause });
      }
    }
  });
});

describe("three approvals side by side", () => {
  type Happening = "answer a" | "reject b" | "answer c" | "time is up" | "cancel" | "restart";
  const HAPPENINGS: readonly Happening[] = ["answer a", "reject b", "answer c", "time is up", "cancel", "restart"];

  function* orders<T>(list: readonly T[]): Generator<readonly T[]> {
    if (list.length === 0) yield [];
    for (const one of list) for (const rest of orders(list.filter((other) => other !== one))) yield [one, ...rest];
  }

  /** What must come of it: whoever comes first decides each of the three; nothing happens to a run that has ended. */
  function expected(order: readonly Happening[], group: boolean): { ends: Record<string, boolean>; status: string } {
    const ends: Record<string, boolean> = {};
    const decide = (id: string, yes: boolean): void => {
      if (ends[id] === undefined) ends[id] = yes;
    };
    for (const happening of order) {
      if (happening === "answer a") decide("a", true);
      if (happening === "answer c") decide("c", true);
      if (happening === "reject b" && ends["b"] === undefined) {
        decide("b", false);
        if (group) for (const id of ["a", "c"]) decide(id, false);
      }
      if (happening === "time is up") {
        // "a" has no timeout; "b" is rejected by its own, and "c" approved by its own, a moment later.
        if (ends["b"] === undefined) {
          decide("b", false);
          if (group) for (const id of ["a", "c"]) decide(id, false);
        }
        decide("c", true);
      }
      if (Object.keys(ends).length === 3) return { ends, status: "completed" };
      if (happening === "cancel") return { ends, status: "cancelled" };
    }
    return { ends, status: "running" };
  }

  for (const group of [false, true])
    it(`end as stated in every order${group ? ", when one's rejection is all's" : ""}`, async () => {
      const common = { type: "approval", message: "?", onReject: "continue", ...(group && { group: "g" }) } as const;
      const nodes = [
        { ...common, id: "a" },
        { ...common, id: "b", timeout: 1_000 },
        { ...common, id: "c", timeout: 1_001, onTimeout: "approve" as const },
      ];
      let seen = 0;
      for (const order of orders(HAPPENINGS)) {
        const world = await openWorld(seen++, { behaviour: never, plain: true });
        let host: Host = world;
        await host.submit(registerWorkflow({ id: "w", nodes }), startExecution("e", "w"));
        for (const happening of order)
          if (happening === "answer a") await host.submit(answer("e/a", true));
          else if (happening === "reject b") await host.submit(answer("e/b", false));
          else if (happening === "answer c") await host.submit(answer("e/c", true));
          else if (happening === "time is up") await host.advance(1_001);
          else if (happening === "cancel") await host.submit({ type: "execution.cancel", data: { id: "e" } });
          else {
            host.kill();
            host = await openHost({ ...world, behaviour: never, plain: true });
          }
        const { ends, status } = expected(order, group);
        const text = world.disk.history.map((batch) => batch.text).join("\n");
        for (const id of ["a", "b", "c"]) {
          const found = [
            ...text.matchAll(new RegExp(`"approval\\.decided".{0,40}"id":"e/${id}","approved":(true|false)`, "gu")),
          ];
          const said = found.map(([, yes]) => yes === "true");
          assert.deepEqual(said, ends[id] === undefined ? [] : [ends[id]], `${id} of ${order.join(", ")}`);
        }
        const row = world.disk.archived.find(({ kind }) => kind === "execution");
        const ended = row ? (JSON.parse(row.text) as { readonly status: string }).status : "running";
        assert.equal(ended, status, order.join(", "));
        assert.equal(
          host.engine.state.approvals.approvals.size,
          status === "running" ? 3 - Object.keys(ends).length : 0,
        );
      }
      assert.equal(seen, 720);
    });
});
