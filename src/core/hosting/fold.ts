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
      const kept = state.sessions.get(session)?.refused ?? [];
      state.sessions.set(session, {
        id: session,
        mark,
        refused: [...kept, ...copyJson(refused)].filter(([number]) => number > acknowledged),
        seenAt: at,
      });
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
