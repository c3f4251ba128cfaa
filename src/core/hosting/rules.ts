import type { Rules } from "../kernel.ts";
import type { HostingState } from "./fold.ts";
import { SESSION_LIFE, type HostingCommands, type HostingEvents } from "./hosting.ts";

export interface HostingView {
  readonly hosting: HostingState;
}

export const hostingRules: Rules<HostingView, HostingCommands, HostingEvents> = {
  decide: {
    "host.start": ({ hosting }, { epoch }, { now }) => [
      { type: "host.started", data: { epoch } },
      ...[...hosting.sessions.values()]
        .filter(({ seenAt }) => now - seenAt > SESSION_LIFE)
        .map(({ id }) => ({ type: "session.ended", data: { session: id } }) as const),
    ],
    "session.identify": ({ hosting }, data) =>
      JSON.stringify(hosting.sessions.get(data.session)?.actor) === JSON.stringify(data.actor)
        ? []
        : [{ type: "session.identified", data }],
    "session.advance": (_view, data) => [{ type: "session.advanced", data }],
  },
};
