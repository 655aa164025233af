/**
 * The part of node-wav that is used here. The published typings (@types/node-wav) demand a Node Buffer and pull all of Node's types
 * into whatever imports them; the code itself takes any typed array, and pure folders compile without Node.
 */
declare module 'node-wav' {
  const nodeWav: {
    /**
     * Decodes a whole WAV file. @throws TypeError for headers that it does not know, RangeError where its typed arrays do not fit;
     * undefined where it runs past the end without meeting data.
     */
    readonly decode: (
      bytes: Uint8Array,
    ) => { readonly sampleRate: number; readonly channelData: readonly Float32Array[] } | undefined;
  };
  export default nodeWav;
}
