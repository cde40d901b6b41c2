/** The process as commands see it: the seam by which they are tested without one. */
export interface Host {
  readonly cwd: string;
  readonly home: string;
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results only. */
  readonly stdout: Screen;
  /** Errors, warnings, progress. */
  readonly stderr: Screen;
  /** Aborts on SIGINT and SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal;
}

export interface Screen {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Its width; without a terminal, a readable one. */
  readonly columns: number;
}
