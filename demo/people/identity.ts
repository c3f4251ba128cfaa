/** Signs people in: tells the runtime who is at this page, and signs with their key if they want that. */
import type { Runtime, Signer } from "../../src/index.ts";
import { createSigner } from "../../src/approvals.ts";
import type { Notify } from "../page/app.ts";
import { errorData } from "../page/errors.ts";
import type { PeopleActions } from "../page/scene.ts";
import type { UiStore } from "../page/state.ts";
import { keepPerson } from "./people.ts";

export interface Identity {
  readonly actions: PeopleActions;
  /** Says it again: the page is a new one, or the runtime knows of nobody any more. */
  restore(): void;
}

export function createIdentity(runtime: Runtime, ui: UiStore, notify: Notify): Identity {
  const tell = async (): Promise<void> => {
    const { person, signing } = ui.getState();
    keepPerson({ person, signing });
    const { id, roles = [] } = person ?? {};
    const identified = runtime.identify(id === undefined ? undefined : { id, roles });
    const signerSoon = id !== undefined && signing ? registered(runtime, id, identified) : undefined;
    ui.setState({ signer: undefined, signerSoon });
    const [signer] = await Promise.all([signerSoon, identified]);
    if (ui.getState().signerSoon === signerSoon) ui.setState({ signer }); // else another is there by now
  };
  const restore = (): void => {
    tell().catch((error: unknown) => {
      const { code, message } = errorData(error);
      const known = "Another browser’s key, or one that was cleared, is registered under this name.";
      notify("fault", "You could not be signed in as you wanted.", code === "approval/key-known" ? known : message);
    });
  };
  return {
    restore,
    actions: {
      signIn(person) {
        ui.setState({ person });
        restore();
      },
      sign(signing) {
        ui.setState({ signing });
        restore();
      },
    },
  };
}

/** The person's own signer, whose key the runtime has been told. */
async function registered(runtime: Runtime, id: string, identified: Promise<unknown>): Promise<Signer> {
  const [signer] = await Promise.all([createSigner({ id }), identified]);
  await runtime.registerApprover(signer);
  return signer;
}
