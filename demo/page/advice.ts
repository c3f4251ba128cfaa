/** What a person can do about an error. */
const ADVICE: Readonly<Record<string, string>> = {
  "audit/archive-too-large": "Leave out build output and data files, or audit a part of the code base at a time.",
  "audit/archive-unreadable":
    "Check that it is a .zip or a gzipped .tar that other programs can open, and give it to the page again.",
  "approval/rejected": "The review was rejected, so no report was made. Run the audit again when it should be.",
  "approval/expired": "Nobody answered in time. Run the audit again.",
  "task/timeout": "A step took longer than it may. Close other heavy tabs and run the audit again.",
  "agent/crashed":
    "A worker crashed more often than it may. Run the audit again; if it happens again, this file set breaks an analyser.",
  "agent/load-failed": "An agent's code could not be loaded. Reload the page while the server runs.",
  "agent/integrity": "An agent's code has changed since it was registered. Reload the page.",
  "journal/quota":
    "The browser's storage is full. Free some space for new work; what was saved is kept, and what has begun goes on.",
  "journal/unavailable":
    "The browser gives this site no storage (a private window, or a setting). Allow it and reload.",
  "journal/blocked": "Another tab holds an older version of the storage. Close it and reload.",
  "host/incompatible": "Another tab runs another version of this page. Close or reload all of its tabs.",
  "host/unavailable": "No worker could be started here. Reload; if that doesn't help, try another browser.",
  "host/unreachable": "The host does not answer. Reload the page; the run is in the journal and goes on.",
  "runtime/storage-lost":
    "The site's data was cleared, and with it runs that were not finished. Start the audit again.",
  "runtime/limit": "It is larger than the runtime takes. Audit a part of the code base at a time.",
};

export function adviceFor(code: string): string {
  return ADVICE[code] ?? "Run the audit again. If it fails the same way, the code and the message say what to report.";
}
