import { freePort, type StartedServer, startServer } from './process.js';
import { installCommands, installPythonServer, type PythonServer } from './python.js';
import type { ServerKind } from './require-server.js';

// The whole server is in the package's compiled part: none of its Python dependencies is needed.
const CHROMA: PythonServer = { name: 'chroma', packages: ['chromadb==1.5.9'], dependencies: false };
const RUN = 'import sys, chromadb_rust_bindings as b; b.cli(["chroma", *sys.argv[1:]])';

export interface StartedChroma extends StartedServer {
  readonly uri: string;
}

/** Starts a Chroma over a data folder; with `port`, on the one that an earlier one had. */
export type StartChroma = (folder: string, port?: number) => Promise<StartedChroma>;

export const chroma: ServerKind<StartChroma> = {
  name: 'chroma',
  instructions: `${installCommands(CHROMA)} && .stores/chroma/bin/python -c '${RUN}' run --path FOLDER --port 8000`,
  async prepare() {
    const bin = await installPythonServer(CHROMA);
    return async (folder, wantedPort) => {
      const port = wantedPort ?? (await freePort());
      const uri = `http://127.0.0.1:${port}`;
      const server = await startServer({
        command: `${bin}/python`,
        args: ['-c', RUN, 'run', '--path', folder, '--host', '127.0.0.1', '--port', String(port)],
        port,
        isReady: async () => (await fetch(`${uri}/api/v2/heartbeat`)).ok,
      });
      return { ...server, uri };
    };
  },
};
