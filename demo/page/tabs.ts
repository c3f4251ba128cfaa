/** How many tabs show this page: each holds a lock by its name while it lives. */
const LOCK = "audit page open";
const EVERY = 2_000;

/** Tabs that are open now, with this one. */
export async function openTabs(): Promise<number> {
  const { held = [] } = await navigator.locks.query();
  return Math.max(1, held.filter(({ name }) => name === LOCK).length);
}

/** Calls back with the number of tabs, whenever it may have changed. */
export function countTabs(told: (tabs: number) => void): void {
  void navigator.locks.request(LOCK, { mode: "shared" }, () => new Promise(() => undefined));
  const look = async (): Promise<void> => {
    told(await openTabs());
  };
  const news = new BroadcastChannel(LOCK);
  news.onmessage = () => void look();
  news.postMessage("here");
  setInterval(() => {
    if (!document.hidden) void look();
  }, EVERY);
  setTimeout(() => void look(), 100);
}
