// The audits of GraphQL over HTTP as graphql-http has them, against a running Muster; prints what each found.

import { auditServer } from "graphql-http";

const results = await auditServer({ url: `${process.env.MUSTER_ADDRESS}/graphql` });
const told = results.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
console.log(JSON.stringify(told));
