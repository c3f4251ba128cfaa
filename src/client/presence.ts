/** The page's life: the lock that proves it, and the back/forward cache that suspends it. */

/** Holds a lock until the returned function is called, or the page is gone: the proof of its life. */
export async function holdLock(lock: string): Promise<() => void> {
  return new Promise((held) => {
    void navigator.locks.request(
      lock,
      () =>
        new Promise<void>((release) => {
          held(release);
        }),
    );
  });
}

export interface PresenceOptions {
  readonly lock: string;
  /** Lets go of the lock as it is held now. */
  readonly release: () => void;
  readonly leave: () => void;
  readonly comeBack: () => void;
}

/**
 * A page in the back/forward cache is frozen with its workers, so it leaves before; when it is shown again, it comes
 * back under the same session, and what it had said is decided once. Returns how to end that and let go of the lock.
 */
export function attend({ lock, release: first, leave, comeBack }: PresenceOptions): () => void {
  const watching = new AbortController();
  const { signal } = watching;
  let release = first;
  let turn = 0;
  const hide = (): void => {
    turn++;
    leave();
    release();
  };
  const show = async ({ persisted }: PageTransitionEvent): Promise<void> => {
    if (!persisted) return;
    const mine = ++turn;
    const held = await holdLock(lock);
    if (mine !== turn) {
      held(); // hidden again, or closed
      return;
    }
    release = held;
    comeBack();
  };
  addEventListener("pagehide", hide, { signal });
  addEventListener("pageshow", (event) => void show(event), { signal });
  return () => {
    turn++;
    watching.abort();
    release();
  };
}
