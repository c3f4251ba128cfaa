/** What a page listens to. The host sends the journal's events only to pages that want any. */
import type { CoreEvent } from "../core/runtime.ts";
import type mitt from "mitt";
import type { Connection, ConnectionOptions } from "./connection.ts";
import { isolated } from "./isolated.ts";
import type { Runtime, RuntimeEvents } from "./runtime.ts";

export type Emitter = ReturnType<typeof mitt<Record<keyof RuntimeEvents, unknown>>>;

/** What a connection needs to know and to tell. */
export function hearing(emitter: Emitter): Pick<ConnectionOptions, "isListening" | "onEvents" | "onStorageLost"> {
  return {
    isListening: () => isListening(emitter),
    onEvents(events) {
      for (const event of events) publish(emitter, event);
    },
    onStorageLost(database, before) {
      emitter.emit("storage-lost", { database, before });
    },
  };
}

type Hear = (event: never) => void;

/** Tells the host when the page begins to listen to the journal's events, and when it no longer does. */
export function listenTo(
  emitter: Emitter,
  connection: Pick<Connection, "say">,
  store: Runtime["store"],
): Pick<Runtime, "on" | "once" | "off"> {
  const kept = new Set<{ readonly type: string; readonly listener: Hear; readonly end: () => void }>();
  let was = false;
  const tell = (): void => {
    const on = isListening(emitter);
    if (on !== was) connection.say({ kind: "listen", on }); // without a wire the next hello says so
    was = on;
  };
  const on = (type: keyof RuntimeEvents, listener: Hear, call = listener): (() => void) => {
    if (typeof type !== "string" || typeof listener !== "function") throw new Error("expected: type, listener");
    const hear = (event: unknown): void => {
      isolated(() => {
        call(event as never);
      });
    };
    const watched = type === "human_approval_request" && watchApprovals(store, hear);
    if (!watched) emitter.on(type, hear);
    tell();
    const one = {
      type,
      listener,
      end() {
        kept.delete(one);
        if (watched) watched();
        emitter.off(type, hear);
        tell();
      },
    };
    kept.add(one);
    return one.end;
  };
  return {
    on: (type, listener) => on(type, listener),
    once(type, listener) {
      const end = on(type, listener, (event) => {
        end();
        listener(event);
      });
      return end;
    },
    off(type, listener) {
      for (const one of kept) if (one.type === type && one.listener === listener) one.end();
    },
  };
}

/** Few pages ask people: what it takes is loaded then. */
function watchApprovals(store: Runtime["store"], hear: (request: unknown) => void): () => void {
  let isOn = true;
  const watching = import("./approval-requests.ts").then(({ watchRequests }) =>
    watchRequests(store, (request) => {
      if (isOn) hear(request);
    }),
  );
  return () => {
    isOn = false;
    void watching.then((end) => {
      end();
    });
  };
}

/** The journal's events have a dot in their names. */
function isListening({ all }: Emitter): boolean {
  return [...all].some(([type, { length }]) => length > 0 && (type === "event" || type.includes(".")));
}

function publish(emitter: Emitter, { type, data, at }: CoreEvent): void {
  if (isHeard(emitter, type)) emitter.emit(type, { ...data, at });
  if (isHeard(emitter, "event")) emitter.emit("event", { type, data, at });
}

/** There are thousands of events in a second, and a page listens to few kinds of them. */
function isHeard({ all }: Emitter, type: keyof RuntimeEvents): boolean {
  return (all.get(type)?.length ?? 0) > 0;
}
