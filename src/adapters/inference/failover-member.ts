import type { CallOptions, TextGenerator } from '../../core/contracts.js';
import { abortable } from '../../core/flow.js';
import { type Breaker, createBreaker } from './breaker.js';
import type { EngineGenerator } from './engine.js';

/** A health check that takes longer than this says that the engine is not back. */
const HEALTH_MS = 3_000;

/** One entry of the configured list. */
export interface Candidate {
  /** For messages before it is opened. @example 'ollama qwen3:4b' */
  readonly name: string;
  /** Whatever changes its answers; where the server stands is not part of it. */
  readonly id: string;
  open(options: CallOptions): Promise<TextGenerator | EngineGenerator>;
}

/** A candidate, opened when it is first needed, with its circuit breaker. */
export interface Member {
  readonly name: string;
  readonly id: string;
  readonly breaker: Breaker;
  /** Once it could be. */
  readonly opened: TextGenerator | undefined;
  /** Opens it at the first call and after a failure; all who ask meanwhile share that. */
  open(options: CallOptions): Promise<TextGenerator>;
  /** Whether to ask it in its turn. One that has rested is looked after in the background first, where it can be. */
  isWell(): boolean;
}

export function createMember(candidate: Candidate, clock: () => number): Member {
  const breaker = createBreaker(clock);
  let opened: TextGenerator | EngineGenerator | undefined;
  let opening: { readonly work: Promise<TextGenerator>; readonly stop: AbortController; waiting: number } | undefined;
  let looking = false;
  let isBack = false;

  function start() {
    const stop = new AbortController();
    const work = candidate.open({ signal: stop.signal }).then((generator) => {
      opened = generator;
      return generator;
    });
    const started = { work, stop, waiting: 0 };
    const forget = () => {
      if (opening === started) opening = undefined;
    };
    work.then(forget, forget);
    return started;
  }

  function look(engine: EngineGenerator): void {
    if (looking) return;
    looking = true;
    engine
      .health({ signal: AbortSignal.timeout(HEALTH_MS) })
      .then(
        () => {
          isBack = true;
        },
        () => breaker.restMore(),
      )
      .finally(() => {
        looking = false;
      });
  }

  return {
    name: candidate.name,
    id: candidate.id,
    breaker,
    get opened() {
      return opened;
    },

    async open({ signal }) {
      if (opened !== undefined) return opened;
      opening ??= start();
      const joined = opening;
      joined.waiting++;
      try {
        return await abortable(joined.work, signal);
      } finally {
        joined.waiting--;
        if (joined.waiting === 0 && opened === undefined) {
          if (opening === joined) opening = undefined;
          joined.stop.abort(new Error('nobody waits for it any more'));
        }
      }
    },

    isWell() {
      switch (breaker.state) {
        case 'closed':
          isBack = false;
          return true;
        case 'resting':
          isBack = false;
          return false;
        case 'rested':
          if (isBack || opened === undefined || !('health' in opened)) return true;
          look(opened);
          return false;
      }
    },
  };
}
