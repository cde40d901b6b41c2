import type { CallOptions, TextEvent, TextGenerator, TextRequest } from '../../core/contracts.js';
import { isRagError, messageOf, RagError } from '../../core/errors.js';
import { pause, retryDelay } from './backoff.js';
import { type Candidate, createMember, type Member } from './failover-member.js';
import { restingError } from './guarded-calls.js';

export interface FailoverOptions {
  readonly candidates: readonly Candidate[];
  /** Further rounds through the list for an answer of which nothing was told yet. */
  readonly retries: number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** From 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/**
 * The configured engines as one generator. Each answer goes to the first engine that is well; when that one fails before its first
 * text, to the next. A failure in the middle of an answer is told: what was shown can't be taken back.
 *
 * An engine that keeps failing rests (breaker.ts); when the rest is over, a health check in the background finds out whether it is back, so
 * that no answer has to wait for one that isn't.
 * @throws RagError that of a single engine; NO_ENGINE with the words of all of several, when none can be opened
 */
export async function openFailover(options: FailoverOptions, call: CallOptions): Promise<TextGenerator> {
  const members = options.candidates.map((candidate) => createMember(candidate, options.clock));
  const failures: RagError[] = [];
  for (const member of members) {
    const pass = member.breaker.enter();
    try {
      await member.open(call);
      return createFailover(members, options);
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      pass?.failed(error); // it starts with a bad name: answers will try it, but not wait for it often
      failures.push(asRagError(error));
    } finally {
      pass?.left();
    }
  }
  throw combined(failures);
}

function createFailover(members: readonly Member[], { retries, clock, random = Math.random }: FailoverOptions): TextGenerator {
  /** Which would answer now: for the properties that a generator tells before it is asked. */
  const first = () => {
    const opened = members.flatMap(({ opened, breaker }) => (opened === undefined ? [] : [{ opened, breaker }]));
    const best = opened.find(({ breaker }) => breaker.state === 'closed') ?? opened[0];
    if (best === undefined) throw new RagError('NO_ENGINE', 'no engine is open'); // openFailover opened one
    return best.opened;
  };

  async function* generate(request: TextRequest, { signal }: CallOptions = {}): AsyncGenerator<TextEvent, void, undefined> {
    const askedAt = clock();
    for (let round = 1; ; round++) {
      const failures: RagError[] = [];
      for (const { member, despite } of inTurn(members)) {
        signal?.throwIfAborted();
        const pass = member.breaker.enter({ despite });
        if (pass === undefined) {
          failures.push(restingError(member.name, member.breaker.restMs));
          continue;
        }
        const waitedMs = clock() - askedAt;
        let told = false;
        try {
          const generator = await member.open({ signal });
          for await (const event of generator.generate(request, { signal })) {
            told = true;
            if (event.type === 'finish') {
              pass.succeeded();
              yield finishedBy(generator, event, waitedMs);
              return;
            }
            yield event;
          }
          throw new RagError('UPSTREAM_FAILED', `${member.name}: the stream ended before its finish event`);
        } catch (error) {
          if (signal?.aborted) throw signal.reason;
          pass.failed(error);
          if (told) throw error;
          failures.push(asRagError(error));
        } finally {
          pass.left(); // aborted, or left by its reader: nothing was learnt
        }
      }
      const delays = failures.flatMap((failure) => retryDelay(failure, round, random) ?? []);
      if (round > retries || delays.length === 0) throw combined(failures);
      await pause(Math.min(...delays), signal);
    }
  }

  return {
    id: members.length === 1 ? first().id : `first of ${JSON.stringify(members.map(({ id }) => id))}`,
    get engine() {
      return first().engine;
    },
    get model() {
      return first().model;
    },
    /** A prompt that fits all that are known fits whoever answers. */
    get contextTokens() {
      const sizes = members.flatMap(({ opened }) => opened?.contextTokens ?? []);
      return sizes.length === 0 ? undefined : Math.min(...sizes);
    },
    get info() {
      return first().info;
    },
    generate,
    /** Loads the model of each that can be reached: the next one is needed just when nobody wants to wait. */
    async warm(options = {}) {
      const failures: RagError[] = [];
      const warmOne = async (member: Member) => (await member.open(options)).warm?.(options);
      for (const result of await Promise.allSettled(members.map(warmOne))) {
        if (result.status === 'rejected') failures.push(asRagError(result.reason));
      }
      options.signal?.throwIfAborted();
      if (failures.length === members.length) throw combined(failures);
    },
    async close() {
      await Promise.all(members.map(({ opened }) => opened?.close?.()));
    },
  };
}

/**
 * Whom to ask, best first: those that are well in the configured order, then the resting ones, which may be back. One that has rested is
 * asked in its turn again once its health check says so.
 */
function* inTurn(members: readonly Member[]): Iterable<{ readonly member: Member; readonly despite: boolean }> {
  const resting: Member[] = [];
  for (const member of members) {
    if (member.isWell()) yield { member, despite: false };
    else resting.push(member);
  }
  for (const member of resting) yield { member, despite: true };
}

function finishedBy(
  { engine, model }: TextGenerator,
  event: Extract<TextEvent, { type: 'finish' }>,
  waitedMs: number,
): TextEvent {
  const timings = event.timings ?? { ttftMs: null, tpotMs: null, queueMs: null };
  return { ...event, by: { engine, model }, timings: { ...timings, queueMs: (timings.queueMs ?? 0) + waitedMs } };
}

function combined(failures: readonly RagError[]): RagError {
  const [first, ...others] = failures;
  if (first !== undefined && others.length === 0) return first;
  const words = failures.map(({ message }) => message).join(' · ');
  return new RagError('NO_ENGINE', `None of the configured generators works. ${words}`, {
    cause: new AggregateError(failures),
    retryable: failures.some(({ retryable }) => retryable),
  });
}

function asRagError(error: unknown): RagError {
  return isRagError(error) ? error : new RagError('UPSTREAM_FAILED', messageOf(error), { cause: error });
}
