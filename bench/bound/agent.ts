/** The bound's agent: gives back what it was given, in the batches in which it came. */
declare const self: { onmessage: (event: MessageEvent<MessagePort>) => void };

self.onmessage = ({ data: port }) => {
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    port.postMessage(data);
  };
};
