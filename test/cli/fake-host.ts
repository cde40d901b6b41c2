import type { Host } from '../../src/cli/host.js';

/** A host that keeps what was written. */
export function fakeHost(
  options: Partial<Pick<Host, 'cwd' | 'env' | 'home' | 'platform' | 'signal'>> & { readonly terminal?: number } = {},
) {
  const written = { stdout: '', stderr: '' };
  const screen = (name: keyof typeof written) => ({
    write(text: string) {
      written[name] += text;
    },
    isTerminal: options.terminal !== undefined,
    columns: options.terminal ?? 100,
  });
  const { cwd = '/nowhere', env = {}, home = '/home/x', platform = 'linux', signal = new AbortController().signal } = options;
  const host: Host = { cwd, env, home, platform, signal, stdout: screen('stdout'), stderr: screen('stderr') };
  return { host, written };
}
