import { statSync } from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import { assetPath } from '../../adapters/assets.js';
import { invalidInput, nearestName, RagError } from '../../core/errors.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../failure.js';
import type { Host } from '../host.js';
import { CLIENT_NAMES, CLIENTS, type Client } from '../init/clients.js';
import { defaultVia, makeEntry } from '../init/entry.js';
import { mergeEntry } from '../init/merge.js';
import { readText, replaceFile } from '../init/replace-file.js';
import { createStyle } from '../terminal.js';

/** `hotrag init`: prints `{ client, file, name, entry, changed, backup }`; what is not there is left out. */
export const command = defineCommand({
  usage: `<${CLIENT_NAMES.join('|')}>`,
  takes: { least: 1, most: 1 },
  flags: {
    folder: { kind: 'list', value: 'DIR', describe: 'Folder to serve; may be repeated. Default: the working folder.' },
    name: { kind: 'text', describe: 'Name of the server in the client. Default: hotrag.' },
    project: { kind: 'switch', describe: 'Write the file of this project, in the working folder, not the user’s own.' },
    file: { kind: 'text', value: 'FILE', describe: 'Write this file: another profile’s, or a client that isn’t in the list.' },
    via: {
      kind: 'text',
      choices: ['node', 'npx'],
      describe: 'Start this installation with this Node, or the published package with npx. Default: node, and npx under npx.',
    },
    replace: { kind: 'switch', describe: 'Put the entry in the place of one with the same name.' },
    print: { kind: 'switch', describe: 'Only show what would be written.' },
  },
  examples: [
    'hotrag init claude-desktop --folder ~/notes',
    'hotrag init vscode --project --collection docs',
    'hotrag init cursor --print',
    'hotrag init generic --file ~/.config/assistant/mcp.json --folder ~/notes',
  ],
  async run({ host, positionals: [word = ''], flags, json, settings }) {
    const { signal, stdout, stderr } = host;
    const client = clientOf(word);
    const bin = assetPath('dist', 'cli', 'main.js');
    const via = flags.via === 'npx' || flags.via === 'node' ? flags.via : defaultVia(bin);
    const launcher = { via, node: process.execPath, bin };
    const folders = (flags.folder ?? [workingFolder(host)]).map((folder) => existingFolder(resolve(host.cwd, folder)));
    const { entry, secrets } = makeEntry({ client, launcher, folders, settings, host });
    const { name = 'hotrag', replace } = flags;
    const file = fileOf(client, host, flags);
    for (const variable of secrets) {
      stderr.write(
        `hotrag: warning: ${variable} is a secret and not written; set it in the environment that ${client.title} runs in\n`,
      );
    }
    if (flags.print || file === undefined) {
      const shown = { [client.key]: { [name]: entry } };
      if (!flags.print) stderr.write('hotrag: put this into your client’s configuration, or name its file with --file\n');
      else if (file !== undefined) stderr.write(`hotrag: for ${file}\n`);
      const result = { client: client.name, ...(file === undefined ? {} : { file }), name, entry, changed: false };
      stdout.write(json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(shown, undefined, 2)}\n`);
      return 0;
    }
    const before = await readText(file);
    signal.throwIfAborted();
    const isNew = before === undefined && !exists(dirname(file));
    const after = mergeEntry({ file, text: before, key: client.key, name, entry, replace });
    const backup = after === undefined ? undefined : await replaceFile(file, { before, after, now: new Date(), signal });
    if (json) {
      const result = {
        client: client.name,
        file,
        name,
        entry,
        changed: after !== undefined,
        ...(backup === undefined ? {} : { backup }),
      };
      stdout.write(`${JSON.stringify(result)}\n`);
      return 0;
    }
    const style = createStyle(host, stdout);
    const lines =
      after === undefined
        ? [`${file} has this entry already; nothing was changed.`]
        : [
            style.bold(`Added "${name}" for ${client.title}:`),
            file,
            ...(backup === undefined ? [] : ['What was in it before:', backup]),
            ...(isNew && flags.file === undefined ? [`Its folder was not there: is ${client.title} installed?`] : []),
            client.next,
          ];
    stdout.write(lines.map((line) => `${style.foreign(line)}\n`).join(''));
    return 0;
  },
});

function clientOf(word: string): Client {
  const name = CLIENT_NAMES.find((known) => known === word);
  if (name !== undefined) return CLIENTS[name];
  const near = nearestName(word, CLIENT_NAMES);
  throw new UsageError(
    `unknown client ${JSON.stringify(word)}${near === undefined ? '' : `; did you mean ${near}?`}`,
    `Clients: ${CLIENT_NAMES.join(', ')}; generic with --file fits any other`,
  );
}

function fileOf(
  client: Client,
  host: Host,
  { file, project }: { readonly file: string | undefined; readonly project: boolean },
): string | undefined {
  if (file !== undefined && project) throw invalidInput('--file', 'names the file, and --project another one; give one of them');
  if (file !== undefined) return resolve(host.cwd, file);
  if (!project) return client.userFile(host);
  if (client.projectFile === undefined)
    throw invalidInput('--project', `${client.title} reads no file of a project; leave it out`);
  return join(host.cwd, client.projectFile);
}

/** As for `serve`: a drive or a home folder is never what somebody means to have indexed by saying nothing. */
function workingFolder({ cwd, home }: Host): string {
  if (cwd !== home && cwd !== parse(cwd).root) return cwd;
  throw invalidInput('--folder', `${cwd} is not served without being named; name the folder to serve`);
}

function existingFolder(folder: string): string {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw new RagError('NOT_FOUND', `--folder: ${folder} is not there`);
  if (!found.isDirectory()) throw invalidInput('--folder', `${folder} is not a folder`);
  return folder;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
