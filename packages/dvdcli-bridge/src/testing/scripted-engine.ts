import { createServer } from 'node:http';

export interface ScriptedEngine {
  /** Requests in order, e.g. `GET /plugins`. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

/**
 * As much of a Docker Engine as is asked for one managed volume plugin, which is enabled unless told.
 * @param options.id hexadecimal; the plugin's directory in Docker's plugin directory has this name
 * @param options.socket file name of the plugin's socket in that directory
 * @param options.root `DockerRootDir`
 */
export async function startScriptedEngine(
  engineSocket: string,
  options: {
    name: string;
    id: string;
    socket: string;
    root: string;
    propagatedMount: string;
    disabled?: true;
  },
): Promise<ScriptedEngine> {
  const asked: string[] = [];
  const plugin = {
    Id: options.id,
    Name: options.name,
    Enabled: options.disabled !== true,
    Config: {
      Interface: { Socket: options.socket, Types: ['docker.volumedriver/1.0'] },
      PropagatedMount: options.propagatedMount,
    },
  };
  const answers: Readonly<Record<string, unknown>> = {
    '/plugins': [plugin],
    '/info': { DockerRootDir: options.root },
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(`${request.method ?? ''} ${path}`);
    response.writeHead(path in answers ? 200 : 404);
    response.end(JSON.stringify(answers[path] ?? { message: 'page not found' }));
  });
  await new Promise<void>((resolve) => server.listen(engineSocket, resolve));
  return {
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
