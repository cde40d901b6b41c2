import type { CallOptions, TextGenerator } from '../../core/contracts.js';

/** A generator that the machinery around it can look after. */
export interface EngineGenerator extends TextGenerator {
  /** Resolves when the server could answer; costs it nothing. @throws RagError what is wrong */
  health(options?: CallOptions): Promise<void>;
  /** Resolves when the model is loaded, so that the first question doesn't wait for that. @throws as `generate` */
  warm(options?: CallOptions): Promise<void>;
}
