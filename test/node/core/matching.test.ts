/** Matching and versions, held against node-semver, against plain walks, and against each other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import satisfies from "semver/functions/satisfies.js";
import compare from "semver/functions/compare.js";
import validRange from "semver/ranges/valid.js";
import type { Agent } from "../../../src/core/agents/agent.ts";
import { covers, matches, requirementKey, tierOf, TIERS } from "../../../src/core/agents/matching.ts";
import { NO_STATISTICS } from "../../../src/core/agents/statistics.ts";
import { createAgentIndex } from "../../../src/core/agents/agent-index.ts";
import { PRIORITIES } from "../../../src/core/tasks/priority.ts";
import type { Requirement } from "../../../src/core/tasks/requirement.ts";
import { compareVersions, inRange, parseRange, parseVersion } from "../../../src/core/versions.ts";
import { createChance, roundsOf, seedOf, type Chance } from "./chance.ts";

const seed = seedOf(1_414);

function agentOf(changes: Partial<Agent> = {}): Agent {
  const { name = "a", version = "1.0.0" } = changes;
  return {
    id: `${name}@${version}`,
    name,
    version,
    capabilities: ["work"],
    url: "/a.js",
    trusted: false,
    network: [],
    workers: 1,
    slots: 1,
    registeredAt: 0,
    statistics: NO_STATISTICS,
    ...changes,
  };
}

const need = (...capabilities: string[]): Requirement => ({ capabilities });

function drawVersion(chance: Chance): string {
  const numbers = [0, 1, 2].map(() => String(chance.below(3))).join(".");
  if (!chance.once(4)) return numbers;
  const parts = Array.from({ length: 1 + chance.below(2) }, () =>
    chance.pick(["0", "1", "10", "alpha", "beta", "a-b"]),
  );
  return `${numbers}-${parts.join(".")}${chance.once(3) ? "+build.1" : ""}`;
}

function drawWord(chance: Chance): string {
  const operator = chance.pick(["", "", "^", "^", "~", "=", ">", ">=", "<", "<="]);
  const space = operator !== "" && chance.once(5) ? " " : "";
  if (chance.once(2)) return operator + space + drawVersion(chance);
  const open = chance.below(5); // from here on any number will do
  const part = (_none: unknown, at: number): string =>
    at >= open ? chance.pick(["x", "X", "*"]) : String(chance.below(3));
  return operator + space + Array.from({ length: 1 + chance.below(3) }, part).join(".");
}

function drawRange(chance: Chance): string {
  const set = (): string => Array.from({ length: 1 + chance.below(2) }, () => drawWord(chance)).join(" ");
  return Array.from({ length: chance.once(4) ? 2 : 1 }, set).join(chance.pick(["||", " || "]));
}

describe(`versions (seed ${String(seed)})`, () => {
  it("says of random versions and ranges what node-semver says", () => {
    const chance = createChance(seed);
    let within = 0;
    for (let step = 0; step < roundsOf(60_000); step++) {
      const [version, other, range] = [drawVersion(chance), drawVersion(chance), drawRange(chance)];
      const [exact, second, bounds] = [parseVersion(version), parseVersion(other), parseRange(range)];
      assert.ok(exact && second && bounds, `${version} ${other} ${range}`);
      assert.notEqual(validRange(range), null, range);
      assert.equal(Math.sign(compareVersions(exact, second)), compare(version, other), `${version} ${other}`);
      const expected = satisfies(version, range);
      assert.equal(inRange(exact, bounds), expected, `${version} in ${range}`);
      if (expected) within++;
    }
    assert.ok(within > roundsOf(6_000), `only ${String(within)} were within`);
  });

  it("reads nothing that isn't a version or a range", () => {
    for (const text of ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.-3", "1.2.3-", "latest", " 1.2.3", "1.2.3 "])
      assert.equal(parseVersion(text), undefined, text);
    for (const text of [
      "latest",
      "^",
      ">=",
      "1 - 2",
      "1.2.3.4",
      "^^1",
      "=>1",
      "1,2",
      "||^",
      "x.1",
      "1.x.2",
      "^1.2.3-",
      "\u0000",
    ])
      assert.equal(parseRange(text), undefined, text);
  });

  it("takes time in proportion to what it reads, however hostile", () => {
    for (const text of [
      "1.".repeat(50_000),
      "^".repeat(50_000),
      "1.2.3-" + "a.".repeat(50_000),
      " ".repeat(50_000) + "!",
    ])
      assert.ok(parseVersion(text) === undefined || text.startsWith("1.2.3-"));
    for (const text of ["^ ".repeat(20_000), "1 ".repeat(20_000) + "!", "|".repeat(50_000), "< ".repeat(30_000)])
      parseRange(text);
  });
});

describe("capabilities", () => {
  it("cover those below them, and not those above or beside them", () => {
    const agent = agentOf({ capabilities: ["code", "image.resize"] });
    for (const one of ["code", "code.refactor", "code.refactor.rename", "image.resize", "image.resize.fast"])
      assert.ok(covers(agent, one), one);
    for (const one of ["cod", "codes", "image", "image.crop", "image.resizer", "", ".", "code@*"])
      assert.ok(!covers(agent, one), one);
  });

  it("are offered in a version, and needed in a range", () => {
    const agent = agentOf({ capabilities: ["translate@2.1.0", "translate@3.0.0-beta.1", "code@1.4.0", "plain"] });
    for (const one of [
      "translate",
      "translate@^2",
      "translate@2.x",
      "translate@>=3.0.0-alpha",
      "code.refactor@^1.2",
      "plain",
    ])
      assert.ok(covers(agent, one), one);
    for (const one of ["translate@^1", "translate@^3", "translate@nonsense", "code.refactor@2", "plain@*", "plain@"])
      assert.ok(!covers(agent, one), one);
  });

  it("are all needed, by one agent", () => {
    const agent = agentOf({ capabilities: ["x", "y"] });
    assert.ok(matches(agent, need("x", "y")) && !matches(agent, need("x", "z")));
  });
});

describe("constraints", () => {
  const all = (agents: Requirement["agents"], rest: Partial<Requirement> = {}): Requirement => ({
    capabilities: ["work"],
    agents,
    ...rest,
  });

  it("exclude by id or name", () => {
    const agent = agentOf({ name: "a", version: "1.2.0" });
    assert.ok(!matches(agent, all({ exclude: ["a"] })) && !matches(agent, all({ exclude: ["a@1.2.0"] })));
    assert.ok(matches(agent, all({ exclude: ["a@1.2.1", "b"] })));
  });

  it("ask for a version of the agent, for labels, for a specialization, for a success rate", () => {
    const statistics = { ...NO_STATISTICS, completed: 80, failed: 10 }; // and 10 that went well by the prior
    const agent = agentOf({ version: "1.2.0", labels: { zone: "eu" }, specializations: ["react"], statistics });
    assert.ok(matches(agent, all({ version: "^1.1" })) && !matches(agent, all({ version: "~1.1" })));
    assert.ok(matches(agent, all({ labels: { zone: "eu" } })) && !matches(agent, all({ labels: { zone: "us" } })));
    assert.ok(!matches(agent, all({ labels: { constructor: "Object" } })));
    assert.ok(matches(agent, all({ minSuccessRate: 0.9 })) && !matches(agent, all({ minSuccessRate: 0.91 })));
    assert.ok(matches(agent, all({ specialized: true }, { specializations: ["vue", "react"] })));
    assert.ok(!matches(agent, all({ specialized: true }, { specializations: ["vue"] })));
  });

  it("never let one be chosen that is being unregistered, or was taken off", () => {
    assert.ok(
      !matches(agentOf({ draining: true }), need("work")) && !matches(agentOf({ offline: true }), need("work")),
    );
  });
});

describe("the order of agents that match", () => {
  const requirement: Requirement = { capabilities: ["work"], optional: ["fast", "cheap"], specializations: ["react"] };
  const failing = (failed: number): Agent["statistics"] => ({ ...NO_STATISTICS, failed });
  const best: Partial<Agent> = {
    specializations: ["react"],
    priority: "critical",
    capabilities: ["work", "fast", "cheap"],
  };

  it("is specialization, priority, optional capabilities, success rate: each pair of neighbours", () => {
    const inOrder: Partial<Agent>[] = [best, { ...best, statistics: failing(1) }, { ...best, statistics: failing(5) }];
    inOrder.push({ ...best, statistics: failing(50) }, { ...best, capabilities: ["work", "cheap"] });
    inOrder.push({ ...best, capabilities: ["work"], statistics: failing(50) });
    for (const priority of ["high", "medium", "low"] as const) inOrder.push({ ...best, priority });
    inOrder.push({ ...best, priority: "low", capabilities: ["work"], statistics: failing(50) });
    inOrder.push(
      { ...best, specializations: ["vue"] },
      { capabilities: ["work"], priority: "low", statistics: failing(50) },
    );
    const tiers = inOrder.map((changes) => tierOf(agentOf(changes), requirement));
    assert.deepEqual(
      tiers,
      [...new Set(tiers)].sort((a, b) => a - b),
    );
    assert.deepEqual([tiers[0], tiers.at(-1)], [0, TIERS - 1]);
  });

  it("doesn't mind a specialization when none is named", () => {
    const plain = { capabilities: ["work"] };
    assert.equal(tierOf(agentOf(), plain), tierOf(agentOf({ specializations: ["react"] }), plain));
  });
});

/** Draws agents and needs out of few words, so that they often meet. */
function drawAgent(chance: Chance, name: string): Agent {
  const some = (): string[] => Array.from({ length: 1 + chance.below(3) }, () => drawOffer(chance));
  return agentOf({
    name,
    version: chance.pick(["1.0.0", "1.2.0", "2.0.0"]),
    capabilities: some(),
    priority: chance.pick(PRIORITIES),
    specializations: chance.once(2) ? ["react"] : [],
    labels: { ...(chance.once(2) && { zone: "eu" }), ...(chance.once(2) && { size: "big" }) },
    ...(chance.once(2) && { secrets: chance.pick([["key"], ["key", "token"], []]) }),
    statistics: { ...NO_STATISTICS, completed: chance.below(30), failed: chance.below(10) },
    draining: chance.once(20) ? true : undefined,
    offline: chance.once(20) ? true : undefined,
  });
}

function drawName(chance: Chance): string {
  return Array.from({ length: 1 + chance.below(3) }, () => chance.pick(["a", "b", "c", "ab"])).join(".");
}

function drawOffer(chance: Chance): string {
  return drawName(chance) + (chance.once(3) ? `@${chance.pick(["1.0.0", "1.5.0", "2.0.0"])}` : "");
}

function drawRequirement(chance: Chance): Requirement {
  const one = (): string => drawName(chance) + (chance.once(4) ? `@${chance.pick(["^1", "2", "*", "bad"])}` : "");
  return {
    capabilities: Array.from({ length: 1 + chance.below(2) }, one),
    ...(chance.once(2) && { optional: Array.from({ length: chance.below(3) }, one) }),
    ...(chance.once(2) && { specializations: [chance.pick(["react", "vue"])] }),
    ...(chance.once(3) && {
      agents: {
        ...(chance.once(3) && { exclude: ["agent1", "agent2@1.0.0"] }),
        ...(chance.once(3) && { version: chance.pick(["^1", ">=1.2", "2.x"]) }),
        ...(chance.once(3) && { minSuccessRate: chance.next() }),
        ...(chance.once(3) && { specialized: chance.once(2) }),
        ...(chance.once(3) && { labels: drawLabels(chance) }),
      },
    }),
    ...(chance.once(4) && { secrets: chance.pick([["key"], ["token"], ["token", "key"]]).map((name) => ({ name })) }),
  };
}

function drawLabels(chance: Chance): Record<string, string> {
  const zone = chance.pick(["eu", "us"]);
  return chance.pick([{ zone }, { zone, size: "big" }, { size: "big", zone }]);
}

/** The same in the plainest words: every way up from the needed name is looked for among what is offered. */
function isCapable({ capabilities }: Agent, { capabilities: needs }: Requirement): boolean {
  return needs.every((text) => {
    const [name = "", range] = text.split("@");
    const steps = name.split(".");
    const ways = steps.map((_step, at) => steps.slice(0, at + 1).join("."));
    return capabilities.some((offered) => {
      const [own = "", version] = offered.split("@");
      if (!ways.includes(own)) return false;
      return range === undefined || (version !== undefined && validRange(range) !== null && satisfies(version, range));
    });
  });
}

describe(`the index of agents (seed ${String(seed)})`, () => {
  it("finds those that a walk over all finds, whatever came, changed and went before", () => {
    const chance = createChance(seed + 1);
    const index = createAgentIndex<Agent>();
    const plain = new Map<string, Agent>();
    let found = 0;
    for (let step = 0; step < roundsOf(120_000); step++) {
      const draw = chance.below(10);
      const agent = drawAgent(chance, `agent${String(chance.below(40))}`);
      if (draw < 4) {
        index.set(agent);
        plain.set(agent.id, agent);
      } else if (draw < 6) {
        index.delete(agent.id);
        plain.delete(agent.id);
      } else {
        const requirement = drawRequirement(chance);
        const seen = index
          .find(requirement)
          .map(({ id }) => id)
          .sort();
        const walked = [...plain.values()].filter((one) => matches(one, requirement)).map(({ id }) => id);
        assert.deepEqual(seen, walked.sort());
        for (const id of seen) assert.ok(isCapable(plain.get(id) ?? agent, requirement));
        found += seen.length;
      }
      assert.equal(index.size, plain.size);
    }
    assert.ok(found > roundsOf(10_000), `only ${String(found)} were found`);
  });

  it("gives all for a need of nothing, and takes a name like a builtin for a name", () => {
    const index = createAgentIndex<Agent>();
    index.set(agentOf());
    assert.equal(index.find({ capabilities: [] }).length, 1);
    for (const name of ["__proto__", "constructor", "toString"]) assert.deepEqual(index.find(need(name)), []);
  });

  it("finds among 10,000 in less than half a millisecond", (context) => {
    const chance = createChance(seed + 2);
    const index = createAgentIndex<Agent>();
    for (let at = 0; at < 10_000; at++)
      index.set(
        agentOf({
          name: `n${String(at)}`,
          capabilities: [`cap${String(chance.below(200))}`, `kind${String(at % 7)}.sub`],
        }),
      );
    const times: number[] = [];
    for (let at = 0; at < 300; at++) {
      const requirement = need(`cap${String(chance.below(200))}`, `kind${String(at % 7)}.sub.deep`);
      const start = performance.now();
      index.find(requirement);
      times.push(performance.now() - start);
    }
    const median = times.sort((a, b) => a - b)[150] ?? Infinity;
    context.diagnostic(`median ${median.toFixed(4)} ms`);
    assert.ok(median < 0.5, `${String(median)} ms`);
  });
});

describe(`requirement keys (seed ${String(seed)})`, () => {
  it("are equal only for requirements that the same agents match in the same order", () => {
    const chance = createChance(seed + 3);
    const agents = Array.from({ length: 60 }, (_none, at) => drawAgent(chance, `agent${String(at)}`));
    const verdicts = new Map<string, string>();
    for (let step = 0; step < roundsOf(4_000); step++) {
      const requirement = drawRequirement(chance);
      const verdict = agents
        .map((agent) => (matches(agent, requirement) ? String(tierOf(agent, requirement)) : "-"))
        .join();
      const key = requirementKey(requirement);
      assert.equal(verdicts.get(key) ?? verdict, verdict, key);
      verdicts.set(key, verdict);
    }
  });

  it("don't mind order, repetition, or what says nothing", () => {
    const key = requirementKey({ capabilities: ["x", "y"] });
    const needs = (...names: readonly string[]): Requirement => ({
      capabilities: ["x"],
      secrets: names.map((name) => ({ name })),
    });
    const labelled = (labels: Record<string, string>): Requirement => ({ capabilities: ["x"], agents: { labels } });
    assert.equal(requirementKey(needs("a", "b", "a")), requirementKey(needs("b", "a")));
    assert.notEqual(requirementKey(needs("a")), requirementKey(needs("b")));
    assert.equal(requirementKey(labelled({ a: "1", b: "2" })), requirementKey(labelled({ b: "2", a: "1" })));
    for (const same of [
      { capabilities: ["y", "x", "y"] },
      { capabilities: ["x", "y"], optional: [], specializations: [], agents: {} },
      { capabilities: ["x", "y"], agents: { exclude: [], labels: {}, minSuccessRate: 0, maxLoad: 1 } },
    ])
      assert.equal(requirementKey(same), key);
    assert.notEqual(requirementKey({ capabilities: ["x"], optional: ["y"] }), key);
    assert.notEqual(requirementKey({ capabilities: ['x","y'] }), key);
  });
});
