/** Tells a screen reader the milestones, one at a time, and never more often than it can be listened to. */
export interface Announcer {
  say(text: string): void;
}

const PAUSE = 2_500;

export function createAnnouncer(): Announcer {
  const region = document.createElement("div");
  region.className = "unseen";
  region.setAttribute("role", "status");
  document.body.append(region);
  const waiting: string[] = [];
  let speaking = false;

  const next = (): void => {
    const text = waiting.shift();
    speaking = text !== undefined;
    if (text === undefined) return;
    region.textContent = text;
    setTimeout(next, PAUSE);
  };

  return {
    say(text) {
      if (waiting.at(-1) === text) return;
      waiting.push(text);
      if (waiting.length > 4) waiting.shift(); // what is old news by now is not told
      if (!speaking) next();
    },
  };
}
