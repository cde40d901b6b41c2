import { messageOf } from '../../core/errors.js';
import type { RagServer } from '../server.js';
import type { Route } from './exchange.js';
import { sendJson } from './respond.js';

/** How long a probe waits for the engine to open. */
const READY_MS = 5_000;

/** `/healthz`: the process answers. `/readyz`: the engine is open, so that a search would be answered. What is wrong goes to the log only. */
export function healthRoutes(server: RagServer): readonly Route[] {
  return [
    {
      path: '/healthz',
      methods: ['GET', 'HEAD'],
      open: true,
      async handle({ response }) {
        sendJson(response, 200, { status: 'live' });
      },
    },
    {
      path: '/readyz',
      methods: ['GET', 'HEAD'],
      open: true,
      async handle({ response, signal }) {
        try {
          await server.ready(AbortSignal.any([signal, AbortSignal.timeout(READY_MS)]));
          sendJson(response, 200, { status: 'ready' });
        } catch (error) {
          server.logger.warn(`not ready: ${messageOf(error)}`);
          sendJson(response, 503, { status: 'not ready' });
        }
      },
    },
  ];
}
