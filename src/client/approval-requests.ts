/** Tells of every open approval: of those that wait already, and of each new one. */
import type { ApprovalRequest } from "./approval-types.ts";
import type { ApprovalView, Runtime } from "./runtime.ts";

export function watchRequests(store: Runtime["store"], tell: (request: ApprovalRequest) => void): () => void {
  let known: ReadonlyMap<string, ApprovalView> = new Map();
  const look = (approvals: typeof known): void => {
    if (approvals === known) return;
    const before = known;
    known = approvals;
    for (const [id, view] of approvals) {
      const { step, revision, requestedAt } = view;
      const last = before.get(id);
      // The same id is asked anew when its node is begun again; others are asked when it is escalated or edited.
      if (last?.requestedAt !== requestedAt || last.step !== step || last.revision !== revision) tell(requestOf(view));
    }
  };
  look(store.getState().approvals);
  return store.subscribe(({ approvals }) => {
    look(approvals);
  });
}

function requestOf(view: ApprovalView): ApprovalRequest {
  const request = { sender: view.id, schema: view.edit };
  // The payload is read when it is looked at.
  return Object.defineProperties(
    { ...request },
    {
      ...Object.getOwnPropertyDescriptors(view),
      context: { enumerable: true, get: () => view.payload },
    },
  ) as unknown as ApprovalRequest;
}
