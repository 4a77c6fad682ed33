import type { PlatformDescription } from '../platform.ts'

/** A plain detached process: what every machine has. */
export const background: PlatformDescription = {
  apiVersion: 2,
  name: 'background',
  summary: 'a background process: not restarted after a crash, gone after a reboot',
  probe: async () => ({ available: false, reason: 'a background process can’t be installed' }),
  isInstalled: async () => false,
  async load(context) {
    const { BackgroundPlatform } = await import('./background.ts')
    return new BackgroundPlatform(context)
  },
}
