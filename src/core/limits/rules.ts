import type { AgentsState } from "../agents/fold.ts";
import { RuntimeError } from "../errors.ts";
import type { Rules } from "../kernel.ts";
import type { LimitUse } from "../tasks/order.ts";
import type { LimitsState } from "./fold.ts";
import { burstOf, creditAt, EVERY_TASK, type LimitCommands, type LimitEvents } from "./limit.ts";

export interface LimitsView {
  readonly limits: LimitsState;
  readonly agents: AgentsState;
}

export const limitsRules: Rules<LimitsView, LimitCommands, LimitEvents> = {
  decide: {
    "limit.set": ({ limits }, data) => {
      const { id, ...known } = limits.limits.get(data.name) ?? { id: undefined };
      const { name, ...settings } = data;
      return id === name && same(known, settings) ? [] : [{ type: "limit.set", data }];
    },
    "limit.remove": ({ limits }, { name }) => {
      if (!limits.limits.has(name)) throw unknownLimit(name);
      return [{ type: "limit.removed", data: { name } }];
    },
    "limit.wake": ({ limits }, { id }, { now }) => {
      const use = limits.uses.get(id);
      const rate = use && limits.limits.get(use.limit)?.rate;
      if (!rate || use.running > 0 || creditAt(rate, use, now) < burstOf(rate)) return [];
      return [{ type: "limit.refilled", data: { id } }];
    },
  },
};

/**
 * Refuses work that names a limit that isn't set: it would run without it.
 * @throws RuntimeError `limit/unknown`; `command/invalid` for the one that applies to every task anyway.
 */
export function checkLimits({ limits }: Pick<LimitsState, "limits">, named: readonly LimitUse[] = []): void {
  for (const { limit } of named) {
    if (limit === EVERY_TASK)
      throw new RuntimeError("command/invalid", { at: "limits", limit, reason: "it applies to every task by itself" });
    if (!limits.has(limit)) throw unknownLimit(limit);
  }
}

function unknownLimit(limit: string): RuntimeError {
  return new RuntimeError("limit/unknown", { limit });
}

function same(known: object, settings: object): boolean {
  const text = (value: object): string => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(known) === text(settings);
}
