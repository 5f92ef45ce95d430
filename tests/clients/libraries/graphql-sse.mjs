// graphql-sse by itself: everything over server-sent events, by the mode that the command line names.

import { createClient } from "graphql-sse";

import { tell } from "./story.mjs";
import { resuming, url } from "./wire.mjs";

const singleConnection = process.argv[2] === "single";

await tell(open, (errors) => errors[0].extensions);

function open({ authorization, mended }) {
  // Lazy clients connect anew when nothing runs, so whoever signs in is known from the next operation on.
  const speaking = eventClient(authorization);
  const listening = eventClient(authorization, mended);
  let closed = false;
  const ask = (query, variables) =>
    new Promise((resolve, reject) => {
      let told;
      const complete = () => (told.errors ? reject(told.errors) : resolve(told.data));
      speaking.client.subscribe({ query, variables }, { next: (result) => { told = result; }, error: reject, complete });
    });
  return {
    query: ask,
    mutate: ask,
    subscribe: (query, variables, hear, fail) => {
      const next = ({ data, errors }) => (errors ? fail(errors) : hear(data));
      // Who is disposed of cuts off its own good-bye, and says so.
      const error = (reason) => { if (!closed) fail(reason); };
      return resuming(listening.client).subscribe({ query, variables }, { next, error, complete() {} });
    },
    cut: listening.cut,
    close: () => { closed = true; speaking.client.dispose(); listening.client.dispose(); },
  };
}

/** A client and the means to cut its connection as a dead network does. */
function eventClient(authorization, mended) {
  let network = new AbortController();
  const client = createClient({
    url,
    singleConnection,
    headers: () => (authorization() ? { authorization: authorization() } : {}),
    retry: mended,
    fetchFn: (address, { signal, ...rest }) =>
      fetch(address, { ...rest, signal: AbortSignal.any([signal, network.signal]) }),
  });
  return { client, cut: () => { network.abort(); network = new AbortController(); } };
}
