// GraphiQL over our own schema. What stands in its headers editor goes with requests and with sockets, which take the
// token and the community in the payload of `connection_init` instead.
const socket = new URL("/graphql", location.href);
socket.protocol = socket.protocol.replace("http", "ws");

function credentials(headers) {
  const named = Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const given = { authorization: named.authorization, tenant: named["x-tenant"] };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

const overHttp = GraphiQL.createFetcher({ url: "/graphql" });

function isSubscription(request, options) {
  return (options?.documentAST?.definitions ?? []).some(
    (each) =>
      each.kind === "OperationDefinition" &&
      each.operation === "subscription" &&
      (!request.operationName || each.name?.value === request.operationName),
  );
}

function fetcher(request, options) {
  if (!isSubscription(request, options)) return overHttp(request, options);
  const overSocket = GraphiQL.createFetcher({
    url: "/graphql",
    subscriptionUrl: socket.href,
    wsConnectionParams: credentials(options?.headers),
  });
  return overSocket(request, { ...options, headers: undefined });
}

const welcome = `# Everything that Muster tells and does, over GraphQL.
# Sign in: run the mutation, then put its token into Headers below:
#   {"Authorization": "Bearer ..."}

mutation SignIn {
  devLogin(name: "Ada") {
    accessToken
  }
}

query Events {
  events(first: 5) {
    nodes {
      title
      startsAt
      joinedCount
      owner {
        name
      }
    }
  }
}

subscription Told {
  notificationAdded {
    cursor
    notification {
      kind
      data
    }
  }
}
`;

ReactDOM.render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: welcome, defaultEditorToolsVisibility: "headers" }),
  document.getElementById("graphiql"),
);
