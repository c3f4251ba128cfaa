/** Gives back every message. */
declare const self: { onmessage: (event: MessageEvent<unknown>) => void; postMessage: (message: unknown) => void };

self.onmessage = ({ data }) => {
  self.postMessage(data);
};
