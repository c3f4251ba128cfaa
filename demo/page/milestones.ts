/** Says what matters of a run when it happens: to a screen reader, and in the tab's title. */
import type { Graph } from "../run/graph.ts";
import { fractionOf, phaseOf, type Run } from "../run/run.ts";
import type { Route } from "./state.ts";
import type { Announcer } from "./announcer.ts";

export interface Milestones {
  see(run: Run | undefined, route: Route): void;
}

export function createMilestones(announcer: Announcer, graph: Graph): Milestones {
  let before: { readonly id: string; readonly status: string; readonly done: ReadonlySet<string> } | undefined;

  const tell = (run: Run): void => {
    const done = new Set(
      [...run.nodes.values()].filter(({ status }) => status === "completed").map(({ node }) => node),
    );
    if (before?.id === run.id) {
      for (const { id, title, kind } of graph.nodes) {
        const works = kind === "task" || kind === "map";
        if (works && done.has(id) && !before.done.has(id)) announcer.say(`${title} done`);
      }
      if (before.status !== run.status) announcer.say(phaseOf(run, graph));
    }
    before = { id: run.id, status: run.status, done };
  };

  return {
    see(run, { kind }) {
      if (run) tell(run);
      const otherwise = kind === "inbox" ? "Inbox · Troupe" : "Code audit · Troupe";
      const title = run ? titleOf(run, graph) : otherwise;
      if (document.title !== title) document.title = title;
    },
  };
}

function titleOf(run: Run, graph: Graph): string {
  switch (run.status) {
    case "starting":
    case "running":
      return `${String(Math.round(fractionOf(run, graph) * 100))} % · ${run.name}`;
    case "waiting":
      return `Review needed · ${run.name}`;
    case "completed":
      return `Report · ${run.name}`;
    case "failed":
      return `Failed · ${run.name}`;
    case "cancelled":
      return `Cancelled · ${run.name}`;
  }
}
