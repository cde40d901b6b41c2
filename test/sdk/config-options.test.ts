import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configOptions } from '../../src/sdk/config-options.js';

describe('configOptions', () => {
  it('gives every option one flag and one variable of its own', () => {
    const options = configOptions();
    expect(new Set(options.map(({ flag }) => flag)).size).toBe(options.length);
    expect(new Set(options.map(({ env }) => env)).size).toBe(options.length);
    expect(options.find(({ flag }) => flag === 'store-path')).toMatchObject({
      path: ['store', 'path'],
      env: 'HOTRAG_STORE_PATH',
      secret: false,
    });
  });

  it('describes every option', () => {
    expect(
      configOptions().flatMap(({ flag, variants }) => variants.flatMap(({ schema }) => (schema.description ? [] : [flag]))),
    ).toEqual([]);
  });

  it('marks as a secret whatever sounds like one', () => {
    const secrets = configOptions().flatMap(({ flag, secret }) => (secret ? [flag] : []));
    expect(secrets).toContain('store-token');
    expect(
      configOptions().flatMap(({ flag }) =>
        /(?:token|server-tokens|key|password|secret)$/.test(flag) && flag !== 'store-partition-key' ? [flag] : [],
      ),
    ).toEqual(secrets);
  });

  it('stands in docs/config.md and docs/config.schema.json as the schema has it', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, ['scripts/config-docs.mjs', '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
