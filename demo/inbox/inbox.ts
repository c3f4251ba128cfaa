/** The page's `<approval-inbox>`: one element for as long as the page lives, which follows who is signed in. */
import type { Runtime } from "../../src/index.ts";
import { ApprovalInbox, defineApprovalInbox } from "../../src/inbox.ts";
import type { UiStore } from "../page/state.ts";
import { isReview } from "./waiting.ts";

export function createInbox(runtime: Runtime, ui: UiStore): ApprovalInbox {
  defineApprovalInbox();
  const inbox = new ApprovalInbox();
  inbox.className = "inbox";
  inbox.select = (approval) => !isReview(approval, runtime);
  inbox.runtime = runtime;
  const follow = (): void => {
    const { person, signerSoon } = ui.getState();
    inbox.signer = signerSoon;
    if (inbox.person !== person) inbox.person = person;
  };
  ui.subscribe(follow);
  follow();
  return inbox;
}
