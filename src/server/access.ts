import { createHash, timingSafeEqual } from 'node:crypto';
import { RagError } from '../core/errors.js';
import { LOCAL_USER, type Principal } from './principal.js';

/** A bearer token as it is configured: its text, or the SHA-256 of it, so that the configuration needn't hold the secret. */
export interface TokenRule {
  /** At least 16 characters. Goes without `sha256`. */
  readonly token?: string | undefined;
  /** 64 hex digits: `printf %s TOKEN | sha256sum`. Goes without `token`. */
  readonly sha256?: string | undefined;
  /** What the audit log calls its holder. @default 'token 1', 'token 2', … */
  readonly name?: string | undefined;
  /** @default 'write' */
  readonly access?: 'read' | 'write' | undefined;
  /** The only collections that it opens; the first is what calls without `collection` use. @default all */
  readonly collections?: readonly string[] | undefined;
}

export interface Access {
  /** Without tokens everyone who can connect is `LOCAL_USER`. */
  readonly needsToken: boolean;
  /** Whose token the `authorization` header shows; undefined: nobody's. */
  identify(authorization: string | undefined): Principal | undefined;
}

const SHORTEST_TOKEN = 16;

/**
 * Checks the rules, and keeps hashes of the tokens only.
 * @throws RagError CONFIG_INVALID
 */
export function createAccess(rules: readonly TokenRule[]): Access {
  const known = rules.map((rule, index) => ({ hash: hashOf(rule, index), principal: principalOf(rule, index) }));
  const duplicate = known.findIndex(({ hash }, index) => known.findIndex((other) => other.hash.equals(hash)) < index);
  if (duplicate >= 0) throw invalid(duplicate, 'is the same token as one before it; which rule holds would be chance');
  return {
    needsToken: known.length > 0,
    identify(authorization) {
      if (known.length === 0) return LOCAL_USER;
      const token = /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) return undefined;
      const hash = sha256(token);
      // Every rule is compared, each in constant time: how long it takes tells neither how much of a token was right nor which.
      let found: Principal | undefined;
      for (const rule of known) if (timingSafeEqual(rule.hash, hash)) found = rule.principal;
      return found;
    },
  };
}

function hashOf({ token, sha256: digest }: TokenRule, index: number): Buffer {
  if ((token === undefined) === (digest === undefined)) throw invalid(index, 'needs either `token` or `sha256`');
  if (digest !== undefined) {
    if (!/^[0-9a-f]{64}$/i.test(digest)) throw invalid(index, '`sha256` must be 64 hex digits');
    return Buffer.from(digest, 'hex');
  }
  const text = token ?? '';
  if (text.length < SHORTEST_TOKEN || /[^\x21-\x7e]/.test(text)) {
    throw invalid(
      index,
      `must be at least ${SHORTEST_TOKEN} visible ASCII characters; for example from \`openssl rand -hex 32\``,
    );
  }
  return sha256(text);
}

function principalOf({ name, access = 'write', collections }: TokenRule, index: number): Principal {
  if (collections?.length === 0) throw invalid(index, '`collections` is empty; leave it out to open all');
  return { id: `token-${index + 1}`, name: name ?? `token ${index + 1}`, access, collections };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function invalid(index: number, problem: string): RagError {
  return new RagError('CONFIG_INVALID', `server.tokens[${index}]: ${problem}`);
}
