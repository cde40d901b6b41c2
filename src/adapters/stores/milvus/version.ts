/** What answers: the Python re-implementation for one machine, or the server in C++ and Go. */
export interface MilvusVersion {
  /** As the server says it. */
  readonly text: string;
  readonly lite: boolean;
  readonly major: number;
  readonly minor: number;
}

/**
 * Reads what `getVersion` says. Milvus 2.3.5 from PyPI says `v2.3.5-lite` and is the C++ server all the same.
 * @example readVersion('milvus_lite-3.2.2').lite // true
 * @example readVersion('v2.3.5-lite').minor // 3
 */
export function readVersion(text: string): MilvusVersion {
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(text) ?? [];
  return { text, lite: text.startsWith('milvus_lite-'), major: Number(major), minor: Number(minor) };
}

/** True from this version of the server on; false for Lite, whose numbers are its own. */
export function isAtLeast(version: MilvusVersion, major: number, minor: number): boolean {
  return !version.lite && (version.major > major || (version.major === major && version.minor >= minor));
}
