import type { PlainConfig } from '../../sdk/config.js';
import { defineCommand } from '../command.js';
import { type Check, type Finding, type Outcome, runChecks } from '../doctor/check.js';
import { lookAtDisk, lookAtNode, lookAtPort } from '../doctor/machine.js';
import { lookAtEmbedder, lookAtEngines, lookAtStore } from '../doctor/parts.js';
import { lookAtClients, lookAtConfig } from '../doctor/setup.js';
import type { Screen } from '../host.js';
import { createStyle, type Style, wrap } from '../terminal.js';

/** `hotrag doctor`: prints `{ ok, checks: [{ name, state, message, advice }] }`; 1 when something is failing. Writes nothing. */
export const command = defineCommand({
  usage: '',
  takes: { least: 0, most: 0 },
  flags: {},
  examples: [
    'hotrag doctor',
    'hotrag doctor --config team.json',
    'hotrag doctor --json | jq \'.checks[] | select(.state != "ok")\'',
  ],
  takesWrongSettings: true,
  async run({ host, json, settings }) {
    const { env, platform, signal, stdout } = host;
    const config = settings.check();
    config.catch(() => {}); // told by the check of the configuration
    const withConfig = (look: (config: PlainConfig, signal: AbortSignal) => Promise<Outcome>) => async (either: AbortSignal) => {
      const checked = await config.catch(() => undefined);
      return checked === undefined ? UNKNOWN : look(checked, either);
    };
    const checks: readonly Check[] = [
      { name: 'node', look: async () => lookAtNode(process.versions.node, platform, process.arch) },
      { name: 'config', look: () => lookAtConfig(settings) },
      { name: 'disk', look: withConfig(({ store }) => lookAtDisk(store.path ?? settings.storePath)) },
      { name: 'store', look: withConfig(lookAtStore) },
      { name: 'embedder', look: withConfig(lookAtEmbedder) },
      { name: 'engine', look: withConfig((checked, either) => lookAtEngines(checked, env.OLLAMA_HOST, either)) },
      { name: 'port', look: withConfig(({ server }, either) => lookAtPort(server.host, server.port, either)) },
      { name: 'client', look: () => lookAtClients(host) },
    ];
    const findings = await runChecks(checks, { signal });
    const ok = findings.every(({ state }) => state !== 'failing');
    stdout.write(json ? `${JSON.stringify({ ok, checks: findings })}\n` : render(findings, stdout, createStyle(host, stdout)));
    return ok ? 0 : 1;
  },
});

const UNKNOWN: Outcome = {
  state: 'warning',
  message: 'not looked at, because the configuration is wrong',
  advice: 'Correct the configuration first.',
};

/** Below this many columns, texts stand under their names. */
const NARROW = 70;
const MOST_LINES = 20;

function render(findings: readonly Finding[], { columns }: Screen, style: Style): string {
  const indent = columns < NARROW ? 2 : 19;
  const lines = (text: string) =>
    wrap(style.foreign(text), columns - indent, MOST_LINES).map((line) => ' '.repeat(indent) + line);
  return findings
    .flatMap(({ name, state, message, advice }) => {
      const head = `${state.padEnd(8)} ${name.padEnd(9)} `;
      const [first = '', ...rest] = lines(message);
      const told = columns < NARROW ? [head.trimEnd(), first, ...rest] : [head + first.trimStart(), ...rest];
      return [
        ...told.map((line, index) => (index === 0 && state !== 'ok' ? style.bold(line) : line)),
        ...lines(advice ?? '').map(style.dim),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}
