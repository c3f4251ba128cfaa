/** The calls that register agents, and take them off. */
import { agentId } from "../core/agents/agent.ts";
import type { Cells } from "./cells.ts";
import type { Connection } from "./connection.ts";
import type { Runtime } from "./runtime.ts";

type Calls = Pick<Runtime, "registerAgent" | "unregisterAgent" | "setAgentOffline">;

export function createAgentCalls({
  cells,
  connection,
}: {
  readonly cells: Cells;
  readonly connection: Connection;
}): Calls {
  return {
    async registerAgent(options) {
      const manifest = await cells.load(options);
      const id = agentId(manifest);
      const { replace = false } = options;
      try {
        connection.command(id, { type: "agent.register", data: { ...manifest, replace } });
        await connection.outbox.settled(id);
      } catch (error) {
        cells.discard(id);
        throw error;
      }
      cells.offer(manifest);
      return manifest;
    },
    unregisterAgent(id, mode = "drain") {
      connection.command(id, { type: "agent.unregister", data: { id, mode } });
    },
    setAgentOffline(id, offline) {
      connection.command(id, { type: "agent.switch", data: { id, offline } });
    },
  };
}
