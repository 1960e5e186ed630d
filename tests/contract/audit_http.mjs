// Runs graphql-http's audits against the server at argv[2] and prints the results as JSON.
import { serverAudits } from 'graphql-http';

const results = await Promise.all(
  serverAudits({ url: process.argv[2] }).map(async (audit) => {
    const result = await audit.fn();
    return { id: audit.id, name: audit.name, status: result.status, reason: result.reason };
  }),
);
console.log(JSON.stringify(results));
