/** The ways to a host: a port of a SharedWorker, or the channel of the name. */
import type { Wire } from "../core/protocol.ts";

/** What comes over a wire: a host's frame, or word that another host is up or elsewhere. */
export interface WireEvents {
  readonly onFrame: (frame: unknown) => void;
  /** Say hello here, now. */
  readonly onHere: () => void;
  /** This worker isn't the host; it is to be found over the channel. */
  readonly onElsewhere: () => void;
}

/** The port of a SharedWorker; `onFailed` when its script can't be loaded. */
export function createPortWire(worker: SharedWorker, events: WireEvents, onFailed: (reason: string) => void): Wire {
  const { port } = worker;
  worker.onerror = (event) => {
    const { message } = event as Partial<ErrorEvent>;
    onFailed(message || "its script could not be loaded");
  };
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    const { signpost } = (data ?? {}) as { readonly signpost?: unknown };
    if (signpost === "here") events.onHere();
    else if (signpost === "elsewhere") events.onElsewhere();
    else events.onFrame(data);
  };
  return {
    ports: true,
    post(frame, transfer = []) {
      port.postMessage(frame, transfer as Transferable[]);
    },
    close() {
      port.close();
    },
  };
}

export function createChannelWire(name: string, session: string, events: WireEvents): Wire {
  const channel = new BroadcastChannel(`troupe:${name}`);
  channel.onmessage = ({ data }: MessageEvent<Readonly<Record<string, unknown>>>) => {
    if (data["to"] === "page" && data["page"] === session) events.onFrame(data["frame"]);
    else if (data["to"] === "pages" && data["kind"] === "host-up") events.onHere();
    else if (data["to"] === "pages") events.onFrame(data["frame"]);
  };
  return {
    ports: false,
    post(frame) {
      channel.postMessage({ to: "host", from: session, frame });
    },
    close() {
      channel.close();
    },
  };
}
