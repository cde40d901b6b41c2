import type { Command } from './command.js';

/** A command as the list of all shows it; its file is imported when it runs. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Every command, in the order of help. A name of two words is a command with a sub-command. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'Serve the collection to an assistant over MCP (stdio), and index folders meanwhile.',
    load: () => import('./commands/serve.js'),
  },
  {
    name: 'ingest',
    summary: 'Read files, folders and globs into the collection; only what changed is done again.',
    load: () => import('./commands/ingest.js'),
  },
  { name: 'search', summary: 'Find the passages that match a query best.', load: () => import('./commands/search.js') },
  { name: 'ask', summary: 'Answer a question from the documents, with sources.', load: () => import('./commands/ask.js') },
  { name: 'documents list', summary: 'List the documents that are in.', load: () => import('./commands/documents-list.js') },
  { name: 'documents read', summary: 'Print a document’s text.', load: () => import('./commands/documents-read.js') },
  { name: 'documents delete', summary: 'Remove documents.', load: () => import('./commands/documents-delete.js') },
  {
    name: 'copy',
    summary: 'Copy a collection to another store, vectors included; nothing is embedded again.',
    load: () => import('./commands/copy.js'),
  },
  {
    name: 'backup',
    summary: 'Back up the embedded store to one file, while others read and write it.',
    load: () => import('./commands/backup.js'),
  },
  {
    name: 'restore',
    summary: 'Put a backup in the place of what the embedded store holds.',
    load: () => import('./commands/restore.js'),
  },
  {
    name: 'warm',
    summary: 'Ask what users will ask, so that shared caches hold it before they do.',
    load: () => import('./commands/warm.js'),
  },
  { name: 'stats', summary: 'Show the collections of the store, and the caches.', load: () => import('./commands/stats.js') },
  {
    name: 'bench engine',
    summary: 'Measure the configured engine: TTFT, TPOT and throughput by how many ask at once.',
    load: () => import('./commands/bench-engine.js'),
  },
  {
    name: 'doctor',
    summary: 'Look at everything hotrag needs, and say what to do where something is wrong.',
    load: () => import('./commands/doctor.js'),
  },
  {
    name: 'init',
    summary: 'Make an entry for hotrag in an assistant’s configuration.',
    load: () => import('./commands/init.js'),
  },
];
