import type { Principal } from '../principal.js';
import { LOCAL_USER } from '../principal.js';
import { HttpProblem } from './exchange.js';

export interface LimitOptions {
  /** Requests of one token, in the mean; twice as many may come at once. */
  readonly requestsPerSecond: number;
  /** Requests of one caller that are worked on at the same time. */
  readonly concurrent: number;
}

export interface Limits {
  /**
   * Takes a place for a request; give it back with what is returned.
   * @throws HttpProblem 429 with the seconds to wait
   */
  enter(principal: Principal): () => void;
}

interface Use {
  tokens: number;
  at: number;
  active: number;
}

/**
 * A token bucket and a count for each caller, so that one can't starve the others. Where no token is asked for, all requests are the user's
 * own: only their number at a time is bounded.
 *
 * @param clock milliseconds. @default performance.now
 */
export function createLimits({ requestsPerSecond, concurrent }: LimitOptions, clock = () => performance.now()): Limits {
  const burst = requestsPerSecond * 2;
  /** One a configured token. */
  const uses = new Map<string, Use>();

  return {
    enter(principal) {
      const use = uses.get(principal.id) ?? { tokens: burst, at: clock(), active: 0 };
      uses.set(principal.id, use);
      const now = clock();
      use.tokens = Math.min(burst, use.tokens + ((now - use.at) / 1000) * requestsPerSecond);
      use.at = now;
      if (use.active >= concurrent) throw busy(`${concurrent} requests are under way already`, 1);
      if (principal !== LOCAL_USER && use.tokens < 1) {
        throw busy(`more than ${requestsPerSecond} requests a second`, Math.ceil(1 / requestsPerSecond));
      }
      use.tokens -= 1;
      use.active += 1;
      let left = false;
      return () => {
        if (!left) use.active -= 1;
        left = true;
      };
    },
  };
}

function busy(problem: string, seconds: number): HttpProblem {
  return new HttpProblem(429, `too many requests: ${problem}; try again later`, { headers: { 'retry-after': String(seconds) } });
}
