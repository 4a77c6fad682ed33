/*
 * In the build `import … from '@oclif/core'` gets one of two copies (scripts/bundle.ts): a file of our own,
 * which loads sooner, or the package, which the plugins that come with oclif import as well.
 */
export type OclifCopy = 'own' | 'shared'

let copy: OclifCopy = 'shared'

/** Says which one this process has. To be called before anything imports oclif. */
export function useOclif(wanted: OclifCopy): void {
  copy = wanted
}

/** @public used by the build */
export function oclifCopy(): OclifCopy {
  return copy
}
