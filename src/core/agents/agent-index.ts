/**
 * Finds the agents that match without looking at all of them. Each has a number, and each offered name the set of
 * their numbers; what a need can be met by is the union over the names above it, and what all needs are met by the
 * intersection. Versions and constraints are looked at only then.
 */
import { createBitset, type Bitset } from "../bitset.ts";
import type { Requirement } from "../tasks/requirement.ts";
import type { Agent } from "./agent.ts";
import { matches, splitCapability } from "./matching.ts";

export interface AgentIndex<T extends Agent> {
  readonly size: number;
  /** Adds the agent, or replaces what is known of it. */
  set(agent: T): void;
  delete(id: string): void;
  /**
   * All that match, in no particular order; for no needed capability all that the constraints let pass. Another test
   * than {@link matches} may be given, that is true only for agents that have the needed capabilities.
   */
  find(requirement: Requirement, holds?: (agent: T, requirement: Requirement) => boolean): readonly T[];
}

export function createAgentIndex<T extends Agent>(): AgentIndex<T> {
  const numbers = new Map<string, number>();
  const agents: (T | undefined)[] = [];
  const unused: number[] = [];
  const byName = new Map<string, Bitset>();

  const remove = (id: string): void => {
    const number = numbers.get(id);
    const known = number === undefined ? undefined : agents[number];
    if (number === undefined || !known) return;
    for (const name of namesOf(known)) {
      const set = byName.get(name);
      set?.delete(number);
      if (set?.size === 0) byName.delete(name);
    }
    numbers.delete(id);
    agents[number] = undefined;
    unused.push(number);
  };
  return {
    get size() {
      return numbers.size;
    },
    set(agent) {
      remove(agent.id);
      const number = unused.pop() ?? agents.length;
      numbers.set(agent.id, number);
      agents[number] = agent;
      for (const name of namesOf(agent)) {
        const set = byName.get(name) ?? createBitset();
        set.add(number);
        byName.set(name, set);
      }
    },
    delete: remove,
    find(requirement, holds = matches) {
      const sets = requirement.capabilities.map((need) => above(need).flatMap((name) => byName.get(name) ?? []));
      const found: T[] = [];
      for (const number of sets.length === 0 ? agents.keys() : membersOfAll(sets)) {
        const agent = agents[number];
        if (agent && holds(agent, requirement)) found.push(agent);
      }
      return found;
    },
  };
}

function namesOf({ capabilities }: Agent): ReadonlySet<string> {
  return new Set(capabilities.map((one) => splitCapability(one)[0]));
}

/** The needed name and those above it: `code.refactor.rename`, `code.refactor`, `code`. */
function above(need: string): readonly string[] {
  const [name] = splitCapability(need);
  const names = [name];
  for (let at = name.lastIndexOf("."); at > 0; at = name.lastIndexOf(".", at - 1)) names.push(name.slice(0, at));
  return names;
}

/** The numbers that are in some set of every union, by words of 32. */
function membersOfAll(unions: readonly (readonly Bitset[])[]): readonly number[] {
  const length = Math.min(...unions.map((sets) => Math.max(0, ...sets.map((set) => set.words))));
  const members: number[] = [];
  for (let at = 0; at < length; at++) {
    let word = -1;
    for (const sets of unions) {
      let either = 0;
      for (const set of sets) either |= set.word(at);
      word &= either;
    }
    for (; word !== 0; word &= word - 1) members.push(at * 32 + 31 - Math.clz32(word & -word));
  }
  return members;
}
