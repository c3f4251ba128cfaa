/** Speaks to Chromium over its own DevTools protocol, with the host's SharedWorker and the page. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Target {
  readonly targetId: string;
  readonly type: string;
  readonly url: string;
}

export type Send = (method: string, params?: object, sessionId?: string) => Promise<unknown>;

/** The browser whose profile is in the folder. */
export async function attach(folder: string): Promise<{ send: Send; close: () => void }> {
  const [port = "", path = ""] = readFileSync(join(folder, "DevToolsActivePort"), "utf8").split("\n");
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  const waiting = new Map<number, (result: unknown) => void>();
  let last = 0;
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const { id, result } = JSON.parse(data) as { id?: number; result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  };
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        socket.send(JSON.stringify({ id: last, method, params, ...(sessionId !== undefined && { sessionId }) }));
      }),
    close: () => {
      socket.close();
    },
  };
}

/** The hosts of ours, and the page of the benchmarks. */
export async function targetsOf(send: Send): Promise<readonly Target[]> {
  const { targetInfos } = (await send("Target.getTargets")) as { targetInfos: readonly Target[] };
  return targetInfos.filter(
    ({ type, url }) =>
      (type === "shared_worker" && url.includes("/host/")) || (type === "page" && url.includes("bench")),
  );
}
