/** Signs people in: tells the runtime who is at this page, and signs with their key if they want that. */
import type { Runtime } from "../../src/index.ts";
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
    ui.setState({ signer: undefined });
    const { id, roles } = person ?? {};
    await runtime.identify(id === undefined || !roles ? undefined : { id, roles });
    if (id === undefined || !signing) return;
    const signer = await createSigner({ id });
    await runtime.registerApprover(signer);
    if (ui.getState().person?.id === id && ui.getState().signing) ui.setState({ signer });
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
