import os from 'node:os'
import type { Redactor } from './redactor.ts'

/** Variables of which it is told that they are set, and not to what. */
const VARIABLES =
  /^(CONNECT_\w+|PRIVATECONNECT_TOKEN|(https?|no|all)_proxy|NODE_(OPTIONS|EXTRA_CA_CERTS|USE_SYSTEM_CA)|SSL_CERT_(FILE|DIR)|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|INVOCATION_ID|SSH_CONNECTION|container|CI|TZ|LANG)$/i

/** What the program runs on. */
export function systemOf(env: NodeJS.ProcessEnv, redactor: Redactor) {
  return {
    platform: process.platform,
    arch: process.arch,
    // The rest of it may name who has built the kernel.
    release: /^[\d.]+/.exec(os.release())?.[0] ?? null,
    root: process.getuid?.() === 0,
    processors: os.availableParallelism(),
    variables: Object.keys(env)
      .filter((name) => VARIABLES.test(name))
      .map((name) => redactor.text(name)),
    memoryMb: Math.round(os.totalmem() / 1_048_576),
  }
}
