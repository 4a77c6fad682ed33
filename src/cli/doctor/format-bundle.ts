import type { Bundle } from '../../doctor/bundle/write-bundle.ts'
import { tilde } from '../../text/tilde.ts'

/** That it was written, and what is in it: whoever sends it on has to know. */
export function formatBundle({ file, bytes, holds }: Bundle): string[] {
  return [
    '',
    `[ok] Wrote ${tilde(file)} (${Math.ceil(bytes / 1024)} KB), for a bug report. It holds`,
    ...holds.map((what) => `  - ${what}`),
    '  No key, token or password, and neither your config nor a database, is in it.',
    '  What is no word of this program, such as most names and all addresses, is *1, *2 and so on.',
    '  Read it before you send it.',
  ]
}
