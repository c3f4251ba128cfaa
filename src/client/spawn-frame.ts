/** A cell: a hidden frame without an origin, whose page runs the code in a worker that reaches only the given hosts. */
import { WEIGH_EVERY, workerBytes, type MemoryMeasurement } from "../core/agents/memory.ts";
import { faultText, type Carrier, type OnDeath, type OnMemory, type ScriptFault } from "./spawn-carrier.ts";

export interface FrameOptions {
  /** Where the code came from: a name for people. */
  readonly url: string;
  readonly code: ArrayBuffer;
  readonly cellURL: string;
  readonly network: readonly string[];
  /** The cell's own header takes its origin, so that the frame doesn't have to. */
  readonly selfSandboxed: boolean;
  /** Where its memory is to be watched. */
  readonly onMemory?: OnMemory | undefined;
}

/** What the cell tells of its worker. */
type Report =
  | { readonly kind: "started" }
  | ({ readonly kind: "error" } & ScriptFault)
  | { readonly kind: "messageerror" }
  | { readonly kind: "memory"; readonly measured: MemoryMeasurement };

/** From a loaded frame to the first word of its script, in milliseconds: none of it needs the network. */
const PATIENCE = 15_000;

export function startFrame(options: FrameOptions, onDeath: OnDeath): Carrier {
  const { url, code, cellURL, network, selfSandboxed, onMemory } = options;
  const control = new MessageChannel();
  const reports = new MessageChannel();
  const watch = new AbortController();
  const cell = new URL(cellURL, document.baseURI);
  cell.hash = encodeURIComponent(network.join(" "));
  const frame = createFrame(cell.href, selfSandboxed);
  if (onMemory) frame.allow = "cross-origin-isolated"; // only so can the cell measure

  let patience: ReturnType<typeof setTimeout> | undefined;
  const begin = (): void => {
    frame.contentWindow?.postMessage({ code, name: url, weighEvery: onMemory && WEIGH_EVERY }, "*", [
      control.port2,
      reports.port2,
    ]); // it has no origin
    patience = setTimeout(onDeath, PATIENCE, `${cellURL} is not Troupe's cell.html, or runs without a sandbox`);
  };
  let loads = 0;
  frame.addEventListener("load", () => {
    if (++loads === 1) begin();
    else onDeath("its frame was loaded anew");
  });
  reports.port1.onmessage = ({ data }: MessageEvent<Report>) => {
    clearTimeout(patience);
    if (data.kind === "error") onDeath(faultText(data));
    else if (data.kind === "memory") onMemory?.(workerBytes(data.measured));
    else if (data.kind === "messageerror") onDeath("its worker posted what cannot be read");
  };
  watchFrame(frame, onDeath, watch.signal);
  document.documentElement.append(frame); // not the body: there may be none yet, and apps replace it
  return {
    control: control.port1,
    stop() {
      clearTimeout(patience);
      watch.abort();
      frame.remove();
      reports.port1.close();
    },
  };
}

function createFrame(src: string, selfSandboxed: boolean): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  if (!selfSandboxed) frame.setAttribute("sandbox", "allow-scripts");
  frame.setAttribute("aria-hidden", "true");
  frame.title = "Troupe cell";
  frame.tabIndex = -1;
  frame.style.setProperty("display", "none", "important");
  frame.src = src;
  return frame;
}

/** A frame that is refused or taken away says nothing itself. */
function watchFrame(frame: HTMLIFrameElement, onDeath: OnDeath, signal: AbortSignal): void {
  const onViolation = ({ effectiveDirective, blockedURI }: SecurityPolicyViolationEvent): void => {
    if (effectiveDirective === "frame-src" && frame.src.startsWith(blockedURI))
      onDeath(`the page's Content-Security-Policy has no frame-src for ${frame.src}`);
  };
  document.addEventListener("securitypolicyviolation", onViolation, { signal });
  const removals = new MutationObserver(() => {
    if (!frame.isConnected) onDeath("its frame was taken out of the page");
  });
  removals.observe(document.documentElement, { childList: true });
  signal.addEventListener("abort", () => {
    removals.disconnect();
  });
}
