/** The bound's agent: gives back what it was given, in the batches in which it came. */
declare const self: DedicatedWorkerGlobalScope;

self.onmessage = ({ data: port }: MessageEvent<MessagePort>) => {
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    port.postMessage(data);
  };
};
