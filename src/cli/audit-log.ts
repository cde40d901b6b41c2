import type { Audit } from '../server/audit.js';

/** One line of JSON for each call that could change data. */
export interface AuditLog {
  readonly audit: Audit;
}

/**
 * @param place `stderr`, or a file that is appended to
 * @throws Error where the file can't be written
 */
export async function openAuditLog(place: string): Promise<AuditLog> {
  const { default: pino } = await import('pino');
  // Written before the answer goes out: an entry that a crash loses is the one that somebody looks for.
  const destination = pino.destination({ dest: place === 'stderr' ? 2 : place, sync: true, append: true, mkdir: true });
  const log = pino(
    {
      base: null,
      timestamp: false,
      redact: { paths: ['token', 'authorization', '*.token', '*.authorization', '*.apiKey'], censor: '***' },
    },
    destination,
  );
  return { audit: ({ at, ...entry }) => log.info({ at, audit: true, ...entry }) };
}
