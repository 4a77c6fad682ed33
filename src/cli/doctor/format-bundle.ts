import type { Bundle } from '../../doctor/bundle/write-bundle.ts'
import { tilde } from '../../text/tilde.ts'

/** That it was written, and what is in it: whoever sends it on has to know. */
export function formatBundle({ file, bytes, holds }: Bundle): string[] {
  return [
    '',
    `[ok] Wrote ${tilde(file)} (${Math.ceil(bytes / 1024)} KB), for a bug report. It holds`,
    ...holds.map((what) => `  - ${what}`),
    '  No key, token or password, and neither your config nor a database, is in it. What this program has not written',
    '  itself, such as names and addresses, is *1, *2 and so on. Read it before you send it.',
  ]
}
