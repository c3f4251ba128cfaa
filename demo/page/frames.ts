/** When the page is drawn: at the next frame for what a person does, some twelve times a second for what runs by itself. */
export interface Frames {
  soon(): void;
  now(): void;
}

/** Between two drawings that nobody waits for, in milliseconds. */
const PAUSE = 80;

export function createFrames(draw: () => void): Frames {
  let last = -PAUSE;
  let frame = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const now = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (frame) return;
    frame = true;
    requestAnimationFrame((at) => {
      frame = false;
      last = at;
      draw();
    });
  };

  return {
    now,
    soon() {
      if (frame || timer !== undefined) return;
      const wait = last + PAUSE - performance.now();
      if (wait <= 0) now();
      else timer = setTimeout(now, wait);
    },
  };
}
