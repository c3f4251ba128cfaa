import type { Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { HostingEvents, Session } from "./hosting.ts";

export interface HostingState {
  epoch: number;
  readonly sessions: Table<Session>;
}

export const hostingFold: Fold<HostingState, HostingEvents> = {
  create: (kit) => ({ epoch: 0, sessions: kit.table<Session>() }),
  apply: {
    "host.started": (state, { epoch }) => {
      state.epoch = epoch;
    },
    "session.advanced": (state, { session, mark, refused, acknowledged }, at) => {
      const { refused: kept = [], actor } = state.sessions.get(session) ?? {};
      state.sessions.set(session, {
        ...(actor && { actor }),
        id: session,
        mark,
        refused: [...kept, ...copyJson(refused)].filter(([number]) => number > acknowledged),
        seenAt: at,
      });
    },
    "session.identified": (state, { session, actor }, at) => {
      const { actor: _, ...known } = state.sessions.get(session) ?? { id: session, mark: 0, refused: [], seenAt: at };
      state.sessions.set(session, { ...known, ...(actor && { actor: copyJson(actor) }) });
    },
    "session.ended": (state, { session }) => {
      state.sessions.delete(session);
    },
  },
  save: ({ epoch, sessions }) => ({ epoch, sessions: saveTable(sessions) }),
  restore(state, saved) {
    const { epoch, sessions } = saved as { epoch: number; sessions: Session[] };
    state.epoch = epoch;
    restoreTable(state.sessions, sessions);
  },
};
