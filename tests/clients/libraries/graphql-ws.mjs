// graphql-ws by itself: everything over one socket, queries and mutations too.

import { tell } from "./story.mjs";
import { socketClient } from "./wire.mjs";

await tell(open, (errors) => errors[0].extensions);

function open({ authorization, mended }) {
  // Lazy clients connect anew for each operation that comes alone, so whoever signs in is known from the next one on.
  const speaking = socketClient(authorization);
  const listening = socketClient(authorization, mended);
  const ask = async (query, variables) => {
    for await (const { data, errors } of speaking.client.iterate({ query, variables })) {
      if (errors) throw errors;
      return data;
    }
  };
  return {
    query: ask,
    mutate: ask,
    subscribe: (query, variables, hear, fail) =>
      listening.client.subscribe({ query, variables }, { next: ({ data }) => hear(data), error: fail, complete() {} }),
    cut: listening.cut,
    close: () => Promise.all([speaking.client.dispose(), listening.client.dispose()]),
  };
}
