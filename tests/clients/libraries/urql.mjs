// urql: one client whose last exchange hands subscriptions to the socket.

import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";

import { tell } from "./story.mjs";
import { socketClient, url } from "./wire.mjs";

await tell(open, (error) => error.graphQLErrors[0].extensions);

function open({ authorization, mended }) {
  const socket = socketClient(authorization, mended);
  const client = new Client({
    url,
    fetchOptions: () => (authorization() ? { headers: { authorization: authorization() } } : {}),
    exchanges: [
      persistedExchange({ preferGetForPersistedQueries: true }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.client.subscribe({ ...request, query: request.query ?? "" }, sink),
          }),
        }),
      }),
    ],
  });
  return {
    query: (document, variables) => client.query(document, variables).toPromise().then(dataOf),
    mutate: (document, variables) => client.mutation(document, variables).toPromise().then(dataOf),
    subscribe: (document, variables, hear, fail) =>
      client.subscription(document, variables).subscribe(({ data, error }) => (error ? fail(error) : hear(data))),
    cut: socket.cut,
    close: () => socket.client.dispose(),
  };
}

function dataOf({ data, error }) {
  if (error) throw error;
  return data;
}
