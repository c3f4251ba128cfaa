/** Tells whoever listens to the page that something has come in for them; in the inbox itself, the inbox tells it. */
import type { MirrorState } from "../../src/index.ts";
import { waitsFor } from "../../src/inbox.ts";
import type { Announcer } from "../page/announcer.ts";
import type { Ui } from "../page/state.ts";
import { isReview } from "./waiting.ts";

export interface Arrivals {
  see(mirror: MirrorState, ui: Pick<Ui, "person" | "route">): void;
}

export function createArrivals(announcer: Announcer): Arrivals {
  let known: MirrorState["approvals"] | undefined;
  return {
    see(mirror, { person, route }) {
      const before = known;
      known = mirror.approvals;
      if (!before || before === known || route.kind === "inbox") return;
      for (const [id, view] of known) {
        if (before.has(id) || isReview(view, mirror) || !waitsFor(view, person ?? {})) continue;
        announcer.say(`In your inbox: ${view.message}`);
      }
    },
  };
}
