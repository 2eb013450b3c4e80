// Serves the plain tables of one database with postgraphile's defaults, on loopback.
// Reads {"url": ..., "port": ..., "schema": ...} from its input.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { grafserv } from 'postgraphile/grafserv/node';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { postgraphile } from 'postgraphile';

const { url, port, schema } = JSON.parse(readFileSync(0, 'utf8'));
const served = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: url, schemas: [schema] })],
  grafserv: { graphqlPath: '/', graphiql: false, watch: false },
});
const server = createServer();
await served.createServ(grafserv).addTo(server);
server.listen(port, '127.0.0.1');
