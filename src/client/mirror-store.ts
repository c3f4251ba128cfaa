/**
 * The store of a mirror. What the host tells is told on at once. What this page's own calls show (a thousand tasks
 * made in one loop) is told once, at the end of the turn; but whoever reads the state sees it at once.
 */
import { createStore, type StoreApi } from "zustand/vanilla";
import { isolated } from "./isolated.ts";
import type { MirrorState } from "./runtime.ts";

export interface MirrorStore {
  readonly store: StoreApi<MirrorState>;
  /** Takes the present pictures and tells listeners. */
  publish(changes?: Partial<MirrorState>): void;
  /** The same, at the end of this turn. */
  publishSoon(): void;
}

export function createMirrorStore(initial: MirrorState, present: () => Partial<MirrorState>): MirrorStore {
  const store = createStore<MirrorState>(() => initial);
  const { subscribe, getState } = store;
  let latest = initial; // listeners are told of it
  let told = initial; // all of them have been
  let isStale = false;
  let isQuiet = false;
  let isScheduled = false;

  const refresh = (changes: Partial<MirrorState> = {}): void => {
    isStale = false;
    store.setState({ ...changes, ...present() });
  };
  const publish = (changes?: Partial<MirrorState>): void => {
    refresh(changes);
    told = latest;
  };
  subscribe((now) => {
    if (!isQuiet) latest = now;
  });
  store.subscribe = (listener) =>
    subscribe((now) => {
      if (isQuiet) return;
      isolated(() => {
        listener(now, told);
      });
    });
  store.getState = () => {
    if (isStale) {
      isQuiet = true;
      refresh();
      isQuiet = false;
    }
    return getState();
  };
  return {
    store,
    publish,
    publishSoon() {
      isStale = true;
      if (isScheduled) return;
      isScheduled = true;
      queueMicrotask(() => {
        isScheduled = false;
        if (isStale || told !== getState()) publish();
      });
    },
  };
}
