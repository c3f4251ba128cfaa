/** Who is at this page, at its top, and the choice of somebody else. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { PEOPLE, personNamed, ROLES, type Person } from "../people/people.ts";
import type { Scene } from "../page/scene.ts";
import { icon } from "./icons.ts";

/** `Ann, maintainer` */
export const nameOf = ({ id, roles }: Person): string => [id, ...roles].join(", ");

export function personMenu(scene: Scene): TemplateResult {
  const { person, signer } = scene.ui;
  return html`
    <button class="button button-quiet person" popovertarget="people" title="Who is here">
      ${person ? html`<i class="initial" aria-hidden="true">${person.id.charAt(0)}</i>` : icon("person")}
      <span class="unseen">You are</span>
      <span class="masthead-word">${person ? person.id : "Nobody"}</span>
      ${signer ? html`${icon("key")}<span class="unseen">, answers are signed</span>` : nothing}
    </button>
    <div class="people" id="people" popover role="dialog" aria-labelledby="people-title">
      <h2 id="people-title">Who is here?</h2>
      <p class="faint">This tab alone is told. Open another one to be somebody else there.</p>
      <ul>
        ${PEOPLE.map((one) => choice(scene, one))}
        ${person && !PEOPLE.some(({ id }) => id === person.id) ? choice(scene, person) : nothing}
        ${choice(scene, undefined)}
      </ul>
      ${another(scene)} ${signing(scene)}
    </div>
  `;
}

function close(): void {
  document.getElementById("people")?.hidePopover();
}

function choice({ ui, actions }: Scene, person: Person | undefined): TemplateResult {
  const isHere = person?.id === ui.person?.id;
  return html`
    <li>
      <button
        class="choice"
        aria-pressed=${isHere ? "true" : "false"}
        @click=${() => {
          actions.people.signIn(person);
          close();
        }}
      >
        <i class="initial" aria-hidden="true">${person ? person.id.charAt(0) : "–"}</i>
        <b>${person?.id ?? "Nobody"}</b>
        <span class="faint">${person ? person.roles.join(", ") || "no role" : "looks on"}</span>
        ${isHere ? icon("check") : nothing}
      </button>
    </li>
  `;
}

/** One's own name, with the roles that one takes. */
function another({ actions }: Scene): TemplateResult {
  const signIn = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const given = new FormData(event.target);
    const name = given.get("name");
    const person = personNamed(typeof name === "string" ? name : "");
    if (!person) return;
    const roles = ROLES.filter((role) => given.has(role));
    actions.people.signIn(PEOPLE.includes(person) ? person : { ...person, roles });
    event.target.reset();
    close();
  };
  return html`
    <form class="another" @submit=${signIn}>
      <label class="field"
        ><span>Another</span> <input name="name" required maxlength="200" autocomplete="name" placeholder="Name"
      /></label>
      <fieldset>
        <legend class="unseen">Roles</legend>
        ${ROLES.map((role) => html`<label class="check"><input type="checkbox" name=${role} /> ${role}</label>`)}
      </fieldset>
      <button class="button">Sign in</button>
    </form>
  `;
}

function signing({ ui, actions }: Scene): TemplateResult {
  return html`
    <label class="check"
      ><input
        type="checkbox"
        .checked=${ui.signing}
        @change=${() => {
          actions.people.sign(!ui.signing);
        }}
      />
      Sign my answers with a key of this browser</label
    >
    <p class="faint">Its private part never leaves the browser; the record then proves who has decided, and on what.</p>
  `;
}
