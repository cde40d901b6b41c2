import { join } from 'node:path';
import type { Host } from '../host.js';

/** An assistant that starts MCP servers, and where its list of them is. */
export interface Client {
  readonly name: ClientName;
  /** As its users know it. */
  readonly title: string;
  /** The object of its file that holds the servers. */
  readonly key: 'mcpServers' | 'servers';
  /** Its entries name their transport. */
  readonly typed: boolean;
  /** Its file for all projects of the user; undefined: it has none that is known. */
  readonly userFile: (place: Place) => string | undefined;
  /** Its file in a project's folder, relative to that; undefined: it reads none. */
  readonly projectFile: string | undefined;
  /** How it takes notice of the new entry. */
  readonly next: string;
}

export const CLIENT_NAMES = ['claude-desktop', 'claude-code', 'cursor', 'vscode', 'windsurf', 'generic'] as const;
export type ClientName = (typeof CLIENT_NAMES)[number];
export type Place = Pick<Host, 'env' | 'home' | 'platform'>;

/**
 * Every client that `hotrag init` knows. Files as their makers document them; on Linux there is no official Claude Desktop, and the file
 * is where its builds for Linux look. A copy from the Windows store may keep it elsewhere.
 */
export const CLIENTS: Readonly<Record<ClientName, Client>> = {
  'claude-desktop': {
    name: 'claude-desktop',
    title: 'Claude Desktop',
    key: 'mcpServers',
    typed: false,
    userFile: (place) => join(applicationData(place), 'Claude', 'claude_desktop_config.json'),
    projectFile: undefined,
    next: 'Quit Claude Desktop and start it again.',
  },
  'claude-code': {
    name: 'claude-code',
    title: 'Claude Code',
    key: 'mcpServers',
    typed: true,
    userFile: ({ env, home }) => join(given(env.CLAUDE_CONFIG_DIR) ?? home, '.claude.json'),
    projectFile: '.mcp.json',
    next: 'Start a new session; /mcp shows the server.',
  },
  cursor: {
    name: 'cursor',
    title: 'Cursor',
    key: 'mcpServers',
    typed: false,
    userFile: ({ home }) => join(home, '.cursor', 'mcp.json'),
    projectFile: join('.cursor', 'mcp.json'),
    next: 'Open Settings › MCP and switch the server on, or start Cursor again.',
  },
  vscode: {
    name: 'vscode',
    title: 'VS Code',
    key: 'servers',
    typed: true,
    userFile: (place) => join(applicationData(place), 'Code', 'User', 'mcp.json'),
    projectFile: join('.vscode', 'mcp.json'),
    next: 'Run "MCP: List Servers" and start it there.',
  },
  windsurf: {
    name: 'windsurf',
    title: 'Windsurf',
    key: 'mcpServers',
    typed: false,
    userFile: ({ home }) => join(home, '.codeium', 'windsurf', 'mcp_config.json'),
    projectFile: undefined,
    next: 'Refresh the list of MCP servers in Cascade.',
  },
  generic: {
    name: 'generic',
    title: 'another client',
    key: 'mcpServers',
    typed: false,
    userFile: () => undefined,
    projectFile: undefined,
    next: 'Start the client again.',
  },
};

/** Where applications of the desktop keep their files. */
function applicationData({ env, home, platform }: Place): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  if (platform === 'win32') return given(env.APPDATA) ?? join(home, 'AppData', 'Roaming');
  return given(env.XDG_CONFIG_HOME) ?? join(home, '.config');
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
