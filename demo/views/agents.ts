/** Who works: each agent, how it is kept, and its workers. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { AgentView } from "../../src/index.ts";
import type { Scene } from "../page/scene.ts";
import type { Graph } from "../run/graph.ts";
import { icon } from "./icons.ts";

export function agents({ mirror, graph }: Scene): TemplateResult {
  const all = [...mirror.agents.values()].toSorted((a, b) => placeOf(a, graph) - placeOf(b, graph));
  return html`
    <section class="panel" aria-labelledby="agents">
      <header class="panel-head"><h2 id="agents">Agents</h2></header>
      ${
        all.length === 0
          ? html`<p class="empty">No agent is registered yet.</p>`
          : html`
              <div class="table-frame" tabindex="0" role="region" aria-label="Agents, table">
                <table class="agents">
                  <thead>
                    <tr>
                      <th scope="col">Agent</th>
                      <th scope="col">Status</th>
                      <th scope="col">Kept</th>
                      <th scope="col">Workers</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${all.map(agentRow)}
                  </tbody>
                </table>
              </div>
            `
      }
    </section>
  `;
}

/** Agents stand in the order of the steps that they serve. */
function placeOf({ capabilities }: AgentView, { nodes }: Graph): number {
  const at = nodes.findIndex((node) => node.capabilities.some((one) => capabilities.includes(one)));
  return at < 0 ? nodes.length : at;
}

function agentRow(agent: AgentView): TemplateResult {
  const { name, version, status, trusted, fault, links, running, workers } = agent;
  return html`
    <tr>
      <th scope="row">${name.replace(/^audit-/u, "")} <span class="faint wide">${version}</span></th>
      <td>
        <span class="status status-${status}">${status}</span>
        ${fault ? html`<span class="fault-line">${fault.message}</span>` : nothing}
      </td>
      <td>${trusted ? "trusted" : html`<span class="kept">${icon("lock")} isolated</span>`}</td>
      <td class="number">
        <span class="lamp-row" aria-hidden="true">
          ${Array.from({ length: Math.min(links, 8) }, (_, at) => html`<i class=${at < running ? "on" : ""}></i>`)}
        </span>
        ${String(Math.min(running, links))} busy<span class="wide">, ${String(links)} up of ${String(workers)}</span>
      </td>
    </tr>
  `;
}
