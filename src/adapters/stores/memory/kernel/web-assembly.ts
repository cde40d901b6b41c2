/** What the kernel needs of WebAssembly: types for it come with a browser's, and there is none here. */
export interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Instance: new (module: WasmModule, imports: { readonly env: { readonly memory: WasmMemory } }) => WasmInstance;
}

/** Compiled code. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

/** Memory that code and JavaScript share. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Code with its memory. */
export interface WasmInstance {
  readonly exports: unknown;
}

// Every Node has it; only its type is missing.
export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
