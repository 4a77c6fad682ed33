import { proxyToSave, shownProxy } from '../../../config/proxy/proxy.ts'
import type { Check } from '../../check.ts'
import { told } from '../../told.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

/** Which one, and whether it leads to the hub; the daemon has no shell’s environment, and goes by its config. */
export const proxy: Check<WayContext> = {
  name: 'proxy',
  group: 'network',
  title: 'Proxy',
  timeoutMs: WAY_MS,
  run: (context) =>
    told(async () => {
      const way = await context.way()
      const { url, source } = await way.tunnel()
      const seen = `${shownProxy(url)}, set in ${source}, leads to the hub`
      if (proxyToSave(way.config, process.env) === way.config.proxy) return { state: 'ok', seen }
      return {
        state: 'warning',
        seen: `${seen}; the daemon has another one, or none`,
        fix: 'Run: connect daemon restart (which takes over this shell’s)',
      }
    }),
}
