// Apollo Client: queries and mutations over HTTP, subscriptions over the socket, split as its guide says.

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createHash } from "node:crypto";

import { tell } from "./story.mjs";
import { socketClient, url } from "./wire.mjs";

await tell(open, (error) => CombinedGraphQLErrors.is(error) && error.errors[0].extensions);

function open({ authorization, mended }) {
  const socket = socketClient(authorization, mended);
  const signedIn = new SetContextLink(({ headers }) => ({ headers: { ...headers, authorization: authorization() } }));
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const byHash = new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket.client),
      ApolloLink.from([byHash, signedIn, new HttpLink({ uri: url })]),
    ),
  });
  return {
    query: async (document, variables) => (await client.query({ query: gql(document), variables })).data,
    mutate: async (document, variables) => (await client.mutate({ mutation: gql(document), variables })).data,
    subscribe: (document, variables, hear, fail) =>
      client
        .subscribe({ query: gql(document), variables })
        .subscribe(({ data, error }) => (error ? fail(error) : hear(data))),
    cut: socket.cut,
    close: async () => { client.stop(); await socket.client.dispose(); },
  };
}
