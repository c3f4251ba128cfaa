/** Where a code base comes in: dropped, picked, or the sample. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import { LIMITS, SAMPLE } from "../audit.ts";
import { bytes, count } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";
import { icon } from "./icons.ts";
import { stage } from "./stage.ts";

export function start(scene: Scene): TemplateResult {
  return html`
    <div class="hero">
      <section class="intro" aria-labelledby="title">
        <h1 id="title" tabindex="-1">Audit a code base without handing it over</h1>
        <p class="lede">
          Six agents read it inside this browser, each in a worker that reaches neither your files nor the network. You
          decide what counts. Close the tab whenever you like: the audit goes on where it was.
        </p>
      </section>
      ${dropZone(scene)}
    </div>
    <section class="stage" aria-label="What will happen">${stage(scene)}</section>
  `;
}

function dropZone({ ui, actions }: Scene): TemplateResult {
  const { intake } = ui;
  const busy = intake.step === "reading" || intake.step === "storing";
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    if (event.dataTransfer) actions.drop(event.dataTransfer);
  };
  const onDrag = (event: DragEvent): void => {
    event.preventDefault();
    actions.drag(event.type !== "dragleave");
  };
  return html`
    <section
      class="drop ${ui.dragging ? "drop-over" : ""}"
      aria-labelledby="drop-title"
      @drop=${onDrop}
      @dragover=${onDrag}
      @dragenter=${onDrag}
      @dragleave=${onDrag}
    >
      <div class="drop-words">
        <h2 id="drop-title">${busy ? intakeWords(ui.intake) : "Drop a folder, a .zip or an npm .tgz here"}</h2>
        <p class="drop-limits">
          Up to ${count(LIMITS.files)} files and ${bytes(LIMITS.totalBytes)} unpacked. Folders leave out
          <code>.git</code> and <code>node_modules</code>.
        </p>
        ${intake.step === "refused" ? refusal(intake, actions.dismissRefusal) : nothing}
      </div>
      <div class="drop-ways">
        <button class="button button-main" ?disabled=${busy} @click=${actions.startSample}>
          ${icon("play")} Audit the sample
        </button>
        ${picker({ label: "Choose a folder", folder: true, busy }, actions.pickFiles)}
        ${picker({ label: "Choose a .zip or .tgz", folder: false, busy }, actions.pickFiles)}
        <p class="drop-note">${SAMPLE.about}</p>
      </div>
    </section>
  `;
}

function intakeWords(intake: Scene["ui"]["intake"]): string {
  if (intake.step === "storing") return `Storing ${intake.name} beside the journal …`;
  if (intake.step === "reading")
    return `Reading ${intake.name}: ${count(intake.done)} of ${count(intake.total)} files …`;
  return "";
}

function refusal(
  { name, reason }: { readonly name: string; readonly reason: string },
  dismiss: () => void,
): TemplateResult {
  return html`
    <div class="notice notice-fault" role="alert">
      <p><strong>${name} was not taken.</strong> ${reason}</p>
      <button class="button button-quiet" @click=${dismiss}>${icon("cross")}<span class="unseen">Close</span></button>
    </div>
  `;
}

interface PickerOptions {
  readonly label: string;
  readonly folder: boolean;
  readonly busy: boolean;
}

/** A label that looks like a button around a real input, which keeps the keyboard and the screen reader happy. */
function picker({ label, folder, busy }: PickerOptions, picked: (files: readonly File[]) => void): TemplateResult {
  const onChange = ({ target }: Event): void => {
    if (!(target instanceof HTMLInputElement)) return;
    const files = [...(target.files ?? [])];
    target.value = ""; // so that the same choice counts again
    if (files.length > 0) picked(files);
  };
  return html`
    <label class="button">
      ${icon(folder ? "folder" : "archive")} ${label}
      <input
        class="unseen"
        type="file"
        ?webkitdirectory=${folder}
        accept=${folder ? nothing : ".zip,.tgz,.tar.gz,application/zip,application/gzip"}
        ?disabled=${busy}
        @change=${onChange}
      />
    </label>
  `;
}
