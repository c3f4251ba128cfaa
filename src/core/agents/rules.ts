import { plainError, RuntimeError, type ErrorData } from "../errors.ts";
import type { Request, Rules } from "../kernel.ts";
import type { TasksView } from "../tasks/rules.ts";
import { isActive } from "../tasks/task.ts";
import { holdingId } from "./agent.ts";
import type { AgentCommands, AgentEvents } from "./agent.ts";
import type { AgentsState } from "./fold.ts";

export interface AgentsView extends TasksView {
  readonly agents: AgentsState;
}

export const agentsRules: Rules<AgentsView, AgentCommands, AgentEvents> = {
  decide: {
    "agent.register": ({ agents }, manifest) => {
      const known = agents.agents.get(manifest.name);
      if (known && sameManifest(known, manifest)) return []; // another tab registers the same
      return [{ type: "agent.registered", data: manifest }];
    },
    "agent.unregister": ({ agents }, { id }) => {
      if (!agents.agents.has(id)) throw new RuntimeError("agent/unknown", { id });
      return [{ type: "agent.unregistered", data: { id } }];
    },
    "agent.fault": ({ agents }, { id, error }) =>
      agents.agents.has(id) ? [{ type: "agent.faulted", data: { id, error: plainError(error) } }] : [],
    "link.join": ({ agents }, { link, agent, session }) => {
      const served = agents.agents.get(agent);
      if (!served || agents.links.has(link)) return [];
      return [{ type: "link.joined", data: { link, agent, session, slots: served.slots } }];
    },
    "link.leave": ({ agents }, { link, cause, error }) => {
      const left = agents.links.get(link);
      if (!left) return [];
      const holdings = [...agents.holdings.values()]
        .filter((holding) => holding.link === link)
        .map(({ task, attempt }) => [task, attempt] as const);
      const data = { link, agent: left.agent, cause, ...(error && { error: plainError(error) }), holdings };
      return [{ type: "link.left", data }];
    },
    "slot.release": ({ agents, tasks }, data) => {
      const { link, task, attempt } = data;
      if (agents.holdings.get(holdingId(task, attempt))?.link !== link) return [];
      const now = tasks.tasks.get(task);
      const isRunning = now?.attempt === attempt && isActive(now); // then its end gives the slot back
      return isRunning ? [] : [{ type: "slot.released", data }];
    },
  },
  react: {
    "link.left": (_view, { cause, error, holdings }) =>
      holdings.map(([id, attempt]): Request => {
        // A crash counts against the task that ran; a page that went or a kill for another attempt doesn't.
        if (cause === "crashed") return { type: "task.fail", data: { id, attempt, error: error ?? crashed } };
        return { type: "task.interrupt", data: { id, attempt, reason: `its worker is ${cause}` } };
      }),
  },
};

const crashed: ErrorData = {
  name: "RuntimeError",
  message: "the worker crashed",
  code: "agent/crashed",
};

function sameManifest(known: object, manifest: object): boolean {
  const of = known as Readonly<Record<string, unknown>>;
  return Object.entries(manifest).every(([key, value]) => JSON.stringify(of[key]) === JSON.stringify(value));
}
