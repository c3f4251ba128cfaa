import { plainError, RuntimeError, type ErrorData } from "../errors.ts";
import type { FactOf, Request, Rules } from "../kernel.ts";
import type { TasksView } from "../tasks/rules.ts";
import { isActive, type TaskEvents } from "../tasks/task.ts";
import { agentId, holdingId, MAX_FORMER } from "./agent.ts";
import type { AgentCommands, AgentEvents, UnregisterMode } from "./agent.ts";
import { type AgentsState } from "./fold.ts";
import { loadOf } from "./status.ts";
import { ManifestSchema, type Manifest } from "./manifest.ts";

export interface AgentsView extends TasksView {
  readonly agents: AgentsState;
}

export const agentsRules: Rules<AgentsView, AgentCommands, AgentEvents, AgentEvents & TaskEvents> = {
  decide: {
    "agent.register": ({ agents }, { replace, ...manifest }) => {
      const id = agentId(manifest);
      const { workers, minWorkers = 0 } = manifest;
      if (minWorkers > workers)
        throw new RuntimeError("agent/manifest-invalid", { agent: id, field: "minWorkers", minWorkers, workers });
      const known = agents.agents.get(id);
      if (known && !known.draining && differences(known, manifest).length === 0) return []; // another tab registers the same
      const differs = known && !known.draining ? differences(known, manifest) : [];
      if (differs.length > 0 && !replace) throw new RuntimeError("agent/duplicate", { id, differs });
      return [{ type: "agent.registered", data: manifest }];
    },
    "agent.unregister": ({ agents }, { id, mode = "drain" }) =>
      named(agents, id)
        .map((one) => unregister(agents, one, mode))
        .flat(),
    "agent.retire": ({ agents }, { id }) =>
      agents.agents.get(id)?.draining && loadOf(agents, id).held === 0 ? [unregistered(agents, id, "drain")] : [],
    "agent.switch": ({ agents }, { id, offline }) =>
      named(agents, id)
        .filter((one) => (agents.agents.get(one)?.offline ?? false) !== offline)
        .map((one) => ({ type: "agent.switched", data: { id: one, offline } })),
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
    "link.silence": ({ agents }, { link }) => {
      const known = agents.links.get(link);
      return known && !known.silent ? [{ type: "link.silenced", data: { link, agent: known.agent } }] : [];
    },
    "link.hear": ({ agents }, { link }) => {
      const known = agents.links.get(link);
      return known?.silent ? [{ type: "link.heard", data: { link, agent: known.agent } }] : [];
    },
    "link.strain": ({ agents }, { link, strained }) => {
      const known = agents.links.get(link);
      if (!known || (known.strained ?? false) === strained) return [];
      return [{ type: "link.strained", data: { link, agent: known.agent, strained } }];
    },
    "link.wear": ({ agents }, { link }) => {
      const known = agents.links.get(link);
      return known && !known.worn ? [{ type: "link.worn", data: { link, agent: known.agent } }] : [];
    },
    "page.offer": ({ agents }, { session, agents: offered }) => {
      const before = agents.offers.get(session)?.agents ?? [];
      const now = [...new Set(offered)];
      const same = now.length === before.length && now.every((id) => before.includes(id));
      return same ? [] : [{ type: "page.offered", data: { session, agents: now } }];
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
    "link.left": ({ agents }, { agent, cause, error, holdings }) => [
      ...holdings.map(([id, attempt]): Request => {
        // A crash counts against the task that ran; a page that went or a kill for another attempt doesn't.
        if (cause === "crashed") return { type: "task.fail", data: { id, attempt, error: error ?? crashed } };
        return { type: "task.interrupt", data: { id, attempt, reason: `its worker is ${cause}` } };
      }),
      ...retiring(agents, agent),
    ],
    "agent.withdrawn": ({ agents }, { id }) => retiring(agents, id),
    "agent.unregistered": ({ agents }, { id, mode }) => {
      if (mode === "drain") return [];
      return [...agents.holdings.values()]
        .filter(({ link, over }) => !over && agents.links.get(link)?.agent === id)
        .map(({ task, attempt }): Request => {
          const reason = "its agent was unregistered";
          return { type: "task.interrupt", data: { id: task, attempt, reason } };
        });
    },
    "task.completed": ({ agents }, { link }) => retiring(agents, agentOf(agents, link)),
    "task.failed": ({ agents }, { link = "" }) => retiring(agents, agentOf(agents, link)),
    "task.interrupted": ({ agents }, { link }) => retiring(agents, agentOf(agents, link)),
    "slot.released": ({ agents }, { link }) => retiring(agents, agentOf(agents, link)),
  },
};

function agentOf({ links }: AgentsState, link: string | undefined): string | undefined {
  return link === undefined ? undefined : links.get(link)?.agent;
}

/** An agent that was withdrawn is gone when it runs nothing any more. */
function retiring(agents: AgentsState, id: string | undefined): readonly Request[] {
  if (id === undefined || !agents.agents.get(id)?.draining || loadOf(agents, id).held > 0) return none;
  return [{ type: "agent.retire", data: { id } }];
}

const none: readonly Request[] = [];

/** Those of the id, or of the name in all versions. @throws RuntimeError `agent/unknown` */
function named({ agents }: AgentsState, id: string): readonly string[] {
  if (agents.has(id)) return [id];
  const found = [...agents.values()].filter(({ name }) => name === id).map((agent) => agent.id);
  if (found.length === 0) throw new RuntimeError("agent/unknown", { id });
  return found;
}

function unregister(agents: AgentsState, id: string, mode: UnregisterMode): readonly FactOf<AgentEvents>[] {
  if (mode !== "drain" || loadOf(agents, id).held === 0) return [unregistered(agents, id, mode)];
  return agents.agents.get(id)?.draining ? [] : [{ type: "agent.withdrawn", data: { id } }];
}

function unregistered({ former }: AgentsState, id: string, mode: UnregisterMode): FactOf<AgentEvents> {
  const [oldest] = former.size >= MAX_FORMER ? former.entries() : [];
  return { type: "agent.unregistered", data: { id, mode, ...(oldest && { forgotten: oldest[0] }) } };
}

const crashed: ErrorData = {
  name: "RuntimeError",
  message: "the worker crashed",
  code: "agent/crashed",
};

/** The fields in which the manifests differ. The same code may come from another place. */
function differences(known: Manifest, manifest: Manifest): readonly string[] {
  const isSameCode = manifest.integrity !== undefined && manifest.integrity === known.integrity;
  const of = known as Readonly<Record<string, unknown>>;
  const is = manifest as Readonly<Record<string, unknown>>;
  return MANIFEST_FIELDS.filter(
    (field) => !(isSameCode && field === "url") && JSON.stringify(of[field]) !== JSON.stringify(is[field]),
  );
}

const MANIFEST_FIELDS = Object.keys(ManifestSchema.entries);
