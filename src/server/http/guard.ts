import { isIP } from 'node:net';
import { HttpProblem } from './exchange.js';

export interface GuardOptions {
  /** The address that is listened on. */
  readonly boundTo: string;
  /** Further names that this server is reached by. */
  readonly hosts: readonly string[];
  /** Web pages, as origins, that may use it from a browser. */
  readonly origins: readonly string[];
}

export interface Guard {
  /**
   * Stops web pages that reach a local server through the user's browser: by a name of theirs that resolves to this machine (DNS
   * rebinding), or straight from their own origin.
   * @returns whether the page's origin may read the answer
   * @throws HttpProblem 403
   */
  check(host: string | undefined, origin: string | undefined): boolean;
}

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Whether only this machine can connect there. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}

export function createGuard({ boundTo, hosts, origins }: GuardOptions): Guard {
  const named = new Set([...LOOPBACK_NAMES, bracketed(boundTo), ...hosts.map((host) => host.toLowerCase())]);
  const open = !isLoopback(boundTo);
  const pages = new Set(origins);

  return {
    check(host, origin) {
      const name = hostnameOf(host === undefined ? undefined : `http://${host}`);
      // An address is no name: a page can't make the browser send it for a server that isn't its own.
      if (name === undefined || !(named.has(name) || (open && isIP(name.replace(/^\[|\]$/g, '')) !== 0))) {
        throw new HttpProblem(403, 'this server is not reached by that name; allow it with server.hosts');
      }
      if (origin === undefined) return false;
      if (pages.has(origin)) return true;
      const page = hostnameOf(origin);
      if (page !== undefined && (LOOPBACK_NAMES.includes(page) || origin === `http://${host}` || origin === `https://${host}`))
        return false;
      throw new HttpProblem(403, 'web pages of that origin may not use this server; allow it with server.origins');
    },
  };
}

function hostnameOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { hostname, username } = new URL(url);
  return hostname === '' || username !== '' ? undefined : hostname.toLowerCase();
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address.toLowerCase();
}
