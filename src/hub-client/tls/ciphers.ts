import { readFileSync } from 'node:fs'

/** Cheapest where the processor has no instructions for AES. */
const WITHOUT_AES = 'TLS_CHACHA20_POLY1305_SHA256'

/**
 * The ciphers that a client of this machine offers, the best first: AES, but where software has to do it,
 * which takes several times as long as ChaCha20. The hub goes by what its client has first of these two.
 *
 * @param usual those that Node.js offers
 * @param arch of this machine
 * @param cpuinfo its /proc/cpuinfo; empty if there is none
 */
export function offeredCiphers(
  usual: string,
  arch: string = process.arch,
  cpuinfo = readCpuinfo(arch),
): string {
  return lacksAes(arch, cpuinfo) ? `${WITHOUT_AES}:${usual}` : usual
}

/** Of what runs today only some ARM processors, as a Raspberry Pi 4’s, have none; of those, Linux tells. */
function lacksAes(arch: string, cpuinfo: string): boolean {
  const [, features] = /^Features\s*:(.*)$/m.exec(cpuinfo) ?? []
  return arch.startsWith('arm') && features !== undefined && !features.split(' ').includes('aes')
}

function readCpuinfo(arch: string): string {
  if (process.platform !== 'linux' || !arch.startsWith('arm')) return ''
  try {
    return readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    // A sandbox may hide it: then AES it is.
    return ''
  }
}
