// Runs the server audits of graphql-http against each face and prints what came of them.
// Reads [{"url": ..., "headers": [{...}, ...]}] from its input: those of one request after the
// other, the last for all that follow. Prints a list of results for each face.
import { readFileSync } from 'node:fs';
import { auditServer } from 'graphql-http';

const faces = JSON.parse(readFileSync(0, 'utf8'));
const told = [];
for (const { url, headers } of faces) {
  const fetchFn = (address, init = {}) =>
    fetch(address, {
      ...init,
      headers: { ...(headers.length > 1 ? headers.shift() : headers[0]), ...init.headers },
    });
  const results = await auditServer({ url, fetchFn });
  told.push(
    results.map(({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null })),
  );
}
console.log(JSON.stringify(told));
